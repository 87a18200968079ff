"""audit totals, audit derive."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Annotated

import typer
from rich.console import RenderableType

from adapters.catalog.currency import in_major
from adapters.cli.answer import Answer, plural, table
from adapters.cli.call import Call
from adapters.cli.failure import REFUSED, BadInput
from adapters.cli.groups import audit
from adapters.cli.parse import day_from
from adapters.cli.verb import verb
from adapters.documents.totals_csv import csv_of
from adapters.payments.limits import limits_of
from projections.audit.derived import DerivedHistory, derived_history
from projections.audit.totals import COLUMNS, DayTotals, Totals, totals
from services.read_organization import ReadOrganization, read_organization

SinceOption = Annotated[
    str | None, typer.Option("--from", metavar="DATE", help="From this UTC day on, which is included.")
]
UntilOption = Annotated[str | None, typer.Option("--to", metavar="DATE", help="Up to this UTC day, which is included.")]


def days_from(since: str | None, until: str | None) -> tuple[date | None, date | None]:
    return day_from(since, "--from") if since else None, day_from(until, "--to") if until else None


@verb(audit, "totals", role="auditor")
def show_totals(
    call: Call,
    since: SinceOption = None,
    until: UntilOption = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="Writes CSV.")] = False,
) -> Answer | None:
    """Shows control totals by day, billing profile and currency: what was due, what moved, and what is due then.

    Exit code 1: what moved does not add up to what the invoices say is due.

    Examples: `seatledger audit totals --from 2025-08-01 --to 2025-08-31 --org contoso --as operator`,
    `seatledger audit totals --csv > totals.csv`
    """
    if as_csv and call.as_json:
        raise BadInput("--csv or --json, not both")
    first, last = days_from(since, until)
    events = read_organization(call.house.ledger, call.wish(ReadOrganization))
    found = totals(events, call.house.mapper, since=first, until=last)
    if as_csv:
        for line in csv_of(found.days):
            typer.echo(line, nl=False)
        for said in found.contradictions:
            typer.echo(f"DIFFERS: {said}", err=True)
        return Answer(None, [], exit_code=REFUSED) if found.contradictions else None
    return Answer(found.model_dump(), list(shown_totals(found)), exit_code=REFUSED if found.contradictions else 0)


def shown_totals(found: Totals) -> Iterator[RenderableType]:
    names = ("opening", *COLUMNS, "closing")
    shown = [name for name in names if name not in {"invoiced_net", "invoiced_tax", "credited_net", "credited_tax"}]
    rows = [(one.day, one.billing_profile_id, *amounts(one, shown), one.currency) for one in found.days]
    headers = [name.replace("_", " ") for name in shown]
    yield table("Control totals", ("day", "billing profile", *headers, "currency"), rows, numbers=headers)
    for said in found.contradictions:
        yield f"DIFFERS: {said}"


def amounts(one: DayTotals, names: Sequence[str]) -> list[str]:
    return [in_major(getattr(one, f"{name}_minor"), one.currency_exponent) for name in names]


@verb(audit, "derive", role="auditor")
def derive(call: Call) -> Answer:
    """Derives the whole invoice history again, from events without their amounts, and compares it invoice by invoice.

    Exit code 1: history tells another amount than the rest of it gives.

    Example: `seatledger audit derive --org contoso --as operator`
    """
    events = read_organization(call.house.ledger, call.wish(ReadOrganization))
    found = derived_history(events, limits_of, call.house.mapper)
    return Answer(
        {"as_recorded": found.as_recorded, **found.model_dump()},
        list(shown_derived(found)),
        exit_code=0 if found.as_recorded else REFUSED,
    )


def shown_derived(found: DerivedHistory) -> Iterator[RenderableType]:
    rows = []
    for one in found.invoices:
        sums = (one.recorded.total_minor, one.derived.total_minor, one.recorded.due_minor, one.derived.due_minor)
        in_decimals = [in_major(minor, one.currency_exponent) for minor in sums]
        rows.append((one.number, one.amounts, *in_decimals, plural(len(one.differences), "difference")))
    columns = ("invoice", "amounts", "total", "derived", "due", "derived due", "result")
    yield table("Derived again", columns, rows, numbers=columns[1:6])
    for one in found.invoices:
        for difference in one.differences:
            yield f"DIFFERS: {difference.key}: {difference.what}"
    for difference in found.others:
        yield f"DIFFERS: {difference.key}: {difference.what}"
    if found.unreadable:
        yield f"NOT READ: {plural(found.unreadable, 'event')}; `audit verify` names what cannot be read"
    yield f"{plural(found.amounts, 'amount')} of {plural(len(found.invoices), 'invoice')} compared"
