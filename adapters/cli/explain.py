"""invoice explain."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import RenderableType

from adapters.catalog.currency import in_major
from adapters.cli.answer import Answer, moment, table
from adapters.cli.call import Call
from adapters.cli.failure import REFUSED
from adapters.cli.find_billing import InvoiceArgument, find_invoice
from adapters.cli.groups import invoices
from adapters.cli.verb import verb
from adapters.documents.invoice_json import amounts_of
from projections.audit.explain import explain as explanation_of
from projections.audit.explained import Cause, Explanation
from services.explain_invoice import ExplainInvoice, explain_invoice


@verb(invoices, "explain", role="admin", otherwise="purchaser")
def explain(call: Call, invoice: InvoiceArgument) -> Answer:
    """Derives every amount of an invoice again: by events, price version, rule, days and arithmetic, in minor units.

    Exit code 1: history tells another amount than comes out here.

    Example: `seatledger invoice explain K7Q2ZD-94MXPA-000001 --org contoso --as ben@contoso.com`
    """
    query = call.wish(ExplainInvoice, invoice_id=find_invoice(call, invoice))
    history = explain_invoice(call.house.ledger, query)
    found = explanation_of(history.invoice_id, history.events, history.offers, call.house.mapper)
    data = amounts_of(found, found.currency_exponent)
    return Answer(data, list(shown(found)), exit_code=REFUSED if found.contradictions else 0)


def shown(found: Explanation) -> Iterator[RenderableType]:
    """From what was charged to what is due."""

    def amount(minor: int) -> str:
        return in_major(minor, found.currency_exponent)

    lines = [
        (
            f"{line.quantity} x {line.product_name}, {line.kind}",
            f"version {line.price_version}" + (f", since {line.price_effective_on}" if line.price_effective_on else ""),
            f"{line.starts_on} to {line.ends_on}: {line.days_in_words}",
            line.rule,
            line.arithmetic.text,
            amount(line.amount_minor),
            events_of(line.causes),
        )
        for line in found.lines
    ]
    columns = ("line", "price", "days", "rule", "in minor units", "amount", "because of")
    title = (
        f"Invoice {found.number}: {found.reason}, {found.state.replace('_', ' ')}; issued by {event_of(found.cause)}"
    )
    yield table(title, columns, lines, numbers=("amount",))
    sums = [
        ("net", "", amount(found.net_minor)),
        (f"tax of {found.bill_to_country}", found.tax.arithmetic.text, amount(found.tax.amount_minor)),
        ("total", "", f"{amount(found.total_minor)} {found.currency}"),
    ]
    yield table("Total", ("", "in minor units", "amount"), sums, numbers=("amount",))
    if found.credit_notes:
        yield table("Credit notes", ("note", "why", "in minor units", "amount", "because of"), notes_of(found))
    if found.movements:
        moved = [
            (moment(one.cause.recorded_at), one.what, one.code or "", amount(one.amount_minor), amount(one.due_minor))
            for one in found.movements
        ]
        yield table(
            "What moved", ("recorded", "what", "code", "amount", "due then"), moved, numbers=("amount", "due then")
        )
    terms = [(one.what, amount(one.amount_minor)) for one in found.sums]
    yield table("What is due", ("", "amount"), [*terms, ("due", amount(found.due_minor))], numbers=("amount",))
    for said in found.contradictions:
        yield f"DIFFERS: {said}"


def notes_of(found: Explanation) -> Iterator[tuple[object, ...]]:
    """A row for each line that was credited, and one for its tax."""
    for note in found.credit_notes:
        for line in note.lines:
            what = f"{note.number}: {line.taken} of {line.quantity_before} x {line.product_name}"
            credited = in_major(line.amount_minor, found.currency_exponent)
            yield (what, line.why, line.arithmetic.text, credited, events_of(note.causes))
        if note.tax.amount_minor:
            tax = in_major(note.tax.amount_minor, found.currency_exponent)
            yield (f"{note.number}: tax", "tax left before less tax left after", note.tax.arithmetic.text, tax, "")


def events_of(causes: Sequence[Cause]) -> str:
    return "\n".join(event_of(cause) for cause in causes)


def event_of(cause: Cause) -> str:
    """SubscriptionPurchased #45: the number of the event in the organization's history."""
    return f"{cause.event.split('.')[1]} #{cause.organization_seq}"
