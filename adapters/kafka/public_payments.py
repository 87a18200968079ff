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
    """Sent once for each payment, when an amount is to be charged; the provider has not heard of it yet.

    What became of it, later events say.
    """

    payment_id: Annotated[UUID, Own]
    billing_profile_id: UUID
    payment_method_id: UUID
    amount_minor: int
    currency: str
    allocation: tuple[Allocation, ...]
    requested_at: datetime


@public("seatledger.payment.payment_tried_again.v1", of=Payment.PaymentTriedAgain)
class PaymentTriedAgain(PublicEvent):
    """Sent for each attempt after the first.

    It may be for another amount and with another payment method; only a failed attempt is followed by another.
    """

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
    """Sent when the provider holds the amount.

    Nothing is taken yet: it is captured or released.
    """

    payment_id: Annotated[UUID, Own]
    billing_profile_id: UUID
    attempt: int
    amount_minor: int
    currency: str


@public("seatledger.payment.payment_captured.v1", of=Payment.PaymentCaptured)
class PaymentCaptured(PublicEvent):
    """Sent once at most for each payment, when the amount is taken.

    It pays for the invoices that are named.
    """

    payment_id: Annotated[UUID, Own]
    billing_profile_id: UUID
    payment_method_id: UUID
    attempt: int
    amount_minor: int
    currency: str
    allocation: tuple[Allocation, ...]


@public("seatledger.payment.payment_declined.v1", of=Payment.PaymentDeclined)
class PaymentDeclined(PublicEvent):
    """Sent for each attempt that has failed.

    Nothing is held or taken.
    """

    payment_id: Annotated[UUID, Own]
    billing_profile_id: UUID
    payment_method_id: UUID
    attempt: int
    amount_minor: int
    currency: str


@public("seatledger.payment.payment_action_required.v1", of=Payment.PaymentActionRequired)
class PaymentActionRequired(PublicEvent):
    """Sent when the payer has to confirm the payment.

    Nothing is held or taken before they do.
    """

    payment_id: Annotated[UUID, Own]
    billing_profile_id: UUID
    attempt: int
    amount_minor: int
    currency: str


@public("seatledger.payment.payment_outcome_unknown.v1", of=Payment.PaymentOutcomeUnknown)
class PaymentOutcomeUnknown(PublicEvent):
    """Sent when the provider does not answer.

    Whether anything is held or taken, a later event says.
    """

    payment_id: Annotated[UUID, Own]
    billing_profile_id: UUID
    attempt: int
    amount_minor: int
    currency: str


@public("seatledger.payment.authorization_released.v1", of=Payment.AuthorizationReleased)
class AuthorizationReleased(PublicEvent):
    """Sent when a payment is let go of.

    Nothing is held any more, and nothing was taken.
    """

    payment_id: Annotated[UUID, Own]
    billing_profile_id: UUID
    attempt: int
    amount_minor: int
    currency: str
    reason: Annotated[str, words(ReleaseReason)]


@public("seatledger.payment.refund_requested.v1", of=Payment.RefundRequested)
class RefundRequested(PublicEvent):
    """Sent once for each refund, when a part of the payment is on its way back."""

    payment_id: Annotated[UUID, Own]
    billing_profile_id: UUID
    refund_id: UUID
    invoice_id: UUID
    amount_minor: int
    currency: str


@public("seatledger.payment.refund_succeeded.v1", of=Payment.RefundSucceeded)
class RefundSucceeded(PublicEvent):
    """Sent when the provider says that the refund has arrived.

    `RefundFailed` may still follow, days later.
    """

    payment_id: Annotated[UUID, Own]
    billing_profile_id: UUID
    refund_id: UUID
    invoice_id: UUID
    amount_minor: int
    currency: str


@public("seatledger.payment.refund_failed.v1", of=Payment.RefundFailed)
class RefundFailed(PublicEvent):
    """Sent when the refund has come back, perhaps days after it had seemed to arrive.

    The amount is kept for the payer.
    """

    payment_id: Annotated[UUID, Own]
    billing_profile_id: UUID
    refund_id: UUID
    invoice_id: UUID
    amount_minor: int
    currency: str


@public("seatledger.payment.payment_disputed.v1", of=Payment.PaymentDisputed)
class PaymentDisputed(PublicEvent):
    """Sent when the payer's bank takes an amount back, for now.

    The money is away until the bank has decided.
    """

    payment_id: Annotated[UUID, Own]
    billing_profile_id: UUID
    dispute_id: DisputeId
    invoice_id: UUID
    amount_minor: int
    currency: str


@public("seatledger.payment.dispute_closed.v1", of=Payment.DisputeClosed)
class DisputeClosed(PublicEvent):
    """Sent once for each dispute, when the payer's bank has decided on it."""

    payment_id: Annotated[UUID, Own]
    billing_profile_id: UUID
    dispute_id: DisputeId
    invoice_id: UUID
    amount_minor: int
    currency: str
    outcome: Annotated[str, words(Literal["won", "lost"])]
