"""Due work: what may fall due, for whom, and from which day on. It proposes; the aggregates decide.

It may propose too much, and never misses anything: each row stands from the earliest day on which its subject could
ask for something. A purchaser who has left is found by joining DUE_SUBSCRIPTIONS with the leavers.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any, ClassVar, Literal, NamedTuple
from uuid import UUID, uuid5

from domain.calendar import utc_date
from domain.envelope import RecordedEvent
from domain.invoice import RETRY_DAYS, Invoice, InvoiceState
from domain.kernel import AggregateEvent
from domain.license_pool import LicensePool
from domain.member import Member
from domain.payment import Payment
from domain.subscription import Subscription
from projections.due_subscriptions import DUE_SUBSCRIPTIONS, WITH_ACCESS, changed, due_on, purchased
from projections.projection import Key, Projection, Rows, Table, Touch

# subscription: a cycle or term ends, or the next step towards deletion comes. invoice: it is tried again, or its grace
# ends. payment, refund, dispute: the provider is asked what has become of it. release_licenses: a removed member may
# still hold licenses; the query leaves out those who hold none.
Kind = Literal["subscription", "invoice", "payment", "refund", "dispute", "release_licenses"]


class DueWorkRow(NamedTuple):
    """One subject that may ask for something, from a day on."""

    organization_id: UUID
    kind: Kind
    subject_id: UUID  # for release_licenses a member; of a dispute, an id made of the provider's
    due_on: date
    position: int  # of the event that made it due
    billing_profile_id: UUID | None  # none: release_licenses
    payment_id: UUID | None  # that waits for an end


class Leaver(NamedTuple):
    """A member who was removed: what they bought and nobody has taken over is due at once, for it does not renew."""

    organization_id: UUID
    member_id: UUID
    position: int


class FailedCollection(NamedTuple):
    """What decides when an invoice that could not be charged is due next."""

    organization_id: UUID
    invoice_id: UUID
    billing_profile_id: UUID
    state: InvoiceState
    retry_on: date | None
    grace_ends_on: date


DUE_WORK: Table[DueWorkRow] = Table(
    name="due_work",
    row=DueWorkRow,
    key=("organization_id", "kind", "subject_id"),
    indexes=(
        ("due_on", "organization_id", "kind", "subject_id"),
        ("organization_id", "billing_profile_id", "due_on", "payment_id"),
    ),
)
LEAVERS: Table[Leaver] = Table(name="due_leavers", row=Leaver, key=("organization_id", "member_id"))
FAILED_COLLECTIONS: Table[FailedCollection] = Table(
    name="failed_collections", row=FailedCollection, key=("organization_id", "invoice_id")
)


class DueWork(Projection):
    """A row for each subject that will be due, until it is settled."""

    name = "due_work"
    version = 2
    tables = (DUE_WORK, DUE_SUBSCRIPTIONS, FAILED_COLLECTIONS, LEAVERS)
    topics: ClassVar[tuple[type[AggregateEvent], ...]] = (
        Subscription.SubscriptionPurchased,
        Subscription.RecurringBillingTurnedOff,
        Subscription.RecurringBillingTurnedOn,
        Subscription.SubscriptionCancelled,
        Subscription.SubscriptionRenewed,
        Subscription.ChargeFailed,
        Subscription.ChargeRecovered,
        Subscription.SubscriptionExpired,
        Subscription.SubscriptionDisabled,
        Subscription.SubscriptionDeleted,
        Subscription.SubscriptionAdopted,
        LicensePool.LicensePoolOpened,
        LicensePool.LicensesResized,
        LicensePool.LicensesCharged,
        LicensePool.LicenseUnassigned,
        LicensePool.LicensePoolClosed,
        Invoice.CollectionFailed,
        Invoice.PaymentReceived,
        Invoice.CreditBalanceApplied,
        Invoice.CollectionDeferred,
        Invoice.CreditNoteIssued,
        Invoice.PaymentDisputed,
        Invoice.DisputeClosed,
        Invoice.InvoiceWrittenOff,
        Payment.PaymentRequested,
        Payment.PaymentTriedAgain,
        Payment.PaymentCaptured,
        Payment.PaymentDeclined,
        Payment.AuthorizationReleased,
        Payment.RefundRequested,
        Payment.RefundSucceeded,
        Payment.RefundFailed,
        Payment.PaymentDisputed,
        Payment.DisputeClosed,
        Member.MemberRemoved,
        Member.MemberRestored,
    )

    def touched(self, recorded: RecordedEvent, event: Any) -> Iterator[Touch]:
        yield DUE_WORK, key_of(recorded, event)
        match event:
            case Subscription.SubscriptionPurchased():
                pass
            case Subscription.Event() | LicensePool.Event():
                yield DUE_SUBSCRIPTIONS, (recorded.organization_id, subject_of(event))
            case Invoice.Event():
                yield FAILED_COLLECTIONS, (recorded.organization_id, event.originator_id)
            case Member.Event():
                yield LEAVERS, (recorded.organization_id, event.originator_id)
            case _:
                pass

    def fold(self, rows: Rows, recorded: RecordedEvent, event: Any) -> None:
        match event:
            case Subscription.Event() | LicensePool.Event():
                fold_subscription(rows, recorded, event)
            case Invoice.Event():
                fold_invoice(rows, recorded, event)
            case Payment.Event():
                fold_payment(rows, recorded, event)
            case Member.MemberRemoved():
                on = utc_date(recorded.envelope.effective_at)
                rows.put(DUE_WORK, DueWorkRow(*key_of(recorded, event), on, recorded.position, None, None))
                rows.put(LEAVERS, Leaver(recorded.organization_id, event.originator_id, recorded.position))
            case _:
                rows.delete(DUE_WORK, key_of(recorded, event))
                rows.delete(LEAVERS, (recorded.organization_id, event.originator_id))


KINDS: dict[str, Kind] = {
    Subscription.TOPIC: "subscription",
    LicensePool.TOPIC: "subscription",
    Invoice.TOPIC: "invoice",
    Payment.TOPIC: "payment",
    Member.TOPIC: "release_licenses",
}


def kind_of(recorded: RecordedEvent, event: Any) -> Kind:
    match event:
        case Payment.RefundRequested() | Payment.RefundSucceeded() | Payment.RefundFailed():
            return "refund"
        case Payment.PaymentDisputed() | Payment.DisputeClosed():
            return "dispute"
        case _:
            return KINDS[recorded.topic.rpartition(".")[0]]


def subject_of(event: Any) -> UUID:
    """What an event may make due: a pool's event its subscription."""
    match event:
        case LicensePool.Event():
            return event.subscription_id  # type: ignore[attr-defined,no-any-return]
        case Payment.RefundRequested() | Payment.RefundSucceeded() | Payment.RefundFailed():
            return event.refund_id
        case Payment.PaymentDisputed() | Payment.DisputeClosed():
            return uuid5(event.originator_id, event.dispute_id)
        case _:
            return event.originator_id  # type: ignore[no-any-return]


