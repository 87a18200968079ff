"""Payments: which there are, and every movement of money that was recorded of them, by day."""

from collections.abc import Iterator
from datetime import date
from typing import Any, ClassVar, Literal, NamedTuple
from uuid import UUID

from domain.calendar import utc_date
from domain.envelope import RecordedEvent
from domain.kernel import AggregateEvent
from domain.payment import Payment
from projections.projection import Projection, Rows, Table, Touch

MovementKind = Literal["capture", "refund", "refund_reversal", "dispute", "dispute_reversal"]


class PaymentMade(NamedTuple):
    """A payment that was requested."""

    organization_id: UUID
    payment_id: UUID
    billing_profile_id: UUID
    requested_on: date


class Movement(NamedTuple):
    """Money that moved, as it is recorded here."""

    organization_id: UUID
    payment_id: UUID
    position: int
    kind: MovementKind
    attempt: int | None  # of a capture
    refund_id: UUID | None
    dispute_id: str | None
    amount_minor: int
    currency: str
    recorded_on: date  # by decision time: never before the provider's day


class RefundDone(NamedTuple):
    """A refund that has reached the payer: should it come back, that is a movement too."""

    organization_id: UUID
    refund_id: UUID


PAYMENTS: Table[PaymentMade] = Table(
    name="payments", row=PaymentMade, key=("organization_id", "payment_id"), indexes=(("payment_id",),)
)
MOVEMENTS: Table[Movement] = Table(
    name="payment_movements",
    row=Movement,
    key=("organization_id", "payment_id", "position"),
    indexes=(("recorded_on", "organization_id"),),
)
REFUNDS_DONE: Table[RefundDone] = Table(name="refunds_done", row=RefundDone, key=("organization_id", "refund_id"))


class Payments(Projection):
    """A row for each payment and for each movement."""

    name = "payments"
    version = 1
    tables = (PAYMENTS, MOVEMENTS, REFUNDS_DONE)
    topics: ClassVar[tuple[type[AggregateEvent], ...]] = (
        Payment.PaymentRequested,
        Payment.PaymentCaptured,
        Payment.RefundSucceeded,
        Payment.RefundFailed,
        Payment.PaymentDisputed,
        Payment.DisputeClosed,
    )

    def touched(self, recorded: RecordedEvent, event: Any) -> Iterator[Touch]:
        if isinstance(event, Payment.RefundSucceeded | Payment.RefundFailed):
            yield REFUNDS_DONE, (recorded.organization_id, event.refund_id)

    def fold(self, rows: Rows, recorded: RecordedEvent, event: Any) -> None:
        organization_id = recorded.organization_id
        match event:
            case Payment.PaymentRequested():
                facts = (event.billing_profile_id, utc_date(event.requested_at))
                rows.put(PAYMENTS, PaymentMade(organization_id, event.originator_id, *facts))
            case Payment.PaymentCaptured():
                rows.put(MOVEMENTS, moved(recorded, event, "capture"))
            case Payment.RefundSucceeded():
                rows.put(MOVEMENTS, moved(recorded, event, "refund"))
                rows.put(REFUNDS_DONE, RefundDone(organization_id, event.refund_id))
            case Payment.RefundFailed():
                if rows.get(REFUNDS_DONE, (organization_id, event.refund_id)):
                    rows.put(MOVEMENTS, moved(recorded, event, "refund_reversal"))
            case Payment.PaymentDisputed():
                rows.put(MOVEMENTS, moved(recorded, event, "dispute"))
            case Payment.DisputeClosed():
                if event.outcome == "won":
                    rows.put(MOVEMENTS, moved(recorded, event, "dispute_reversal"))
            case _:
                raise TypeError(f"payments do not fold {type(event).__name__}")


def moved(recorded: RecordedEvent, event: Any, kind: MovementKind) -> Movement:
    return Movement(
        organization_id=recorded.organization_id,
        payment_id=event.originator_id,
        position=recorded.position,
        kind=kind,
        attempt=getattr(event, "attempt", None),
        refund_id=getattr(event, "refund_id", None),
        dispute_id=getattr(event, "dispute_id", None),
        amount_minor=event.amount_minor,
        currency=event.currency,
        recorded_on=utc_date(recorded.envelope.occurred_at),
    )
