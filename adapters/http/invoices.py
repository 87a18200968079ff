"""Invoices: the list, one in full, as a page, explained, and paid."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Path, Query
from pydantic import BeforeValidator, Field
from starlette.responses import Response

from adapters.http.answers import Body, Done, Page, done, shown
from adapters.http.bad_request import BadRequest
from adapters.http.call import Call
from adapters.http.callers import ORGANIZATION, PurchaserDoes, PurchaserReads
from adapters.http.pages import Cursor, Limit
from adapters.http.words import Day
from domain.invoice import InvoiceState
from projections.audit.explain import explain as explanation_of
from projections.audit.explained import Explanation
from services.explain_invoice import ExplainInvoice, explain_invoice
from services.list_invoices import ListInvoices, list_invoices
from services.pay_invoice import PayInvoice, pay_invoice
from services.ports_documents import ShownInvoice
from services.ports_reads import InvoiceCursor, InvoiceRow
from services.show_invoice import ShowInvoice, show_invoice

routes = APIRouter(prefix=ORGANIZATION, tags=["invoices"])

InvoiceId = Annotated[UUID, Path(description="The invoice.")]
Months = Annotated[Literal[3, 6], BeforeValidator(lambda text: {"3": 3, "6": 6}.get(text, text))]


@routes.get("/invoices", operation_id="list_invoices", summary="List invoices", response_model=Page[InvoiceRow])
def list_all(
    call: PurchaserReads,
    *,
    past_months: Annotated[
        Months | None, Query(description="By invoice date: the past 3 or 6 months. Without any day: 3.")
    ] = None,
    since: Annotated[Day | None, Query(description="Invoice dates from this day, which is included.")] = None,
    until: Annotated[Day | None, Query(description="Invoice dates to this day, which is included.")] = None,
    billing_profile_id: UUID | None = None,
    state: InvoiceState | None = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """Newest first. A purchaser sees those of profiles on which they have a role, others who may see invoices all."""
    if past_months and (since or until):
        raise BadRequest("bad_parameter", "say past_months, or since and until, and not both", where="past_months")
    question = ("invoices", past_months, since, until, billing_profile_id, state)
    place = call.place(cursor, of=question)
    query = call.wish(
        ListInvoices,
        past_months=past_months or 3,
        since=since,
        until=until,
        billing_profile_id=billing_profile_id,
        state=state,
        limit=limit,
        after=InvoiceCursor(date.fromisoformat(place[0]), place[1]) if place else None,
    )
    page = list_invoices(call.house.ledger, call.house.invoice_views, query)
    following = None
    if page.following:
        following = call.cursor(page.following.issued_on.isoformat(), page.following.number, of=question)
    return shown(Page[InvoiceRow](items=page.rows, next=following))


@routes.get(
    "/invoices/{invoice_id}", operation_id="show_invoice", summary="Show one invoice", response_model=ShownInvoice
)
def show(call: PurchaserReads, invoice_id: InvoiceId) -> Response:
    """Its lines, credit notes and payments, and what is due."""
    return shown(in_full(call, invoice_id))


def in_full(call: Call, invoice_id: UUID) -> ShownInvoice:
    query = call.wish(ShowInvoice, invoice_id=invoice_id, seller=call.house.settings.seller)
    return show_invoice(call.house.ledger, call.directory, query)


class Pdf(Response):
    media_type = "application/pdf"


PDF: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {Pdf.media_type: {"schema": {"type": "string", "format": "binary"}}},
        "description": "The page; the same bytes for the same content.",
    }
}


@routes.get(
    "/invoices/{invoice_id}/pdf",
    operation_id="print_invoice",
    summary="An invoice as a PDF",
    response_class=Pdf,
    responses=PDF,
)
def as_pdf(call: PurchaserReads, invoice_id: InvoiceId) -> Response:
    """The invoice with its credit notes, as it is sent to who pays it."""
    invoice = in_full(call, invoice_id)
    headers = {"Content-Disposition": f'inline; filename="{invoice.number}.pdf"'}
    return Pdf(call.house.typesetter.invoice(invoice), headers=headers)


class CardOnce(Body):
    """With which card."""

    payment_method_id: UUID | None = Field(
        default=None, description="One of the caller's; without one that which the billing profile charges."
    )


class InvoicePaid(Done):
    """A payment of what was due."""

    invoice_id: UUID


@routes.post(
    "/invoices/{invoice_id}/payments",
    operation_id="pay_invoice",
    summary="Pay an invoice",
    response_model=InvoicePaid,
)
def pay(call: PurchaserDoes, invoice_id: InvoiceId, body: CardOnce | None = None) -> Response:
    """What is due on it, now; a subscription that was in grace for it recovers.

    Declined, or while the payer has to confirm, it is as with buying: the same call with the same key goes on.
    """
    command = call.wish(PayInvoice, invoice_id=invoice_id, **(body.given() if body else {}))
    receipt = pay_invoice(call.house.ledger, command, call.till)
    return done(call, receipt, InvoicePaid, invoice_id=invoice_id)


@routes.get(
    "/invoices/{invoice_id}/explanation",
    operation_id="explain_invoice",
    summary="Explain an invoice",
    response_model=Explanation,
)
def explain(call: PurchaserReads, invoice_id: InvoiceId) -> Response:
    """Derives every amount again, from what happened, by price version, rule, days and arithmetic.

    `contradictions` names where history says another amount than comes out here; it is empty.
    """
    history = explain_invoice(call.house.ledger, call.wish(ExplainInvoice, invoice_id=invoice_id))
    return shown(explanation_of(history.invoice_id, history.events, history.offers, call.house.mapper))
