"""Payment: money that is to move, told before it moves; its attempts, refunds and disputes."""

from typing import Any, ClassVar, Literal
from uuid import UUID

from eventsourcing.domain import event
from pydantic import AwareDatetime, Field

from domain.calendar import Period
from domain.kernel import Aggregate, AggregateBorn, Value
from domain.offer import PriceFacts
from domain.proration import RULES
from domain.subscription import Channel
from domain.tax import TaxRate

PaymentState = Literal["requested", "unknown", "action_required", "authorized", "captured", "declined", "released"]
OPEN: frozenset[PaymentState] = frozenset({"requested", "unknown", "action_required", "authorized"})
FAILED: frozenset[PaymentState] = frozenset({"declined", "released"})
ReleaseReason = Literal["refused", "replaced", "abandoned"]


class Allocation(Value):
    """The part of a payment that is for one invoice."""

    invoice_id: UUID
    amount_minor: int = Field(gt=0)


class Priced(Value):
    """What the amount rests on: it is explained from here alone, also where no invoice ever came of it."""

    price: PriceFacts
    period: Period  # the days that are charged
    cycle_days: int = Field(ge=1)
    tax_rate: TaxRate

    def total_minor(self, licenses: int) -> int:
        """What so many licenses come to, tax included: what was agreed to when the intent was recorded."""
        net = RULES[self.price.rule].amount(
            unit_price_minor=self.price.unit_price_minor,
            quantity=licenses,
            days=self.period.days,
            cycle_days=self.cycle_days,
        )
        return net + self.tax_rate.on(net)


class PurchaseIntent(Priced):
    """What is bought once the amount is held."""

    kind: Literal["purchase"] = "purchase"
    subscription_id: UUID
    offer_id: UUID
    licenses: int
    channel: Channel
    purchaser_id: UUID
    replaces_id: UUID | None = None  # the subscription that is reactivated


class IncreaseIntent(Priced):
    """The licenses that are added once the amount is held."""

    kind: Literal["increase"] = "increase"
    subscription_id: UUID
    total: int
    total_before: int


Intent = PurchaseIntent | IncreaseIntent


class Refund(Value):
    """Money on its way back."""

    invoice_id: UUID
    amount_minor: int
    state: Literal["requested", "succeeded", "failed"]


class Dispute(Value):
    """An amount that the payer's bank has taken back, for now or for good."""

    invoice_id: UUID
    amount_minor: int
    state: Literal["open", "won", "lost"]


