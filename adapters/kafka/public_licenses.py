"""What others may know of the licenses of subscriptions, and who holds them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from adapters.kafka.public_values import Batch, Charge, Own, Price, PublicEvent, public, words
from domain.license_pool import CloseReason, LicensePool, ResizeReason, UnassignReason


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
    charge: Charge
    document_id: UUID


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
    charge: Charge | None
    document_id: UUID | None
    credit_note_ids: tuple[UUID, ...]
    over_assigned_until: date | None


@public("seatledger.license_pool.licenses_charged.v1", of=LicensePool.LicensesCharged)
class LicensesCharged(PublicEvent):
    """A cycle within the term is charged for all licenses."""

    pool_id: Annotated[UUID, Own]
    subscription_id: UUID
    product_id: str
    total: int
    charge: Charge
    document_id: UUID


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
