"""What others may know of the licenses of subscriptions, and who holds them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from adapters.kafka.public_values import Batch, Charge, Own, Price, PublicEvent, public, words
from domain.license_pool import CloseReason, LicensePool, ResizeReason, UnassignReason


@public("seatledger.license_pool.license_pool_opened.v1", of=LicensePool.LicensePoolOpened)
class LicensePoolOpened(PublicEvent):
    """Sent once for each subscription, with its purchase.

    Its licenses are there and can be assigned at once; from here on `total` is theirs.
    """

    pool_id: Annotated[UUID, Own]
    subscription_id: UUID
    product_id: str
    offer_id: UUID
    total: int
    price: Price
    batch: Batch
    removable_until: datetime
    charge: Charge
    document_id: UUID


@public("seatledger.license_pool.licenses_resized.v1", of=LicensePool.LicensesResized)
class LicensesResized(PublicEvent):
    """Sent whenever a subscription has another number of licenses, and at every renewal.

    `total` holds from now on; `total_before` is what the event before said.
    """

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
    charge: Charge | None
    document_id: UUID | None
    credit_note_ids: tuple[UUID, ...]
    over_assigned_until: date | None


@public("seatledger.license_pool.licenses_charged.v1", of=LicensePool.LicensesCharged)
class LicensesCharged(PublicEvent):
    """Sent at the start of a billing period within a term, once for each.

    All licenses are charged for it; their number does not change.
    """

    pool_id: Annotated[UUID, Own]
    subscription_id: UUID
    product_id: str
    total: int
    charge: Charge
    document_id: UUID


@public("seatledger.license_pool.license_assigned.v1", of=LicensePool.LicenseAssigned)
class LicenseAssigned(PublicEvent):
    """Sent for each member that gets a license.

    The member holds it from now on, until it is unassigned or the pool is closed.
    """

    pool_id: Annotated[UUID, Own]
    subscription_id: UUID
    product_id: str
    member_id: UUID
    assigned: int
    total: int


@public("seatledger.license_pool.license_unassigned.v1", of=LicensePool.LicenseUnassigned)
class LicenseUnassigned(PublicEvent):
    """Sent for each member that loses a license.

    It is free at once.
    """

    pool_id: Annotated[UUID, Own]
    subscription_id: UUID
    product_id: str
    member_id: UUID
    assigned: int
    total: int
    reason: Annotated[str, words(UnassignReason)]


@public("seatledger.license_pool.license_pool_closed.v1", of=LicensePool.LicensePoolClosed)
class LicensePoolClosed(PublicEvent):
    """Sent once, when a subscription is cancelled at once, replaced by another, or deleted.

    It has no licenses any more, and every assignment has ended: none is told one by one.
    """

    pool_id: Annotated[UUID, Own]
    subscription_id: UUID
    product_id: str
    total: int
    assignments_ended: int
    reason: Annotated[str, words(CloseReason)]