class Payment(Aggregate):
    """One amount from one card, for one or more invoices. It is tried again until it is captured, and captured once."""

    TOPIC: ClassVar[str] = "seatledger.Payment"

    class PaymentRequested(Aggregate.Event, AggregateBorn):
        TOPIC: ClassVar[str] = "seatledger.Payment.PaymentRequested"
        billing_profile_id: UUID
        payment_method_id: UUID
        amount_minor: int
        currency: str
        allocation: tuple[Allocation, ...]  # oldest invoice first
        intent: Intent | None  # none: what is paid for stands on issued invoices
        on_session: bool  # somebody is there to confirm it
        requested_at: AwareDatetime

    class PaymentTriedAgain(Aggregate.Event):
        TOPIC: ClassVar[str] = "seatledger.Payment.PaymentTriedAgain"
        billing_profile_id: UUID
        attempt: int  # 2, 3, …
        payment_method_id: UUID
        amount_minor: int
        currency: str
        allocation: tuple[Allocation, ...]
        intent: Intent | None
        on_session: bool
        requested_at: AwareDatetime

    class PaymentAuthorized(Aggregate.Event):
        TOPIC: ClassVar[str] = "seatledger.Payment.PaymentAuthorized"
        billing_profile_id: UUID
        attempt: int
        amount_minor: int
        currency: str
        reference: str  # the provider's

    class PaymentCaptured(Aggregate.Event):
        TOPIC: ClassVar[str] = "seatledger.Payment.PaymentCaptured"
        billing_profile_id: UUID
        payment_method_id: UUID
        attempt: int
        amount_minor: int
        currency: str
        allocation: tuple[Allocation, ...]
        reference: str

    class PaymentDeclined(Aggregate.Event):
        TOPIC: ClassVar[str] = "seatledger.Payment.PaymentDeclined"
        billing_profile_id: UUID
        payment_method_id: UUID
        attempt: int
        amount_minor: int
        currency: str
        code: str  # the provider's word

    class PaymentActionRequired(Aggregate.Event):
        TOPIC: ClassVar[str] = "seatledger.Payment.PaymentActionRequired"
        billing_profile_id: UUID
        attempt: int
        amount_minor: int
        currency: str
        reference: str

    class PaymentOutcomeUnknown(Aggregate.Event):
        TOPIC: ClassVar[str] = "seatledger.Payment.PaymentOutcomeUnknown"
        billing_profile_id: UUID
        attempt: int
        amount_minor: int
        currency: str

    class AuthorizationReleased(Aggregate.Event):
        TOPIC: ClassVar[str] = "seatledger.Payment.AuthorizationReleased"
        billing_profile_id: UUID
        attempt: int
        amount_minor: int
        currency: str
        reason: ReleaseReason

    class RefundRequested(Aggregate.Event):
        TOPIC: ClassVar[str] = "seatledger.Payment.RefundRequested"
        billing_profile_id: UUID
        refund_id: UUID
        invoice_id: UUID
        amount_minor: int
        currency: str

    class RefundSucceeded(Aggregate.Event):
        TOPIC: ClassVar[str] = "seatledger.Payment.RefundSucceeded"
        billing_profile_id: UUID
        refund_id: UUID
        invoice_id: UUID
        amount_minor: int
        currency: str

    class RefundFailed(Aggregate.Event):
        TOPIC: ClassVar[str] = "seatledger.Payment.RefundFailed"
        billing_profile_id: UUID
        refund_id: UUID
        invoice_id: UUID
        amount_minor: int
        currency: str
        code: str

    class PaymentDisputed(Aggregate.Event):
        TOPIC: ClassVar[str] = "seatledger.Payment.PaymentDisputed"
        billing_profile_id: UUID
        dispute_id: str
        invoice_id: UUID
        amount_minor: int
        currency: str

    class DisputeClosed(Aggregate.Event):
        TOPIC: ClassVar[str] = "seatledger.Payment.DisputeClosed"
        billing_profile_id: UUID
        dispute_id: str
        invoice_id: UUID
        amount_minor: int
        currency: str
        outcome: Literal["won", "lost"]

    class State(Aggregate.State):
        billing_profile_id: UUID
        payment_method_id: UUID
        attempt: int
        amount_minor: int
        currency: str
        allocation: tuple[Allocation, ...]
        intent: Intent | None
        on_session: bool
        requested_at: AwareDatetime
        reference: str | None
        status: PaymentState
        declined_because: str | None
        refunds: dict[UUID, Refund]
        disputes: dict[str, Dispute]

    @classmethod
    def request(
        cls,
        *,
        id: UUID,  # noqa: A002 - the library's word
        billing_profile_id: UUID,
        **facts: Any,
    ) -> "Payment":
        """The intent: recorded before the provider hears of it."""
        return cls.born(cls.PaymentRequested, id=id, billing_profile_id=billing_profile_id, **facts)

    # What may be asked.

    @property
    def is_open(self) -> bool:
        """Its outcome is not yet known, or something is held."""
        return self.status in OPEN

    @property
    def captured_minor(self) -> int:
        return self.amount_minor if self.status == "captured" else 0

    @property
    def refundable_minor(self) -> int:
        """What was captured, less refunds under way or done and less what is or was lost in disputes."""
        given_back = sum(refund.amount_minor for refund in self.refunds.values() if refund.state != "failed")
        disputed = sum(dispute.amount_minor for dispute in self.disputes.values() if dispute.state != "won")
        return self.captured_minor - given_back - disputed

    @property
    def open_refunds(self) -> dict[UUID, Refund]:
        return {refund_id: refund for refund_id, refund in self.refunds.items() if refund.state == "requested"}

    # Commands decide. Repeating one tells nothing.

    def try_again(self, **facts: Any) -> None:
        """The next attempt, perhaps for another amount and with another card; only when the last one has failed."""
        if self.status in FAILED:
            attempt = self.attempt + 1
            self.tell(self.PaymentTriedAgain, billing_profile_id=self.billing_profile_id, attempt=attempt, **facts)

    def authorize(self, reference: str) -> None:
        if self.status in {"requested", "unknown", "action_required"}:
            self.tell(self.PaymentAuthorized, reference=reference, **self._amount())

    def capture(self, reference: str) -> None:
        if self.is_open:
            self.tell(
                self.PaymentCaptured,
                payment_method_id=self.payment_method_id,
                allocation=self.allocation,
                reference=reference,
                **self._amount(),
            )

    def decline(self, code: str) -> None:
        if self.is_open:
            self.tell(self.PaymentDeclined, code=code, payment_method_id=self.payment_method_id, **self._amount())

    def require_action(self, reference: str) -> None:
        if self.status in {"requested", "unknown"}:
            self.tell(self.PaymentActionRequired, reference=reference, **self._amount())

    def lose_sight(self) -> None:
        """The provider did not answer."""
        if self.status == "requested":
            self.tell(self.PaymentOutcomeUnknown, **self._amount())

    def release(self, reason: ReleaseReason) -> None:
        """Nothing is held any more, and nothing was taken."""
        if self.is_open:
            self.tell(self.AuthorizationReleased, reason=reason, **self._amount())

    def request_refund(self, refund_id: UUID, *, invoice_id: UUID, amount_minor: int) -> None:
        if refund_id not in self.refunds:
            self.tell(self.RefundRequested, **self._part(refund_id, invoice_id, amount_minor))

    def succeed_refund(self, refund_id: UUID) -> None:
        if refund_id in self.open_refunds:
            refund = self.refunds[refund_id]
            self.tell(self.RefundSucceeded, **self._part(refund_id, refund.invoice_id, refund.amount_minor))

    def fail_refund(self, refund_id: UUID, code: str) -> None:
        """Also of a refund that had seemed to succeed: banks send money back days later."""
        refund = self.refunds[refund_id]
        if refund.state != "failed":
            self.tell(self.RefundFailed, code=code, **self._part(refund_id, refund.invoice_id, refund.amount_minor))

    def dispute(self, dispute_id: str, *, invoice_id: UUID, amount_minor: int) -> None:
        if dispute_id not in self.disputes:
            self.tell(
                self.PaymentDisputed,
                billing_profile_id=self.billing_profile_id,
                dispute_id=dispute_id,
                invoice_id=invoice_id,
                amount_minor=amount_minor,
                currency=self.currency,
            )

    def close_dispute(self, dispute_id: str, outcome: Literal["won", "lost"]) -> None:
        dispute = self.disputes[dispute_id]
        if dispute.state == "open":
            self.tell(
                self.DisputeClosed,
                billing_profile_id=self.billing_profile_id,
                dispute_id=dispute_id,
                invoice_id=dispute.invoice_id,
                amount_minor=dispute.amount_minor,
                currency=self.currency,
                outcome=outcome,
            )

    def _amount(self) -> dict[str, Any]:
        return {
            "billing_profile_id": self.billing_profile_id,
            "attempt": self.attempt,
            "amount_minor": self.amount_minor,
            "currency": self.currency,
        }

    def _part(self, refund_id: UUID, invoice_id: UUID, amount_minor: int) -> dict[str, Any]:
        return {
            "billing_profile_id": self.billing_profile_id,
            "refund_id": refund_id,
            "invoice_id": invoice_id,
            "amount_minor": amount_minor,
            "currency": self.currency,
        }

    # Events apply. No rule below this line: history must always replay.

    @event(PaymentRequested)
    def __init__(
        self,
        *,
        billing_profile_id: UUID,
        payment_method_id: UUID,
        amount_minor: int,
        currency: str,
        allocation: tuple[Allocation, ...],
        intent: Intent | None,
        on_session: bool,
        requested_at: AwareDatetime,
    ) -> None:
        self.billing_profile_id = billing_profile_id
        self.payment_method_id = payment_method_id
        self.attempt = 1
        self.amount_minor = amount_minor
        self.currency = currency
        self.allocation = allocation
        self.intent = intent
        self.on_session = on_session
        self.requested_at = requested_at
        self.reference: str | None = None
        self.status: PaymentState = "requested"
        self.declined_because: str | None = None
        self.refunds: dict[UUID, Refund] = {}
        self.disputes: dict[str, Dispute] = {}

    @event(PaymentTriedAgain)
    def _tried_again(
        self,
        *,
        attempt: int,
        payment_method_id: UUID,
        amount_minor: int,
        allocation: tuple[Allocation, ...],
        intent: Intent | None,
        on_session: bool,
        requested_at: AwareDatetime,
    ) -> None:
        self.attempt = attempt
        self.payment_method_id = payment_method_id
        self.amount_minor = amount_minor
        self.allocation = allocation
        self.intent = intent
        self.on_session = on_session
        self.requested_at = requested_at
        self.reference = None
        self.status = "requested"
        self.declined_because = None

    @event(PaymentAuthorized)
    def _authorized(self, reference: str) -> None:
        self.reference = reference
        self.status = "authorized"

    @event(PaymentCaptured)
    def _captured(self, reference: str) -> None:
        self.reference = reference
        self.status = "captured"

    @event(PaymentDeclined)
    def _declined(self, code: str) -> None:
        self.status = "declined"
        self.declined_because = code

    @event(PaymentActionRequired)
    def _action_required(self, reference: str) -> None:
        self.reference = reference
        self.status = "action_required"

    @event(PaymentOutcomeUnknown)
    def _outcome_unknown(self) -> None:
        self.status = "unknown"

    @event(AuthorizationReleased)
    def _released(self) -> None:
        self.status = "released"

    @event(RefundRequested)
    def _refund_requested(self, refund_id: UUID, invoice_id: UUID, amount_minor: int) -> None:
        self.refunds[refund_id] = Refund(invoice_id=invoice_id, amount_minor=amount_minor, state="requested")

    @event(RefundSucceeded)
    def _refund_succeeded(self, refund_id: UUID) -> None:
        self.refunds[refund_id] = self.refunds[refund_id].model_copy(update={"state": "succeeded"})

    @event(RefundFailed)
    def _refund_failed(self, refund_id: UUID) -> None:
        self.refunds[refund_id] = self.refunds[refund_id].model_copy(update={"state": "failed"})

    @event(PaymentDisputed)
    def _disputed(self, dispute_id: str, invoice_id: UUID, amount_minor: int) -> None:
        self.disputes[dispute_id] = Dispute(invoice_id=invoice_id, amount_minor=amount_minor, state="open")

    @event(DisputeClosed)
    def _dispute_closed(self, dispute_id: str, outcome: Literal["won", "lost"]) -> None:
        self.disputes[dispute_id] = self.disputes[dispute_id].model_copy(update={"state": outcome})
