"""Purchases: what was bought, by whom, until when, at what price, and how many of its licenses are given away."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any, ClassVar, NamedTuple
from uuid import UUID

from domain.calendar import BillingPlan, Term
from domain.envelope import RecordedEvent
from domain.kernel import AggregateEvent
from domain.license_pool import LicensePool
from domain.member import Member
from domain.subscription import CancelReason, Channel, LifeState, Subscription
from projections.projection import Projection, Rows, Table, Touch


class Purchase(NamedTuple):
    """A subscription as those who pay for it see it."""

    organization_id: UUID
    subscription_id: UUID
    pool_id: UUID
    purchaser_id: UUID
    channel: Channel
    product_id: str
    product_name: str  # as it was bought
    offer_id: UUID
    state: LifeState
    purchased_at: datetime
    term_start: date
    term_end: date  # the first day after it
    ends_on: date  # the expiry date: the last day of the term, or of the cancellation
    recurring_billing: bool
    cancellation_scheduled: bool
    cancel_reason: CancelReason | None
    scheduled_total: int | None
    term: Term
    plan: BillingPlan
    currency: str
    currency_exponent: int
    unit_price_minor: int  # of one license per charge cycle of this term
    purchase_price_minor: int  # the licenses bought at first, at their price; before tax
    licenses_total: int
    licenses_assigned: int
    billing_profile_id: UUID | None
    replaces_id: UUID | None  # the subscription that this one reactivated
    replaced_by_id: UUID | None
    charged_until: date | None  # the first day that no charge covers
    last_position: int  # of the newest event that changed the row
    subscription_version: int
    pool_version: int


class RemovedMember(NamedTuple):
    """A member who has left: what they bought, and nobody has taken over, is ownerless."""

    organization_id: UUID
    member_id: UUID
    position: int


PURCHASES: Table[Purchase] = Table(
    name="purchases",
    row=Purchase,
    key=("organization_id", "subscription_id"),
    # All queries page by (organization_id, purchased_at, subscription_id); each filter has the same order behind it.
    indexes=(
        ("organization_id", "purchased_at", "subscription_id"),
        ("organization_id", "channel", "purchased_at", "subscription_id"),
        ("organization_id", "product_id", "purchased_at", "subscription_id"),
        ("organization_id", "purchaser_id", "purchased_at", "subscription_id"),
        ("organization_id", "state", "purchased_at", "subscription_id"),
        ("organization_id", "ends_on"),
    ),
)
REMOVED_MEMBERS: Table[RemovedMember] = Table(
    name="removed_members", row=RemovedMember, key=("organization_id", "member_id")
)


class Purchases(Projection):
    """A row for each subscription, for as long as history; and one for each member who has left."""

    name = "purchases"
    version = 3
    tables = (PURCHASES, REMOVED_MEMBERS)
    topics: ClassVar[tuple[type[AggregateEvent], ...]] = (
        Subscription.SubscriptionPurchased,
        Subscription.RecurringBillingTurnedOff,
        Subscription.RecurringBillingTurnedOn,
        Subscription.LicenseChangeScheduled,
        Subscription.LicenseChangeWithdrawn,
        Subscription.CancellationScheduled,
        Subscription.CancellationWithdrawn,
        Subscription.SubscriptionCancelled,
        Subscription.SubscriptionRenewed,
        Subscription.ChargeFailed,
        Subscription.ChargeRecovered,
        Subscription.SubscriptionExpired,
        Subscription.SubscriptionDisabled,
        Subscription.SubscriptionDeleted,
        Subscription.SubscriptionReactivated,
        Subscription.SubscriptionAdopted,
        LicensePool.LicensePoolOpened,
        LicensePool.LicensesResized,
        LicensePool.LicensesCharged,
        LicensePool.LicenseAssigned,
        LicensePool.LicenseUnassigned,
        LicensePool.LicensePoolClosed,
        Member.MemberRemoved,
        Member.MemberRestored,
    )

    def touched(self, recorded: RecordedEvent, event: Any) -> Iterator[Touch]:
        if isinstance(event, Member.Event):
            yield REMOVED_MEMBERS, (recorded.organization_id, event.originator_id)
        elif not isinstance(event, Subscription.SubscriptionPurchased):
            yield PURCHASES, key_of(recorded, event)

    def fold(self, rows: Rows, recorded: RecordedEvent, event: Any) -> None:
        match event:
            case Subscription.SubscriptionPurchased():
                rows.put(PURCHASES, purchased(recorded, event))
            case Member.MemberRemoved():
                member = RemovedMember(recorded.organization_id, event.originator_id, recorded.position)
                rows.put(REMOVED_MEMBERS, member)
            case Member.MemberRestored():
                rows.delete(REMOVED_MEMBERS, (recorded.organization_id, event.originator_id))
            case _:
                version = "pool_version" if isinstance(event, LicensePool.Event) else "subscription_version"
                seen: dict[str, Any] = {"last_position": recorded.position, version: recorded.originator_version}
                rows.change(PURCHASES, key_of(recorded, event), **seen, **changed(event))


def key_of(recorded: RecordedEvent, event: Any) -> tuple[UUID, UUID]:
    """The subscription that an event of it or of its pool is about."""
    return recorded.organization_id, getattr(event, "subscription_id", event.originator_id)


def purchased(recorded: RecordedEvent, event: Subscription.SubscriptionPurchased) -> Purchase:
    price = event.price
    return Purchase(
        organization_id=recorded.organization_id,
        subscription_id=event.originator_id,
        pool_id=event.pool_id,
        purchaser_id=event.purchaser_id,
        channel=event.channel,
        product_id=event.product.product_id,
        product_name=event.product.name,
        offer_id=event.offer_id,
        state="active",
        purchased_at=event.purchased_at,
        term_start=event.term.start,
        term_end=event.term.end,
        ends_on=event.term.ends_on,
        recurring_billing=event.recurring_billing,
        cancellation_scheduled=False,
        cancel_reason=None,
        scheduled_total=None,
        term=price.term,
        plan=price.plan,
        currency=price.currency,
        currency_exponent=price.currency_exponent,
        unit_price_minor=price.unit_price_minor,
        purchase_price_minor=event.licenses * price.unit_price_minor,
        licenses_total=event.licenses,
        licenses_assigned=0,
        billing_profile_id=event.billing_profile_id,
        replaces_id=event.replaces_id,
        replaced_by_id=None,
        charged_until=None,
        last_position=recorded.position,
        subscription_version=recorded.originator_version,
        pool_version=0,
    )


def changed(event: Any) -> dict[str, Any]:  # noqa: C901, PLR0911, PLR0912 - a table of events, one line each
    """The columns that an event sets."""
    match event:
        case LicensePool.LicenseAssigned() | LicensePool.LicenseUnassigned():
            return {"licenses_assigned": event.assigned}
        case LicensePool.LicensePoolOpened() | LicensePool.LicensesCharged():
            return {"charged_until": event.charge.cycle.end}
        case LicensePool.LicensesResized():
            charged = {"charged_until": event.charge.cycle.end} if event.charge else {}
            return {"licenses_total": event.total, "unit_price_minor": event.price.unit_price_minor, **charged}
        case LicensePool.LicensePoolClosed():
            return {"licenses_assigned": 0}
        case Subscription.LicenseChangeScheduled():
            return {"scheduled_total": event.total}
        case Subscription.LicenseChangeWithdrawn():
            return {"scheduled_total": None}
        case Subscription.RecurringBillingTurnedOff():
            return {"recurring_billing": False, "ends_on": event.ends_on}
        case Subscription.RecurringBillingTurnedOn():
            return {"recurring_billing": True}
        case Subscription.CancellationScheduled():
            return {"cancellation_scheduled": True, "cancel_reason": event.reason, "ends_on": event.ends_on}
        case Subscription.CancellationWithdrawn():
            return {"cancellation_scheduled": False, "cancel_reason": None}
        case Subscription.SubscriptionCancelled():
            return {
                "state": "disabled",
                "recurring_billing": False,
                "cancellation_scheduled": False,
                "cancel_reason": event.reason,
                "ends_on": event.ended_on,
            }
        case Subscription.SubscriptionRenewed():
            return {
                "offer_id": event.offer_id,
                "term_start": event.term.start,
                "term_end": event.term.end,
                "ends_on": event.term.ends_on,
                "scheduled_total": None,
            }
        case Subscription.ChargeFailed() | Subscription.ChargeRecovered():
            return {"state": event.state}
        case Subscription.SubscriptionExpired():
            return {"state": "expired", "ends_on": event.expired_on - timedelta(days=1)}
        case Subscription.SubscriptionDisabled():
            ended = {"ends_on": event.disabled_on} if event.reason == "grace_ended" else {}
            return {"state": "disabled", "recurring_billing": False, **ended}
        case Subscription.SubscriptionDeleted():
            return {"state": "deleted"}
        case Subscription.SubscriptionReactivated():
            return {"replaced_by_id": event.replaced_by_id}
        case Subscription.SubscriptionAdopted():
            return {
                "purchaser_id": event.purchaser_id,
                "billing_profile_id": event.billing_profile_id,
                "channel": event.channel,
            }
        case _:
            raise TypeError(f"purchases do not fold {type(event).__name__}")
