"""Invoice history: every invoice as it stands, and the credit notes that amend it."""

from collections.abc import Iterator
from datetime import date
from typing import Any, ClassVar, NamedTuple
from uuid import UUID

from domain.envelope import RecordedEvent
from domain.invoice import CreditReason, Invoice, InvoiceReason, InvoiceState
from domain.kernel import AggregateEvent
from projections.projection import Projection, Rows, Table, Touch


class InvoiceStanding(NamedTuple):
    """An invoice with what was credited and paid; total = credited + paid + due."""

    organization_id: UUID
    invoice_id: UUID
    billing_profile_id: UUID
    number: str
    reason: InvoiceReason
    state: InvoiceState
    issued_on: date
    due_on: date
    currency: str
    currency_exponent: int
    net_minor: int
    tax_minor: int
    total_minor: int
    credited_minor: int
    paid_minor: int
    due_minor: int
    po_number: str | None
    last_position: int  # of the newest event that changed the row


class CreditNote(NamedTuple):
    """A credit note; its amounts are positive."""

    organization_id: UUID
    credit_note_id: UUID
    invoice_id: UUID
    billing_profile_id: UUID
    number: str
    reason: CreditReason
    issued_on: date
    net_minor: int
    tax_minor: int
    total_minor: int
    position: int


INVOICES: Table[InvoiceStanding] = Table(
    name="invoices",
    row=InvoiceStanding,
    key=("organization_id", "invoice_id"),
    # All lists page by (issued_on, number), read backwards; each filter has the same order behind it.
    indexes=(
        ("organization_id", "issued_on", "number"),
        ("organization_id", "billing_profile_id", "issued_on", "number"),
        ("organization_id", "state", "issued_on", "number"),
        ("organization_id", "number"),
    ),
)
CREDIT_NOTES: Table[CreditNote] = Table(
    name="credit_notes",
    row=CreditNote,
    key=("organization_id", "credit_note_id"),
    indexes=(("organization_id", "invoice_id", "position"), ("organization_id", "number")),
)


class InvoiceHistory(Projection):
    """A row for each invoice and for each credit note, for as long as history."""

    name = "invoice_history"
    version = 1
    tables = (INVOICES, CREDIT_NOTES)
    topics: ClassVar[tuple[type[AggregateEvent], ...]] = (
        Invoice.InvoiceIssued,
        Invoice.CreditBalanceApplied,
        Invoice.PaymentReceived,
        Invoice.CollectionFailed,
        Invoice.CollectionDeferred,
        Invoice.CreditNoteIssued,
        Invoice.RefundCounted,
        Invoice.RefundReversed,
        Invoice.MovedToCreditBalance,
        Invoice.PaymentDisputed,
        Invoice.DisputeClosed,
        Invoice.InvoiceWrittenOff,
    )

    def touched(self, recorded: RecordedEvent, event: Any) -> Iterator[Touch]:
        if not isinstance(event, Invoice.InvoiceIssued):
            yield INVOICES, (recorded.organization_id, event.originator_id)

    def fold(self, rows: Rows, recorded: RecordedEvent, event: Any) -> None:
        if isinstance(event, Invoice.InvoiceIssued):
            rows.put(INVOICES, issued(recorded, event))
            return
        key = (recorded.organization_id, event.originator_id)
        invoice = rows.get(INVOICES, key)
        if invoice is None:
            return
        credited = invoice.credited_minor
        if isinstance(event, Invoice.CreditNoteIssued):
            credited += event.total_minor
            rows.put(CREDIT_NOTES, credit_note(recorded, event))
        rows.change(
            INVOICES,
            key,
            state=getattr(event, "state", invoice.state),  # money on its way back changes no state
            credited_minor=credited,
            paid_minor=invoice.total_minor - credited - event.due_minor,
            due_minor=event.due_minor,
            last_position=recorded.position,
        )


def issued(recorded: RecordedEvent, event: Invoice.InvoiceIssued) -> InvoiceStanding:
    return InvoiceStanding(
        organization_id=recorded.organization_id,
        invoice_id=event.originator_id,
        billing_profile_id=event.billing_profile_id,
        number=event.number,
        reason=event.reason,
        state=event.state,
        issued_on=event.issued_on,
        due_on=event.due_on,
        currency=event.currency,
        currency_exponent=event.currency_exponent,
        net_minor=event.net_minor,
        tax_minor=event.tax_minor,
        total_minor=event.total_minor,
        credited_minor=0,
        paid_minor=0,
        due_minor=event.total_minor,
        po_number=event.po_number,
        last_position=recorded.position,
    )


def credit_note(recorded: RecordedEvent, event: Invoice.CreditNoteIssued) -> CreditNote:
    return CreditNote(
        organization_id=recorded.organization_id,
        credit_note_id=event.credit_note_id,
        invoice_id=event.originator_id,
        billing_profile_id=event.billing_profile_id,
        number=event.number,
        reason=event.reason,
        issued_on=event.issued_on,
        net_minor=event.net_minor,
        tax_minor=event.tax_minor,
        total_minor=event.total_minor,
        position=recorded.position,
    )
