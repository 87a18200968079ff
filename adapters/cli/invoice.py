"""invoice: list, show, pdf, pay, explain, reconcile."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from adapters.cli.answer import Answer, plural, table
from adapters.cli.billed import Billed
from adapters.cli.call import Call
from adapters.cli.failure import BadInput
from adapters.cli.find_billing import (
    InvoiceArgument,
    ProfileOption,
    find_invoice,
    find_payment_method,
    find_profile,
)
from adapters.cli.groups import invoices
from adapters.cli.invoice_shown import LIST_COLUMNS, list_row, shown
from adapters.cli.parse import day_from
from adapters.cli.verb import verb
from adapters.cli.write_file import write_file
from adapters.documents.invoice_json import amounts_of, invoice_json
from domain.invoice import InvoiceState
from services.list_invoices import ListInvoices, list_invoices
from services.pay_invoice import PayInvoice, pay_invoice
from services.ports_documents import ShownInvoice
from services.ports_reads import InvoiceRow
from services.show_invoice import ShowInvoice, show_invoice


@verb(invoices, "list", role="admin", otherwise="purchaser")
def show_all(
    call: Call,
    *,
    past: Annotated[
        Literal["3m", "6m"] | None, typer.Option(help="By invoice date: the past 3 or 6 months. Default: 3m.")
    ] = None,
    since: Annotated[
        str | None, typer.Option("--from", metavar="DATE", help="Invoice dates from this day, which is included.")
    ] = None,
    until: Annotated[
        str | None, typer.Option("--to", metavar="DATE", help="Invoice dates to this day, which is included.")
    ] = None,
    profile: ProfileOption = None,
    state: Annotated[InvoiceState | None, typer.Option(help="Only in this state.")] = None,
) -> Answer:
    """Lists invoices, newest first: all of the organization for admins, else those of profiles on which you are.

    Examples: `seatledger invoice list`, `seatledger invoice list --past 6m --state past_due`,
    `seatledger invoice list --from 2026-01-01 --to 2026-03-31 --profile K7Q2ZD`
    """
    if past and (since or until):
        raise BadInput("--past or --from and --to, not both")
    fields: dict[str, Any] = {
        "past_months": 6 if past == "6m" else 3,
        "since": day_from(since, "--from") if since else None,
        "until": day_from(until, "--to") if until else None,
        "billing_profile_id": find_profile(call, profile) if profile else None,
        "state": state,
    }
    rows = list(all_invoices(call, fields))
    data = [amounts_of(row, row.currency_exponent) for row in rows]
    columns = table("Invoices", LIST_COLUMNS, map(list_row, rows), numbers=("total", "credited", "paid", "due"))
    return Answer({"invoices": data}, columns)


def all_invoices(call: Call, fields: dict[str, Any]) -> Iterator[InvoiceRow]:
    """A page at a time."""
    house = call.house
    query = call.wish(ListInvoices, at_least=house.views.head(), **fields)
    while True:
        page = list_invoices(house.ledger, house.invoice_views, query)
        yield from page.rows
        if page.following is None:
            return
        query = query.model_copy(update={"after": page.following})


@verb(invoices, "show", role="admin", otherwise="purchaser")
def show_one(call: Call, invoice: InvoiceArgument) -> Answer:
    """Shows an invoice: its lines, credit notes, payments, and what is due.

    Example: `seatledger invoice show K7Q2ZD-94MXPA-000001 --org contoso --as ben@contoso.com`
    """
    found = shown_invoice(call, invoice)
    return Answer(invoice_json(found), list(shown(found)))


def shown_invoice(call: Call, words: str) -> ShownInvoice:
    query = call.wish(ShowInvoice, invoice_id=find_invoice(call, words), seller=call.house.settings.seller)
    return show_invoice(call.house.ledger, call.directory, query)


@verb(invoices, "pdf", role="admin", otherwise="purchaser")
def pdf(
    call: Call,
    invoice: InvoiceArgument,
    output: Annotated[
        str, typer.Option("--output", "-o", metavar="FILE", help="Where to; - writes to standard output.")
    ],
    *,
    force: Annotated[bool, typer.Option("--force", help="Overwrites a file.")] = False,
) -> Answer | None:
    """Writes an invoice with its credit notes as a PDF: the same bytes for the same content.

    Example: `seatledger invoice pdf K7Q2ZD-94MXPA-000001 --output invoice.pdf --org contoso --as ben@contoso.com`
    """
    if output == "-" and call.as_json:
        raise BadInput("--output - writes the PDF to standard output, where --json writes too; name a file")
    found = shown_invoice(call, invoice)
    page = call.house.typesetter.invoice(found)
    if output == "-":
        typer.get_binary_stream("stdout").write(page)
        return None
    path = Path(output)
    write_file(path, page, force=force)
    data = {"invoice_id": found.invoice_id, "number": found.number, "file": str(path), "bytes": len(page)}
    return Answer(data, f"invoice {found.number}: {path}, {plural(len(page), 'byte')}")


@verb(invoices, "pay", role="purchaser", command=True)
def pay(
    call: Call,
    invoice: InvoiceArgument,
    *,
    card: Annotated[
        str | None,
        typer.Option(metavar="PAYMENT_METHOD", help="One of your cards. Default: the one that the profile charges."),
    ] = None,
) -> Answer:
    """Pays what is due on an invoice now; a subscription that was in grace for it recovers.

    Example: `seatledger invoice pay K7Q2ZD-94MXPA-000002 --org contoso --as ben@contoso.com`
    """
    fields = {} if card is None else {"payment_method_id": find_payment_method(call, card)}
    command = call.wish(PayInvoice, invoice_id=find_invoice(call, invoice), **fields)
    receipt = pay_invoice(call.house.ledger, command, call.till)
    paid = call.house.ledger.invoice(call.organization_id, command.invoice_id)
    billed = Billed(call, call.house.ledger.told(call.organization_id, receipt))
    said = f"invoice {paid.number} is {paid.status.replace('_', ' ')}; due: {billed.money(paid.due_minor)}"
    return call.answer(
        receipt,
        "\n".join([said, *billed.lines]),
        invoice_id=paid.id,
        number=paid.number,
        state=paid.status,
        **billed.in_both("due", paid.due_minor),
        **billed.data,
    )
