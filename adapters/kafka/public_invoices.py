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
    """Sent once for each invoice.

    What stands here never changes: credit notes amend it, payments settle it. It is due in full, `total_minor`.
    """

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
    """Sent when the credit balance of the profile pays a part of the invoice.

    `due_minor` counts it.
    """

    invoice_id: Annotated[UUID, Own]
    billing_profile_id: UUID
    amount_minor: int
    due_minor: int
    currency: str
    state: State


@public("seatledger.invoice.payment_received.v1", of=Invoice.PaymentReceived)
class PaymentReceived(PublicEvent):
    """Sent when a payment pays for the invoice.

    The amount is captured, and `due_minor` counts it.
    """

    invoice_id: Annotated[UUID, Own]
    billing_profile_id: UUID
    payment_id: UUID
    amount_minor: int
    due_minor: int
    currency: str
    state: State


@public("seatledger.invoice.collection_failed.v1", of=Invoice.CollectionFailed)
class CollectionFailed(PublicEvent):
    """Sent for each charge of the invoice that failed.

    It is made again on `retry_on`, or was the last attempt.
    """

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
    """Sent when what is left is too small to be charged alone.

    It waits for the profile's next charge, and nobody is past due for it.
    """

    invoice_id: Annotated[UUID, Own]
    billing_profile_id: UUID
    due_minor: int
    currency: str
    state: State


@public("seatledger.invoice.credit_note_issued.v1", of=Invoice.CreditNoteIssued)
class CreditNoteIssued(PublicEvent):
    """Sent once for each credit note: licenses are taken back from lines of the invoice.

    What is due below zero is owed to the payer, and refunded or kept for them.
    """

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
    """Sent when a refund is requested: it counts from here on.

    `RefundReversed` takes it back if it fails.
    """

    invoice_id: Annotated[UUID, Own]
    billing_profile_id: UUID
    payment_id: UUID
    refund_id: UUID
    amount_minor: int
    due_minor: int
    currency: str


@public("seatledger.invoice.refund_reversed.v1", of=Invoice.RefundReversed)
class RefundReversed(PublicEvent):
    """Sent when a refund that had counted has failed.

    The amount is owed to the payer again.
    """

    invoice_id: Annotated[UUID, Own]
    billing_profile_id: UUID
    payment_id: UUID
    refund_id: UUID
    amount_minor: int
    due_minor: int
    currency: str


@public("seatledger.invoice.moved_to_credit_balance.v1", of=Invoice.MovedToCreditBalance)
class MovedToCreditBalance(PublicEvent):
    """Sent when what is owed to the payer is kept on the profile.

    The invoice owes it no more.
    """

    invoice_id: Annotated[UUID, Own]
    billing_profile_id: UUID
    amount_minor: int
    due_minor: int
    currency: str


@public("seatledger.invoice.payment_disputed.v1", of=Invoice.PaymentDisputed)
class PaymentDisputed(PublicEvent):
    """Sent when the payer's bank takes an amount back, for now.

    It is due again, and nobody loses access for it before the bank has decided.
    """

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
    """Sent once for each dispute, when the payer's bank has decided.

    Won, the amount counts as paid again; lost, it stays due and is not charged again by itself.
    """

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
    """Sent when what is due is given up.

    It can still be paid.
    """

    invoice_id: Annotated[UUID, Own]
    billing_profile_id: UUID
    written_off_on: date
    due_minor: int
    currency: str
    state: State
