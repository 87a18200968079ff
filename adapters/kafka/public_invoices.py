"""What others may know of invoices: every amount, line by line, and what is due after each event.

Receivables are `due_minor` of the last event of each invoice, where it is more than zero.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from adapters.kafka.public_values import (
    BillTo,
    CreditLine,
    DisputeId,
    InvoiceLine,
    Own,
    PublicEvent,
    TaxRate,
    public,
    words,
)
from domain.invoice import CreditReason, Invoice, InvoiceReason, InvoiceState

State = Annotated[str, words(InvoiceState)]


@public("seatledger.invoice.invoice_issued.v1", of=Invoice.InvoiceIssued)
class InvoiceIssued(PublicEvent):
    """An invoice is issued, and never changes; it is due in full."""

    invoice_id: Annotated[UUID, Own]
    billing_profile_id: UUID
    number: str
    reason: Annotated[str, words(InvoiceReason)]
    issued_on: date
    due_on: date
    bill_to: BillTo
    currency: str
    currency_exponent: int
    lines: tuple[InvoiceLine, ...]
    tax_rate: TaxRate
    net_minor: int
    tax_minor: int
    total_minor: int
    state: State


@public("seatledger.invoice.credit_balance_applied.v1", of=Invoice.CreditBalanceApplied)
class CreditBalanceApplied(PublicEvent):
    """The credit balance of the profile pays a part of the invoice."""

    invoice_id: Annotated[UUID, Own]
    billing_profile_id: UUID
    amount_minor: int
    due_minor: int
    currency: str
    state: State


@public("seatledger.invoice.payment_received.v1", of=Invoice.PaymentReceived)
class PaymentReceived(PublicEvent):
    """A payment pays for the invoice."""

    invoice_id: Annotated[UUID, Own]
    billing_profile_id: UUID
    payment_id: UUID
    amount_minor: int
    due_minor: int
    currency: str
    state: State


@public("seatledger.invoice.collection_failed.v1", of=Invoice.CollectionFailed)
class CollectionFailed(PublicEvent):
    """The charge failed; it is made again on a day, or was the last attempt."""

    invoice_id: Annotated[UUID, Own]
    billing_profile_id: UUID
    payment_id: UUID
    attempted_on: date
    first_attempted_on: date
    retry_on: date | None
    due_minor: int
    currency: str
    state: State


@public("seatledger.invoice.collection_deferred.v1", of=Invoice.CollectionDeferred)
class CollectionDeferred(PublicEvent):
    """What is due is too small to be charged alone, and waits for the next charge."""

    invoice_id: Annotated[UUID, Own]
    billing_profile_id: UUID
    due_minor: int
    currency: str
    state: State


@public("seatledger.invoice.credit_note_issued.v1", of=Invoice.CreditNoteIssued)
class CreditNoteIssued(PublicEvent):
    """A credit note takes licenses back from lines of the invoice; less than zero due is owed to the payer."""

    invoice_id: Annotated[UUID, Own]
    billing_profile_id: UUID
    credit_note_id: UUID
    number: str
    invoice_number: str
    reason: Annotated[str, words(CreditReason)]
    issued_on: date
    lines: tuple[CreditLine, ...]
    tax_rate: TaxRate
    net_minor: int
    tax_minor: int
    total_minor: int
    due_minor: int
    currency: str
    state: State


@public("seatledger.invoice.refund_counted.v1", of=Invoice.RefundCounted)
class RefundCounted(PublicEvent):
    """A refund counts from its request."""

    invoice_id: Annotated[UUID, Own]
    billing_profile_id: UUID
    payment_id: UUID
    refund_id: UUID
    amount_minor: int
    due_minor: int
    currency: str


@public("seatledger.invoice.refund_reversed.v1", of=Invoice.RefundReversed)
class RefundReversed(PublicEvent):
    """A refund that had counted has failed."""

    invoice_id: Annotated[UUID, Own]
    billing_profile_id: UUID
    payment_id: UUID
    refund_id: UUID
    amount_minor: int
    due_minor: int
    currency: str


@public("seatledger.invoice.moved_to_credit_balance.v1", of=Invoice.MovedToCreditBalance)
class MovedToCreditBalance(PublicEvent):
    """What is owed to the payer is kept on the profile instead."""

    invoice_id: Annotated[UUID, Own]
    billing_profile_id: UUID
    amount_minor: int
    due_minor: int
    currency: str


@public("seatledger.invoice.payment_disputed.v1", of=Invoice.PaymentDisputed)
class PaymentDisputed(PublicEvent):
    """The payer's bank has taken an amount back: it is due again."""

    invoice_id: Annotated[UUID, Own]
    billing_profile_id: UUID
    payment_id: UUID
    dispute_id: DisputeId
    amount_minor: int
    due_minor: int
    currency: str
    state: State


@public("seatledger.invoice.dispute_closed.v1", of=Invoice.DisputeClosed)
class DisputeClosed(PublicEvent):
    """The payer's bank has decided on the dispute."""

    invoice_id: Annotated[UUID, Own]
    billing_profile_id: UUID
    payment_id: UUID
    dispute_id: DisputeId
    outcome: Annotated[str, words(Literal["won", "lost"])]
    amount_minor: int
    due_minor: int
    currency: str
    state: State


@public("seatledger.invoice.invoice_written_off.v1", of=Invoice.InvoiceWrittenOff)
class InvoiceWrittenOff(PublicEvent):
    """What is due is given up; it can still be paid."""

    invoice_id: Annotated[UUID, Own]
    billing_profile_id: UUID
    written_off_on: date
    due_minor: int
    currency: str
    state: State
