"""Invoices as people read them on a terminal; the page for their files is typeset elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import RenderableType

from adapters.catalog.currency import in_major
from adapters.cli.answer import table
from services.ports_documents import ShownInvoice, ShownLine
from services.ports_reads import InvoiceRow

PPM_OF_A_PERCENT = 10_000
LIST_COLUMNS = ("number", "date", "for", "total", "credited", "paid", "due", "currency", "state")
LINE_COLUMNS = ("what", "from", "until", "days", "licenses", "price", "amount")


def list_row(row: InvoiceRow) -> tuple[object, ...]:
    amounts = (row.total_minor, row.credited_minor, row.paid_minor, row.due_minor)
    in_decimals = [in_major(minor, row.currency_exponent) for minor in amounts]
    return (row.number, row.issued_on, row.reason, *in_decimals, row.currency, row.state.replace("_", " "))


def shown(invoice: ShownInvoice) -> Iterator[RenderableType]:
    """Everything that stands on it."""

    def amount(minor: int) -> str:
        return in_major(minor, invoice.currency_exponent)

    facts = [
        ("invoice", invoice.number),
        ("state", invoice.state.replace("_", " ")),
        ("issued", invoice.issued_on),
        ("due", invoice.due_on),
        ("from", "\n".join(invoice.seller)),
        ("to", "\n".join([*invoice.bill_to, invoice.bill_to_country])),
        ("tax id", invoice.buyer_tax_id),
        ("PO number", invoice.po_number),
    ]
    yield table(f"Invoice {invoice.number}", ("", ""), [fact for fact in facts if fact[1]])
    yield lines_table("Lines", invoice.lines, invoice)
    tax = f"{invoice.tax_name} {invoice.tax_rate_ppm / PPM_OF_A_PERCENT:g} %" if invoice.tax_name else "tax"
    totals = [("net", invoice.net_minor), (tax, invoice.tax_minor), ("total", invoice.total_minor)]
    totals += [("credited", -invoice.credited_minor)] if invoice.credited_minor else []
    totals += [("paid", -invoice.paid_minor)] if invoice.paid_minor or invoice.payments else []
    totals += [("due", invoice.due_minor)]
    rows = [(name, f"{amount(minor)} {invoice.currency}") for name, minor in totals]
    yield table("Amounts", ("", "amount"), rows, numbers=("amount",))
    for note in invoice.credit_notes:
        title = f"Credit note {note.number} of {note.issued_on}: {note.reason}, {amount(note.total_minor)} with tax"
        yield lines_table(title, note.lines, invoice)
    if invoice.payments:
        rows = [(f"{paid.on}  {paid.what}", amount(paid.amount_minor)) for paid in invoice.payments]
        yield table("Payments", ("what", "amount"), rows, numbers=("amount",))


def lines_table(title: str, lines: Sequence[ShownLine], invoice: ShownInvoice) -> RenderableType:
    rows = [
        (
            line.what,
            line.service_from,
            line.service_until,
            f"{line.days} of {line.cycle_days}",
            line.quantity,
            in_major(line.unit_price_minor, invoice.currency_exponent),
            in_major(line.amount_minor, invoice.currency_exponent),
        )
        for line in lines
    ]
    return table(title, LINE_COLUMNS, rows, numbers=("days", "licenses", "price", "amount"))
