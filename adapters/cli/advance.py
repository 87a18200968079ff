"""advance."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Annotated, Any
from uuid import UUID

import typer

from adapters.cli.advance_crew import Crew, Outcome, advance_here, advance_one
from adapters.cli.answer import Answer, plural, table
from adapters.cli.call import OPERATOR, Call
from adapters.cli.failure import REFUSED
from adapters.cli.groups import root
from adapters.cli.parse import moment_from
from adapters.cli.progress import told_progress
from adapters.cli.verb import verb
from domain.calendar import utc_date
from domain.refusals import NotYetThen
from services.advance import SANDBOX, Advance, Advanced
from services.complete_due_work import CompleteDueWork, complete_due_work
from services.ports_reads import DueProfile
from services.reconcile_settlement import ReconcileSettlement, reconcile_settlement
from services.take_settlement import take_settlement

LEARNT = timedelta(days=7)  # back; `invoice reconcile --learn` reaches further


@verb(root, "advance", role=OPERATOR)
def advance(
    call: Call,
    *,
    as_of: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="Everything that is due by then: UTC, or the end of a day. Default: now."),
    ] = None,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Processes; each organization is one's at a time.")] = 1,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Lists the billing profiles to look at, only.")] = False,
) -> Answer:
    """The life-cycle run: renews, charges, retries, expires and disables what is due; of all organizations, or of one.

    It may run as often as one likes, and several at once: what was done is not done again. A time later than now is for
    simulated organizations on the sandbox. It also learns what the provider settled in the last week, and frees the
    licenses of removed members that a crash left assigned.

    Examples: `seatledger advance --workers 4`, `seatledger advance --org contoso --as-of 2027-01-31`
    """
    house = call.house
    command = call.wish(Advance, as_of=moment_from(as_of, "--as-of") if as_of else None)
    call.refuse_members()
    only = call.organization_id if call.handle else None
    now = house.ledger.now(*([house.ledger.organization(only)] if only else []))
    until = utc_date(command.as_of or now)
    profiles = list(house.due_work.due_profiles(until, organization_id=only, at_least=house.views.head()))
    counts = Counter(profile.organization_id for profile in profiles)
    if dry_run:
        return listed(call, profiles)
    if only is None:
        refuse_future(call, command, list(counts))
    with told_progress("advanced", "billing profiles", len(profiles)) as advanced:
        progress = Progress(advanced)
        if only:
            done = advance_one(house, command, only, lambda so_far: progress(only, so_far))
            outcomes = [Outcome(only, done)]
        elif workers == 1:
            outcomes = advance_here(house, command, counts, progress)
        else:
            outcomes = Crew(house.settings, command, progress, tell_started).run(list(counts), workers)
    learn(call, until, only)
    query = call.wish(CompleteDueWork, until=until, at_least=house.views.head(), organization_id=only)
    released = complete_due_work(house.ledger, house.due_work, house.holdings, query)
    return summary(call, outcomes, released=len(released))


def learn(call: Call, until: date, only: UUID | None) -> None:
    """Records what the provider settled lately and nobody told: refunds that came back, disputes, lost answers."""
    house = call.house
    query = call.wish(
        ReconcileSettlement,
        organization_id=only,
        since=until - LEARNT,
        until=until,
        at_least=house.views.head(),
    )
    gateway = house.till_of(only).gateway if only else house.gateway
    take_settlement(house.ledger, house.till_of, reconcile_settlement(gateway, house.movement_views, query))


class Progress:
    """Adds up what organizations tell of themselves, each from its start."""

    def __init__(self, advanced: Any) -> None:
        self._advanced = advanced
        self._known: dict[UUID, int] = {}

    def __call__(self, organization_id: UUID, so_far: Advanced) -> None:
        self._advanced(so_far.profiles - self._known.get(organization_id, 0))
        self._known[organization_id] = so_far.profiles


def tell_started(pid: int) -> None:
    typer.echo(f"process {pid} started", err=True)


def refuse_future(call: Call, command: Advance, organization_ids: Sequence[UUID]) -> None:
    """Before anybody is advanced: a time later than now is only for simulations, and nobody else may be due."""
    ledger = call.house.ledger
    if command.as_of is None or command.as_of <= ledger.now():
        return
    for organization_id in organization_ids:
        organization = ledger.organization(organization_id)
        if not organization.facts.simulation or call.house.gateway.name != SANDBOX:
            raise NotYetThen(as_of=command.as_of, now=ledger.now(organization))


def listed(call: Call, profiles: Sequence[DueProfile]) -> Answer:
    """What a run would look at."""
    handles = handles_of(call, [profile.organization_id for profile in profiles])
    data = [{"organization": handles[one.organization_id], **one._asdict()} for one in profiles]
    rows = [(one["organization"], one["billing_profile_id"], len(one["payment_ids"])) for one in data]
    return Answer(
        {"due": data},
        table("Billing profiles to look at", ("organization", "profile", "payments"), rows, numbers=("payments",)),
    )


def summary(call: Call, outcomes: Sequence[Outcome], *, released: int) -> Answer:
    """What the run did, and for whom it failed."""
    handles = handles_of(call, [one.organization_id for one in outcomes])
    failed = [one for one in outcomes if one.failure]
    totals = {
        name: sum(getattr(one.done, name) for one in outcomes if not one.failure)
        for name in ("profiles", "rounds", "payments")
    }
    data = {
        **totals,
        "released": released,
        "failed": len(failed),
        "organizations": [
            {
                "organization": handles[one.organization_id],
                "organization_id": one.organization_id,
                **one.done.model_dump(),
                "error": one.failure.data["error"] if one.failure else None,
            }
            for one in outcomes
        ],
    }
    counted = (
        plural(totals["profiles"], "billing profile"),
        f"{plural(totals['rounds'], 'round')} of due steps",
        f"{plural(totals['payments'], 'payment')} looked after",
    )
    said = [f"{plural(len(outcomes), 'organization')}: {', '.join(counted)}"]
    if released:
        said.append(f"the licenses of {plural(released, 'removed member')} freed")
    for one in failed:
        typer.echo(f"seatledger: {handles[one.organization_id]}: {one.failure and one.failure.message}", err=True)
    if failed:
        said.append(f"{plural(len(failed), 'organization')} failed; the next run completes them")
    return Answer(data, "\n".join(said), exit_code=REFUSED if failed else 0)


def handles_of(call: Call, organization_ids: Sequence[UUID]) -> dict[UUID, str]:
    return {one: call.house.ledger.organization(one).facts.handle for one in dict.fromkeys(organization_ids)}
