"""Assignments: who holds a license of which pool, now and on any day."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, ClassVar, NamedTuple
from uuid import UUID

from domain.envelope import RecordedEvent
from domain.kernel import AggregateEvent
from domain.license_pool import CloseReason, LicensePool, UnassignReason
from projections.projection import Projection, Rows, Table, Touch


class Assignment(NamedTuple):
    """A license that was given and not taken back. It is held for as long as its pool is not closed."""

    organization_id: UUID
    pool_id: UUID
    subscription_id: UUID
    product_id: str
    member_id: UUID
    assigned_seq: int  # organization_seq: the order of assignments
    assigned_at: datetime
    assigned_position: int


class PastAssignment(NamedTuple):
    """A license that was given and taken back."""

    organization_id: UUID
    pool_id: UUID
    subscription_id: UUID
    product_id: str
    member_id: UUID
    assigned_seq: int
    assigned_at: datetime
    assigned_position: int
    unassigned_at: datetime
    end_reason: UnassignReason
    unassigned_position: int


class ClosedPool(NamedTuple):
    """A pool that closed, which ended every assignment still open: one row, also for 100,000 of them."""

    organization_id: UUID
    pool_id: UUID
    subscription_id: UUID
    closed_at: datetime
    end_reason: CloseReason
    assignments_ended: int
    closed_position: int


ASSIGNMENTS: Table[Assignment] = Table(
    name="assignments",
    row=Assignment,
    key=("organization_id", "pool_id", "member_id"),
    indexes=(
        ("organization_id", "member_id"),
        ("organization_id", "subscription_id", "assigned_seq"),
    ),
)
PAST_ASSIGNMENTS: Table[PastAssignment] = Table(
    name="past_assignments",
    row=PastAssignment,
    key=("organization_id", "pool_id", "member_id", "assigned_seq"),
    indexes=(("organization_id", "subscription_id", "assigned_seq"),),
)
CLOSED_POOLS: Table[ClosedPool] = Table(name="closed_pools", row=ClosedPool, key=("organization_id", "pool_id"))


class Assignments(Projection):
    """A row for each time a member held a license."""

    name = "assignments"
    version = 1
    tables = (ASSIGNMENTS, PAST_ASSIGNMENTS, CLOSED_POOLS)
    topics: ClassVar[tuple[type[AggregateEvent], ...]] = (
        LicensePool.LicenseAssigned,
        LicensePool.LicenseUnassigned,
        LicensePool.LicensePoolClosed,
    )

    def touched(self, recorded: RecordedEvent, event: Any) -> Iterator[Touch]:
        if isinstance(event, LicensePool.LicenseUnassigned):
            yield ASSIGNMENTS, (recorded.organization_id, event.originator_id, event.member_id)

    def fold(self, rows: Rows, recorded: RecordedEvent, event: Any) -> None:
        match event:
            case LicensePool.LicenseAssigned():
                rows.put(ASSIGNMENTS, assigned(recorded, event))
            case LicensePool.LicenseUnassigned():
                key = (recorded.organization_id, event.originator_id, event.member_id)
                if assignment := rows.get(ASSIGNMENTS, key):
                    rows.delete(ASSIGNMENTS, key)
                    rows.put(PAST_ASSIGNMENTS, unassigned(assignment, recorded, event))
            case LicensePool.LicensePoolClosed():
                rows.put(CLOSED_POOLS, closed(recorded, event))
            case _:
                raise TypeError(f"assignments do not fold {type(event).__name__}")


def assigned(recorded: RecordedEvent, event: LicensePool.LicenseAssigned) -> Assignment:
    return Assignment(
        organization_id=recorded.organization_id,
        pool_id=event.originator_id,
        subscription_id=event.subscription_id,
        product_id=event.product_id,
        member_id=event.member_id,
        assigned_seq=recorded.organization_seq,
        assigned_at=recorded.envelope.effective_at,
        assigned_position=recorded.position,
    )


def unassigned(assignment: Assignment, recorded: RecordedEvent, event: LicensePool.LicenseUnassigned) -> PastAssignment:
    return PastAssignment(
        *assignment,
        unassigned_at=recorded.envelope.effective_at,
        end_reason=event.reason,
        unassigned_position=recorded.position,
    )


def closed(recorded: RecordedEvent, event: LicensePool.LicensePoolClosed) -> ClosedPool:
    return ClosedPool(
        organization_id=recorded.organization_id,
        pool_id=event.originator_id,
        subscription_id=event.subscription_id,
        closed_at=recorded.envelope.effective_at,
        end_reason=event.reason,
        assignments_ended=event.assignments_ended,
        closed_position=recorded.position,
    )
