"""Quotes and prices as people read them."""

from __future__ import annotations

from collections.abc import Iterator

from adapters.catalog.currency import money
from adapters.cli.answer import plural
from domain.calendar import BillingPlan
from domain.invoice_line import InvoiceLine
from domain.offer import PriceFacts
from services.quote import Quote

PERIODS: dict[BillingPlan, str] = {"monthly": "month", "annual": "year"}
PPM_OF_A_PERCENT = 10_000


def price_of(price: PriceFacts) -> str:
    """14.00 USD per license and month."""
    return f"{price_amount(price.unit_price_minor, price)} per license and {PERIODS[price.plan]}"


def price_amount(minor: int, price: PriceFacts) -> str:
    return money(minor, price.currency, price.currency_exponent)


def quote_lines(quoted: Quote) -> Iterator[str]:
    """What it comes to, line by line, then what becomes of the amount."""

    def said(minor: int) -> str:
        return money(minor, quoted.currency, quoted.currency_exponent)

    yield f"{quoted.what} on {quoted.on}"
    for line in quoted.lines:
        yield f"  {line_text(line)}: {said(line.amount_minor)}"
    for note in quoted.credits:
        yield f"  credit on invoice {note.invoice_number}: {said(-note.total_minor)}, tax included"
    if quoted.tax_minor:
        yield f"  tax at {quoted.tax_rate_ppm / PPM_OF_A_PERCENT:g} %: {said(quoted.tax_minor)}"
    yield f"comes to {said(quoted.total_minor)}"
    outcomes = {
        "from the credit balance": quoted.from_balance_minor,
        "charged to the card": quoted.charge_minor,
        "refunded": quoted.refund_minor,
        "kept as credit for the next invoice": quoted.to_balance_minor,
        "still due on invoices": quoted.still_due_minor,
        "still owed for the term, before tax": quoted.still_owed_minor,
    }
    for what, minor in outcomes.items():
        if minor:
            yield f"{what}: {said(minor)}"


def line_text(line: InvoiceLine) -> str:
    days = f", {line.days} of {line.cycle_days} days" if line.days != line.cycle_days else ""
    return (
        f"{plural(line.quantity, 'license')} of {line.product_name}, {line.period.start} to {line.period.ends_on}{days}"
    )
