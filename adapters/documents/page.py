"""What stands on the pages of an invoice, as words and figures in their places; the template calculates nothing."""

from __future__ import annotations

from typing import Any

from iso3166 import countries_by_alpha2

from adapters.documents.fonts import families
from adapters.documents.words import breakable, count, day, figure, line, percent
from services.ports_documents import ShownCreditNote, ShownInvoice, ShownLine

_STATES = {"open": "OPEN", "paid": "PAID", "past_due": "PAST DUE", "uncollectible": "UNCOLLECTIBLE"}


def page_of(shown: ShownInvoice) -> dict[str, Any]:
    """Everything the template shows, as JSON values."""
    currency, exponent = line(shown.currency), shown.currency_exponent
    tax = _tax(shown)
    return {
        "fonts": families(shown.bill_to_country),
        "id": str(shown.invoice_id),
        "number": breakable(shown.number),
        "plain_number": line(shown.number),
        "state": shown.state,
        "state_shown": _STATES[shown.state],
        "author": line(shown.seller[0]) if shown.seller else "",
        "seller": _block(shown.seller),
        "bill_to": [*_block(shown.bill_to), *_block((_country(shown.bill_to_country),))],
        "facts": _facts(shown),
        "currency": currency,
        "due": _due(shown),
        "lines": [_line(each, exponent) for each in shown.lines],
        "totals": [
            ["Net", figure(shown.net_minor, exponent)],
            [tax, figure(shown.tax_minor, exponent)],
            [f"Total {currency}", figure(shown.total_minor, exponent)],
        ],
        "credit_notes": [_credit_note(note, tax, currency, exponent) for note in shown.credit_notes],
        "payments": [
            [day(paid.on), breakable(paid.what), figure(paid.amount_minor, exponent)] for paid in shown.payments
        ],
        "balance": _balance(shown),
    }


def _facts(shown: ShownInvoice) -> list[list[str]]:
    facts = [["Invoice number", shown.number], ["Issued", day(shown.issued_on)], ["Due", day(shown.due_on)]]
    if shown.po_number:
        facts.append(["PO number", shown.po_number])
    if shown.buyer_tax_id:
        facts.append(["Your tax ID", shown.buyer_tax_id])
    return [[name, breakable(fact)] for name, fact in facts]


def _due(shown: ShownInvoice) -> dict[str, str]:
    """What is still to be paid; more than was owed is a balance in the customer's favour."""
    amount = f"{line(shown.currency)} {figure(abs(shown.due_minor), shown.currency_exponent)}"
    if shown.due_minor < 0:
        return {"label": "Balance in your favor", "amount": amount, "note": ""}
    notes = {"open": f"due by {day(shown.due_on)}", "past_due": f"was due on {day(shown.due_on)}"}
    return {"label": "Amount due", "amount": amount, "note": notes.get(shown.state, "") if shown.due_minor else ""}


def _balance(shown: ShownInvoice) -> list[list[str]]:
    """From the total to what is due, a step each."""
    exponent = shown.currency_exponent
    steps = [["Total", figure(shown.total_minor, exponent)]]
    if shown.credited_minor:
        steps.append(["Credited", figure(-abs(shown.credited_minor), exponent)])
    if shown.paid_minor or shown.payments:
        steps.append(["Paid", figure(-shown.paid_minor, exponent)])
    due = _due(shown)
    return [*steps, [due["label"], due["amount"]]]


def _line(shown: ShownLine, exponent: int) -> list[str]:
    return [
        count(shown.number),
        breakable(shown.what),
        f"{day(shown.service_from)} – {day(shown.service_until)}",  # noqa: RUF001  # a span of days is set with a dash
        f"{count(shown.days)} of {count(shown.cycle_days)}",
        count(shown.quantity),
        figure(shown.unit_price_minor, exponent),
        figure(shown.amount_minor, exponent),
    ]


def _credit_note(note: ShownCreditNote, tax: str, currency: str, exponent: int) -> dict[str, Any]:
    return {
        "number": breakable(note.number),
        "issued": day(note.issued_on),
        "reason": breakable(note.reason),
        "lines": [_line(each, exponent) for each in note.lines],
        "totals": [
            ["Net", figure(note.net_minor, exponent)],
            [tax, figure(note.tax_minor, exponent)],
            [f"Total {currency}", figure(note.total_minor, exponent)],
        ],
    }


def _tax(shown: ShownInvoice) -> str:
    name = breakable(shown.tax_name)
    return f"{name} {percent(shown.tax_rate_ppm)}" if name else "Tax"


def _block(lines: tuple[str, ...]) -> list[str]:
    return [printed for each in lines if (printed := breakable(each))]


def _country(code: str) -> str:
    country = countries_by_alpha2.get(code)
    return country.apolitical_name if country else code
