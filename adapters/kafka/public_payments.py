"""What others may know of payments: amounts, for which invoices, and what became of them.

Why a card was declined stays inside, and so does everything by which the provider knows a payment.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from adapters.kafka.public_values import Allocation, DisputeId, Own, PublicEvent, public, words
from domain.payment import Payment, ReleaseReason


@public("seatledger.payment.payment_requested.v1", of=Payment.PaymentRequested)
class PaymentRequested(PublicEvent):
    """An amount is to be charged; the provider has not heard of it yet."""

    payment_id: Annotated[UUID, Own]
    billing_profile_id: UUID
    payment_method_id: UUID
    amount_minor: int
    currency: str
    allocation: tuple[Allocation, ...]
    requested_at: datetime


@public("seatledger.payment.payment_tried_again.v1", of=Payment.PaymentTriedAgain)
class PaymentTriedAgain(PublicEvent):
    """The next attempt, perhaps for another amount and with another payment method."""

    payment_id: Annotated[UUID, Own]
    billing_profile_id: UUID
    payment_method_id: UUID
    attempt: int
    amount_minor: int
    currency: str
    allocation: tuple[Allocation, ...]
    requested_at: datetime


@public("seatledger.payment.payment_authorized.v1", of=Payment.PaymentAuthorized)
class PaymentAuthorized(PublicEvent):
    """The amount is held, and not taken yet."""

    payment_id: Annotated[UUID, Own]
    billing_profile_id: UUID
    attempt: int
    amount_minor: int
    currency: str


@public("seatledger.payment.payment_captured.v1", of=Payment.PaymentCaptured)
class PaymentCaptured(PublicEvent):
    """The amount is taken: it pays for these invoices."""

    payment_id: Annotated[UUID, Own]
    billing_profile_id: UUID
    payment_method_id: UUID
    attempt: int
    amount_minor: int
    currency: str
    allocation: tuple[Allocation, ...]


@public("seatledger.payment.payment_declined.v1", of=Payment.PaymentDeclined)
class PaymentDeclined(PublicEvent):
    """The attempt has failed; nothing is held or taken."""

    payment_id: Annotated[UUID, Own]
    billing_profile_id: UUID
    payment_method_id: UUID
    attempt: int
    amount_minor: int
    currency: str


@public("seatledger.payment.payment_action_required.v1", of=Payment.PaymentActionRequired)
class PaymentActionRequired(PublicEvent):
    """The payer has to confirm the payment."""

    payment_id: Annotated[UUID, Own]
    billing_profile_id: UUID
    attempt: int
    amount_minor: int
    currency: str


@public("seatledger.payment.payment_outcome_unknown.v1", of=Payment.PaymentOutcomeUnknown)
class PaymentOutcomeUnknown(PublicEvent):
    """The provider did not answer: whether anything is held or taken is told later."""

    payment_id: Annotated[UUID, Own]
    billing_profile_id: UUID
    attempt: int
    amount_minor: int
    currency: str


@public("seatledger.payment.authorization_released.v1", of=Payment.AuthorizationReleased)
class AuthorizationReleased(PublicEvent):
    """Nothing is held any more, and nothing was taken."""

    payment_id: Annotated[UUID, Own]
    billing_profile_id: UUID
    attempt: int
    amount_minor: int
    currency: str
    reason: Annotated[str, words(ReleaseReason)]


@public("seatledger.payment.refund_requested.v1", of=Payment.RefundRequested)
class RefundRequested(PublicEvent):
    """A part of the payment is on its way back."""

    payment_id: Annotated[UUID, Own]
    billing_profile_id: UUID
    refund_id: UUID
    invoice_id: UUID
    amount_minor: int
    currency: str


@public("seatledger.payment.refund_succeeded.v1", of=Payment.RefundSucceeded)
class RefundSucceeded(PublicEvent):
    """The refund has arrived."""

    payment_id: Annotated[UUID, Own]
    billing_profile_id: UUID
    refund_id: UUID
    invoice_id: UUID
    amount_minor: int
    currency: str


@public("seatledger.payment.refund_failed.v1", of=Payment.RefundFailed)
class RefundFailed(PublicEvent):
    """The refund has come back, perhaps days after it had seemed to arrive."""

    payment_id: Annotated[UUID, Own]
    billing_profile_id: UUID
    refund_id: UUID
    invoice_id: UUID
    amount_minor: int
    currency: str


@public("seatledger.payment.payment_disputed.v1", of=Payment.PaymentDisputed)
class PaymentDisputed(PublicEvent):
    """The payer's bank has taken an amount back, for now."""

    payment_id: Annotated[UUID, Own]
    billing_profile_id: UUID
    dispute_id: DisputeId
    invoice_id: UUID
    amount_minor: int
    currency: str


@public("seatledger.payment.dispute_closed.v1", of=Payment.DisputeClosed)
class DisputeClosed(PublicEvent):
    """The payer's bank has decided on the dispute."""

    payment_id: Annotated[UUID, Own]
    billing_profile_id: UUID
    dispute_id: DisputeId
    invoice_id: UUID
    amount_minor: int
    currency: str
    outcome: Annotated[str, words(Literal["won", "lost"])]
