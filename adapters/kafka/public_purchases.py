"""What others may know of subscriptions and their licenses."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from adapters.kafka.public_values import Batch, Own, Price, ProductDescription, PublicEvent, Term, public, words
from domain.license_pool import CloseReason, LicensePool, ResizeReason, UnassignReason
from domain.subscription import CancelReason, ChangeDroppedReason, Channel, RecurringOffReason, Subscription


@public("seatledger.subscription.subscription_purchased.v1", of=Subscription.SubscriptionPurchased)
class SubscriptionPurchased(PublicEvent):
    """A subscription was bought."""

    subscription_id: Annotated[UUID, Own]
    pool_id: UUID
    product: ProductDescription
    offer_id: UUID
    purchaser_id: UUID
    channel: Annotated[str, words(Channel)]
    licenses: int
    price: Price
    anchor: date
    term_number: int
    term: Term
    purchased_at: datetime
    cancellable_until: datetime
    recurring_billing: bool
    billing_profile_id: UUID | None
    document_id: UUID | None
    replaces_id: UUID | None


@public("seatledger.subscription.recurring_billing_turned_off.v1", of=Subscription.RecurringBillingTurnedOff)
class RecurringBillingTurnedOff(PublicEvent):
    """The subscription will end with its term."""

    subscription_id: Annotated[UUID, Own]
    product_id: str
    purchaser_id: UUID
    reason: Annotated[str, words(RecurringOffReason)]
    ends_on: date


@public("seatledger.subscription.recurring_billing_turned_on.v1", of=Subscription.RecurringBillingTurnedOn)
class RecurringBillingTurnedOn(PublicEvent):
    """The subscription will renew after its term."""

    subscription_id: Annotated[UUID, Own]
    product_id: str
    purchaser_id: UUID
    renews_on: date


@public("seatledger.subscription.license_change_scheduled.v1", of=Subscription.LicenseChangeScheduled)
class LicenseChangeScheduled(PublicEvent):
    """A total of licenses was set for the renewal."""

    subscription_id: Annotated[UUID, Own]
    product_id: str
    total: int
    total_scheduled_before: int | None
    takes_effect_on: date


@public("seatledger.subscription.license_change_withdrawn.v1", of=Subscription.LicenseChangeWithdrawn)
class LicenseChangeWithdrawn(PublicEvent):
    """The total that was set for the renewal no longer holds."""

    subscription_id: Annotated[UUID, Own]
    product_id: str
    total: int
    takes_effect_on: date
    reason: Annotated[str, words(ChangeDroppedReason)]


@public("seatledger.subscription.cancellation_scheduled.v1", of=Subscription.CancellationScheduled)
class CancellationScheduled(PublicEvent):
    """The purchaser cancelled for the end of the term."""

    subscription_id: Annotated[UUID, Own]
    product_id: str
    purchaser_id: UUID
    reason: Annotated[str, words(CancelReason)]
    ends_on: date
    recurring_billing_before: bool
    still_owed_minor: int
    currency: str


@public("seatledger.subscription.cancellation_withdrawn.v1", of=Subscription.CancellationWithdrawn)
class CancellationWithdrawn(PublicEvent):
    """The purchaser took the cancellation back."""

    subscription_id: Annotated[UUID, Own]
    product_id: str
    purchaser_id: UUID


@public("seatledger.subscription.subscription_cancelled.v1", of=Subscription.SubscriptionCancelled)
class SubscriptionCancelled(PublicEvent):
    """The subscription has ended by cancellation."""

    subscription_id: Annotated[UUID, Own]
    product_id: str
    offer_id: UUID
    pool_id: UUID
    purchaser_id: UUID
    when: Annotated[str, words(Literal["now", "term_end"])]
    reason: Annotated[str, words(CancelReason)]
    licenses: int
    cancelled_at: datetime
    ended_on: date
    document_id: UUID | None


# Licenses.


@public("seatledger.license_pool.license_pool_opened.v1", of=LicensePool.LicensePoolOpened)
class LicensePoolOpened(PublicEvent):
    """A subscription has its first licenses."""

    pool_id: Annotated[UUID, Own]
    subscription_id: UUID
    product_id: str
    offer_id: UUID
    total: int
    price: Price
    batch: Batch
    removable_until: datetime


@public("seatledger.license_pool.licenses_resized.v1", of=LicensePool.LicensesResized)
class LicensesResized(PublicEvent):
    """A subscription has another number of licenses."""

    pool_id: Annotated[UUID, Own]
    subscription_id: UUID
    product_id: str
    offer_id: UUID
    total: int
    total_before: int
    reason: Annotated[str, words(ResizeReason)]
    price: Price
    batches: tuple[Batch, ...]
    removable_until: datetime | None
    document_id: UUID | None


@public("seatledger.license_pool.license_assigned.v1", of=LicensePool.LicenseAssigned)
class LicenseAssigned(PublicEvent):
    """A member has a license."""

    pool_id: Annotated[UUID, Own]
    subscription_id: UUID
    product_id: str
    member_id: UUID
    assigned: int
    total: int


@public("seatledger.license_pool.license_unassigned.v1", of=LicensePool.LicenseUnassigned)
class LicenseUnassigned(PublicEvent):
    """A member no longer has a license."""

    pool_id: Annotated[UUID, Own]
    subscription_id: UUID
    product_id: str
    member_id: UUID
    assigned: int
    total: int
    reason: Annotated[str, words(UnassignReason)]


@public("seatledger.license_pool.license_pool_closed.v1", of=LicensePool.LicensePoolClosed)
class LicensePoolClosed(PublicEvent):
    """A subscription has no licenses any more: every assignment has ended."""

    pool_id: Annotated[UUID, Own]
    subscription_id: UUID
    product_id: str
    total: int
    assignments_ended: int
    reason: Annotated[str, words(CloseReason)]
