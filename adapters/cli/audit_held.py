"""audit held."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import typer
from rich.console import RenderableType

from adapters.catalog.currency import in_major, money
from adapters.cli.answer import Answer, moment, plural, table
from adapters.cli.audit import aggregate_id_from
from adapters.cli.call import Call
from adapters.cli.groups import audit
from adapters.cli.parse import day_from
from adapters.cli.verb import verb
from domain.refusals import NotFound
from projections.audit.held import HeldOn
from projections.audit.held_on import held_on
from services.read_organization import ReadOrganization, read_organization


@verb(audit, "held", role="auditor")
def show_held(
    call: Call,
    subscription: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="Of one subscription. Default: of all.")
    ] = None,
    *,
    on: Annotated[str, typer.Option("--on", metavar="DATE", help="The UTC day.")],
) -> Answer:
    """Shows who held which license on a day, and who paid for it.

    That is: the invoice lines that cover the day, and by what they were paid.

    Example: `seatledger audit held --on 2025-08-01 --org contoso --as operator`
    """
    day = day_from(on, "--on")
    subscription_id = aggregate_id_from(subscription) if subscription else None
    events = read_organization(call.house.ledger, call.wish(ReadOrganization))
    found = held_on(events, call.house.mapper, day, subscription_id)
    if subscription_id is not None and not found:
        raise NotFound(what=f"license on {day} of", key=subscription_id)
    shown = [part for one in found for part in shown_held(one)] or [f"nobody had a license on {day}"]
    return Answer({"held": [one.model_dump() for one in found]}, shown)


def shown_held(one: HeldOn) -> Iterator[RenderableType]:
    title = f"{one.product_name}, subscription {one.subscription_id}, {plural(one.licenses, 'license')}"
    until = [(who.member_id, moment(who.since), moment(who.until) if who.until else "") for who in one.holders]
    yield table(title, ("held by", "since", "until"), until)
    numbers = {paid.invoice_id: paid for paid in one.invoices}
    rows = []
    for line in one.lines:
        paid = numbers[line.invoice_id]
        amount = in_major(line.price_per_license_minor, paid.currency_exponent)
        days = f"{line.starts_on} to {line.ends_on}, {line.days} of {line.cycle_days} days"
        rows.append((f"{line.number}, line {line.line}", line.licenses, days, amount, line.price_per_day))
    columns = ("invoice", "licenses", "days", "a license", "a day, minor units")
    yield table(f"Charged to {one.purchaser_id}", columns, rows, numbers=("licenses", "a license"))
    paid_by = [
        (
            paid.number,
            each.what,
            in_major(each.amount_minor, paid.currency_exponent),
            each.payment_id or "",
            each.payment_method_id or "",
        )
        for paid in one.invoices
        for each in paid.paid_by
    ]
    yield table("Paid by", ("invoice", "what", "amount", "payment", "payment method"), paid_by, numbers=("amount",))
    for paid in one.invoices:
        if paid.due_minor:
            yield f"still due on {paid.number}: {money(paid.due_minor, paid.currency, paid.currency_exponent)}"
