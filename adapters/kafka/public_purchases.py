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
    """Sent once for each subscription, when it is bought and paid for.

    It is the first event about it, and says all of it that later events do not repeat.
    """

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
    """Sent when a subscription is not to renew.

    It ends with its term, unless this is turned on again before.
    """

    subscription_id: Annotated[UUID, Own]
    product_id: str
    purchaser_id: UUID
    reason: Annotated[str, words(RecurringOffReason)]
    ends_on: date


@public("seatledger.subscription.recurring_billing_turned_on.v1", of=Subscription.RecurringBillingTurnedOn)
class RecurringBillingTurnedOn(PublicEvent):
    """Sent when a subscription is to renew again.

    It renews on the day that is named, unless a charge fails or this is turned off before.
    """

    subscription_id: Annotated[UUID, Own]
    product_id: str
    purchaser_id: UUID
    renews_on: date


@public("seatledger.subscription.license_change_scheduled.v1", of=Subscription.LicenseChangeScheduled)
class LicenseChangeScheduled(PublicEvent):
    """Sent when a total of licenses is set for the renewal.

    It replaces what was scheduled before; nothing changes until `LicensesResized` says so.
    """

    subscription_id: Annotated[UUID, Own]
    product_id: str
    total: int
    total_scheduled_before: int | None
    takes_effect_on: date


@public("seatledger.subscription.license_change_withdrawn.v1", of=Subscription.LicenseChangeWithdrawn)
class LicenseChangeWithdrawn(PublicEvent):
    """Sent when the total that was set for the renewal no longer holds.

    The licenses stay as they are.
    """

    subscription_id: Annotated[UUID, Own]
    product_id: str
    total: int
    takes_effect_on: date
    reason: Annotated[str, words(ChangeDroppedReason)]


@public("seatledger.subscription.cancellation_scheduled.v1", of=Subscription.CancellationScheduled)
class CancellationScheduled(PublicEvent):
    """Sent when the purchaser cancels for the end of the term.

    Users keep their access until then; `SubscriptionCancelled` follows when it has ended.
    """

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
    """Sent when the purchaser takes the cancellation back.

    Recurring billing is again what it was before it.
    """

    subscription_id: Annotated[UUID, Own]
    product_id: str
    purchaser_id: UUID


@public("seatledger.subscription.subscription_cancelled.v1", of=Subscription.SubscriptionCancelled)
class SubscriptionCancelled(PublicEvent):
    """Sent once, when a subscription has ended by cancellation.

    That is at once, at the end of its term, or when an administrator ends it. It does not renew; what is credited is on
    the credit notes that are named.
    """

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
    """Sent when a term begins, once for each after the first.

    It has the price that is valid on its first day; `LicensesResized` comes with it.
    """

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
    """Sent when an invoice of the subscription falls past due.

    Users keep their access for now: `ChargeRecovered` or `SubscriptionDisabled` follows.
    """

    subscription_id: Annotated[UUID, Own]
    product_id: str
    purchaser_id: UUID
    document_id: UUID
    state: Annotated[str, words(LifeState)]


@public("seatledger.subscription.charge_recovered.v1", of=Subscription.ChargeRecovered)
class ChargeRecovered(PublicEvent):
    """Sent when such an invoice is past due no more.

    The subscription goes on, and no date moves.
    """

    subscription_id: Annotated[UUID, Own]
    product_id: str
    purchaser_id: UUID
    document_id: UUID
    state: Annotated[str, words(LifeState)]


@public("seatledger.subscription.subscription_expired.v1", of=Subscription.SubscriptionExpired)
class SubscriptionExpired(PublicEvent):
    """Sent when the term has ended without a renewal.

    Nothing is charged any more, and users have access until `disabled_on`.
    """

    subscription_id: Annotated[UUID, Own]
    product_id: str
    purchaser_id: UUID
    expired_on: date
    disabled_on: date


@public("seatledger.subscription.subscription_disabled.v1", of=Subscription.SubscriptionDisabled)
class SubscriptionDisabled(PublicEvent):
    """Sent when users lose their access.

    It can be reactivated until `deleted_on`.
    """

    subscription_id: Annotated[UUID, Own]
    product_id: str
    purchaser_id: UUID
    reason: Annotated[str, words(DisableReason)]
    disabled_on: date
    deleted_on: date
    credit_note_ids: tuple[UUID, ...]


@public("seatledger.subscription.subscription_deleted.v1", of=Subscription.SubscriptionDeleted)
class SubscriptionDeleted(PublicEvent):
    """Sent when what was kept of the subscription is gone.

    It cannot be reactivated; no event about it follows but those of its invoices.
    """

    subscription_id: Annotated[UUID, Own]
    product_id: str
    purchaser_id: UUID
    deleted_on: date


@public("seatledger.subscription.subscription_reactivated.v1", of=Subscription.SubscriptionReactivated)
class SubscriptionReactivated(PublicEvent):
    """Sent when a new subscription takes the place of one that had ended.

    The new one has been told as `SubscriptionPurchased`, and goes on by itself.
    """

    subscription_id: Annotated[UUID, Own]
    product_id: str
    purchaser_id: UUID
    replaced_by_id: UUID


@public("seatledger.subscription.subscription_adopted.v1", of=Subscription.SubscriptionAdopted)
class SubscriptionAdopted(PublicEvent):
    """Sent when an administrator takes the subscription over.

    It belongs to them and is billed on a profile of theirs from now on; licenses stay as they are.
    """

    subscription_id: Annotated[UUID, Own]
    product_id: str
    purchaser_id: UUID
    purchaser_id_before: UUID
    billing_profile_id: UUID
    billing_profile_id_before: UUID
    channel: Annotated[str, words(Channel)]
    reason: Annotated[str, words(TakeOverReason)]
