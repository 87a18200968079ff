"""invoice reconcile."""

from __future__ import annotations

from typing import Annotated

import typer

from adapters.catalog.currency import money
from adapters.cli.answer import Answer, plural, table
from adapters.cli.call import OPERATOR, Call
from adapters.cli.failure import REFUSED
from adapters.cli.groups import invoices
from adapters.cli.parse import day_from
from adapters.cli.verb import verb
from domain.organization import organization_id_of
from services.reconcile_settlement import ReconcileSettlement, SettlementDifference, reconcile_settlement
from services.take_settlement import take_settlement


@verb(invoices, "reconcile", role=OPERATOR)
def reconcile(
    call: Call,
    since: Annotated[str, typer.Option("--from", metavar="DATE", help="The first day that the provider settled.")],
    until: Annotated[str, typer.Option("--to", metavar="DATE", help="The last day; both are included.")],
    learn: Annotated[
        bool, typer.Option("--learn", help="Records what the provider knows more of, and compares again.")
    ] = False,
) -> Answer:
    """Compares what the payment provider settled with what is recorded, movement by movement; of all, or of one --org.

    Exit code 1: something differs. Disputes, and refunds that banks send back, are learnt so.

    Examples: `seatledger invoice reconcile --from 2026-01-01 --to 2026-01-31`,
    `seatledger invoice reconcile --from 2026-01-01 --to 2026-01-31 --learn`
    """
    call.refuse_members()
    house = call.house
    only = organization_id_of(call.organization.handle) if call.handle else None
    query = call.wish(
        ReconcileSettlement,
        organization_id=only,
        since=day_from(since, "--from"),
        until=day_from(until, "--to"),
        at_least=house.views.head(),
    )
    gateway = call.till.gateway if only else house.gateway
    found = reconcile_settlement(gateway, house.movement_views, query)
    if learn and found.payment_ids:
        take_settlement(house.ledger, house.till_of, found)
        query = query.model_copy(update={"at_least": house.views.head()})
        found = reconcile_settlement(gateway, house.movement_views, query)
    rows = [difference_row(one) for one in found.differences]
    compared = f"{plural(found.settled, 'movement')} settled by {gateway.name}, {found.recorded:,} recorded"
    if not rows:
        return Answer(found.model_dump(), f"{compared}: no difference")
    columns = ("what", "kind", "on", "payment", "there", "here")
    title = f"{compared}: {plural(len(rows), 'difference')}"
    return Answer(found.model_dump(), table(title, columns, rows, numbers=("there", "here")), exit_code=REFUSED)


def difference_row(one: SettlementDifference) -> tuple[object, ...]:
    there, here = ("" if minor is None else money(minor, one.currency) for minor in (one.there_minor, one.here_minor))
    return (one.what.replace("_", " "), one.kind.replace("_", " "), one.on, one.payment_id, there, here)
