"""audit rerate."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated

import typer
from rich.console import RenderableType

from adapters.catalog.currency import in_major, money
from adapters.cli.answer import Answer, plural, table
from adapters.cli.audit_totals import SinceOption, UntilOption, days_from
from adapters.cli.call import Call
from adapters.cli.failure import BadInput
from adapters.cli.groups import audit
from adapters.cli.verb import verb
from projections.audit.rerate import RatedDocument, Rerating, rerate
from projections.audit.rerating_rules import rule_named
from services.read_organization import ReadOrganization, read_organization

PRICE = re.compile(r"(.+)=([0-9]{1,15})")


@verb(audit, "rerate", role="auditor")
def show_rerated(
    call: Call,
    *,
    rule: Annotated[
        str | None,
        typer.Option(
            metavar="NAME|WORDS", help="By this rule, or by its basis and rounding: 'days of the cycle, half even'."
        ),
    ] = None,
    price: Annotated[
        list[str] | None,
        typer.Option(metavar="OFFER_OR_PRODUCT=MINOR", help="At this price of a license for a cycle, in minor units."),
    ] = None,
    since: SinceOption = None,
    until: UntilOption = None,
    lines: Annotated[bool, typer.Option("--lines", help="Shows the lines too.")] = False,
) -> Answer:
    """Shows what invoices would have charged by another rule or at corrected prices. It changes nothing.

    Credit notes are re-rated with their invoices; the days are of invoices.

    Examples: `seatledger audit rerate --price CFQ7TTC0H9MP=1399 --org contoso --as operator`,
    `seatledger audit rerate --rule 'days of the cycle, half even' --from 2025-08-01 --lines`
    """
    if rule is None and not price:
        raise BadInput("say another --rule or a corrected --price, or both")
    try:
        named = rule_named(rule) if rule is not None else None
    except ValueError as error:
        raise BadInput(f"--rule {rule!r} {error}") from None
    first, last = days_from(since, until)
    events = read_organization(call.house.ledger, call.wish(ReadOrganization))
    prices = dict(price_from(one) for one in price or ())
    found = rerate(events, call.house.mapper, rule=named, prices=prices, since=first, until=last)
    data = found.model_dump(exclude=None if lines else {"documents": {"__all__": {"lines"}}})
    return Answer(data, list(shown_rerated(found, lines=lines)))


def price_from(text: str) -> tuple[str, int]:
    """CFQ7TTC0H9MP=1399."""
    if (said := PRICE.fullmatch(text)) is None:
        raise BadInput(f"--price {text!r} is no price; write it like CFQ7TTC0H9MP=1399, in minor units")
    return said[1], int(said[2])


def shown_rerated(found: Rerating, *, lines: bool) -> Iterator[RenderableType]:
    columns = ("document", "of", "charged", "would be", "difference", "currency")
    rows = [row for one in found.documents for row in rated_rows(one, lines=lines)]
    yield table("Re-rated", columns, rows, numbers=columns[2:5])
    for one in found.totals:
        charged, would_be, difference = (
            money(minor, one.currency, one.currency_exponent)
            for minor in (one.charged_minor, one.would_be_minor, one.difference_minor)
        )
        documents = f"{one.differing} of {plural(one.documents, 'document')} differ"
        yield f"charged {charged}, would be {would_be}: {difference}; {documents}"
    if found.unreadable:
        yield f"NOT READ: {plural(found.unreadable, 'event')}; `audit verify` names what cannot be read"
    for of in found.unused_prices:
        yield f"no line charges for {of}: its price changes nothing"


def rated_rows(one: RatedDocument, *, lines: bool) -> Iterator[tuple[object, ...]]:
    def in_decimals(*minor: int) -> list[str]:
        return [in_major(each, one.currency_exponent) for each in minor]

    sums = in_decimals(one.charged.total_minor, one.would_be.total_minor, one.difference_minor)
    yield (f"{one.kind} {one.number}", one.issued_on, *sums, one.currency)
    for line in one.lines if lines else ():
        what = f"  line {line.line}: {line.quantity} x {line.product_id}, {line.days} of {line.cycle_days} days"
        yield (what, "", *in_decimals(line.charged_minor, line.would_be_minor, line.difference_minor), "")