def key_of(recorded: RecordedEvent, event: Any) -> tuple[UUID, Kind, UUID]:
    """The row that an event makes due or settles."""
    return recorded.organization_id, kind_of(recorded, event), subject_of(event)


def fold_subscription(rows: Rows, recorded: RecordedEvent, event: Any) -> None:
    key: Key = (recorded.organization_id, subject_of(event))
    if isinstance(event, Subscription.SubscriptionPurchased):
        rows.put(DUE_SUBSCRIPTIONS, purchased(recorded, event))
    elif isinstance(event, Subscription.SubscriptionDeleted):
        rows.delete(DUE_SUBSCRIPTIONS, key)
        rows.delete(DUE_WORK, key_of(recorded, event))
    else:
        rows.change(DUE_SUBSCRIPTIONS, key, **changed(event))
    if standing := rows.get(DUE_SUBSCRIPTIONS, key):
        renews = standing.life in WITH_ACCESS and standing.recurring_billing
        rows.change(DUE_SUBSCRIPTIONS, key, renews=renews)
        if on := due_on(standing):
            profile_id = standing.billing_profile_id
            rows.put(DUE_WORK, DueWorkRow(*key_of(recorded, event), on, recorded.position, profile_id, None))
        else:
            rows.delete(DUE_WORK, key_of(recorded, event))


# Invoices and payments.


def fold_invoice(rows: Rows, recorded: RecordedEvent, event: Any) -> None:
    key: Key = (recorded.organization_id, event.originator_id)
    match event:
        case Invoice.CollectionFailed():
            grace_ends_on = event.first_attempted_on + timedelta(days=RETRY_DAYS[-1])
            facts = (event.billing_profile_id, event.state, event.retry_on, grace_ends_on)
            rows.put(FAILED_COLLECTIONS, FailedCollection(recorded.organization_id, event.originator_id, *facts))
        case Invoice.PaymentReceived() | Invoice.CollectionDeferred():
            rows.delete(FAILED_COLLECTIONS, key)  # its attempts count from the first again
        case Invoice.InvoiceWrittenOff():
            rows.change(FAILED_COLLECTIONS, key, state=event.state, retry_on=None)
        case _:
            rows.change(FAILED_COLLECTIONS, key, state=event.state)
    if (failed := rows.get(FAILED_COLLECTIONS, key)) and failed.state == "past_due":
        on, profile_id = failed.retry_on or failed.grace_ends_on, failed.billing_profile_id
        rows.put(DUE_WORK, DueWorkRow(*key_of(recorded, event), on, recorded.position, profile_id, None))
    else:
        rows.delete(DUE_WORK, key_of(recorded, event))


def fold_payment(rows: Rows, recorded: RecordedEvent, event: Any) -> None:
    on = utc_date(recorded.envelope.effective_at)
    match event:
        case (
            Payment.PaymentRequested()
            | Payment.PaymentTriedAgain()
            | Payment.RefundRequested()
            | Payment.PaymentDisputed()
        ):
            facts = (recorded.position, event.billing_profile_id, event.originator_id)
            rows.put(DUE_WORK, DueWorkRow(*key_of(recorded, event), on, *facts))
        case _:
            rows.delete(DUE_WORK, key_of(recorded, event))
