"""What others may know of subscriptions; a consumer counts recurring revenue from these and `public_licenses`."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from adapters.kafka.public_values import Own, Period, Price, ProductDescription, PublicEvent, public, words
from domain.subscription import (
    CancelReason,
    CancelWhen,
    ChangeDroppedReason,
    Channel,
    DisableReason,
    LifeState,
    RecurringOffReason,
    Subscription,
    TakeOverReason,
)


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
    term: Period
    purchased_at: datetime
    cancellable_until: datetime
    recurring_billing: bool
    billing_profile_id: UUID
    document_id: UUID
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
    when: Annotated[str, words(CancelWhen)]
    reason: Annotated[str, words(CancelReason)]
    licenses: int
    cancelled_at: datetime
    ended_on: date
    credit_note_ids: tuple[UUID, ...]


@public("seatledger.subscription.subscription_renewed.v1", of=Subscription.SubscriptionRenewed)
class SubscriptionRenewed(PublicEvent):
    """A term has begun, at the price that is valid at its start."""

    subscription_id: Annotated[UUID, Own]
    product_id: str
    offer_id: UUID
    purchaser_id: UUID
    billing_profile_id: UUID
    licenses: int
    licenses_before: int
    price: Price
    unit_price_minor_before: int
    term_number: int
    term: Period
    renewed_at: datetime
    cancellable_until: datetime
    document_id: UUID


@public("seatledger.subscription.charge_failed.v1", of=Subscription.ChargeFailed)
class ChargeFailed(PublicEvent):
    """An invoice of the subscription is past due; users keep their access for now."""

    subscription_id: Annotated[UUID, Own]
    product_id: str
    purchaser_id: UUID
    document_id: UUID
    state: Annotated[str, words(LifeState)]


@public("seatledger.subscription.charge_recovered.v1", of=Subscription.ChargeRecovered)
class ChargeRecovered(PublicEvent):
    """An invoice of the subscription is past due no more."""

    subscription_id: Annotated[UUID, Own]
    product_id: str
    purchaser_id: UUID
    document_id: UUID
    state: Annotated[str, words(LifeState)]


@public("seatledger.subscription.subscription_expired.v1", of=Subscription.SubscriptionExpired)
class SubscriptionExpired(PublicEvent):
    """The term has ended without a renewal: nothing is charged any more, and users have access for some days yet."""

    subscription_id: Annotated[UUID, Own]
    product_id: str
    purchaser_id: UUID
    expired_on: date
    disabled_on: date


@public("seatledger.subscription.subscription_disabled.v1", of=Subscription.SubscriptionDisabled)
class SubscriptionDisabled(PublicEvent):
    """Users have no access any more."""

    subscription_id: Annotated[UUID, Own]
    product_id: str
    purchaser_id: UUID
    reason: Annotated[str, words(DisableReason)]
    disabled_on: date
    deleted_on: date
    credit_note_ids: tuple[UUID, ...]


@public("seatledger.subscription.subscription_deleted.v1", of=Subscription.SubscriptionDeleted)
class SubscriptionDeleted(PublicEvent):
    """What was kept of the subscription is gone, and it cannot be reactivated."""

    subscription_id: Annotated[UUID, Own]
    product_id: str
    purchaser_id: UUID
    deleted_on: date


@public("seatledger.subscription.subscription_reactivated.v1", of=Subscription.SubscriptionReactivated)
class SubscriptionReactivated(PublicEvent):
    """A new subscription has taken the place of one that had ended."""

    subscription_id: Annotated[UUID, Own]
    product_id: str
    purchaser_id: UUID
    replaced_by_id: UUID


@public("seatledger.subscription.subscription_adopted.v1", of=Subscription.SubscriptionAdopted)
class SubscriptionAdopted(PublicEvent):
    """An administrator has taken the subscription over, and it is billed on a profile of theirs."""

    subscription_id: Annotated[UUID, Own]
    product_id: str
    purchaser_id: UUID
    purchaser_id_before: UUID
    billing_profile_id: UUID
    billing_profile_id_before: UUID
    channel: Annotated[str, words(Channel)]
    reason: Annotated[str, words(TakeOverReason)]
