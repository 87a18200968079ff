"""History as CSV for an auditor's own tools: events, and what follows from them; ids in place of people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

from adapters.documents.purchases_csv import harmless, written
from domain.envelope import RecordedEvent
from domain.kernel import PydanticMapper
from projections.assignments import ASSIGNMENTS, CLOSED_POOLS, PAST_ASSIGNMENTS, Assignment, Assignments, ClosedPool
from projections.audit.amounts import PREFIX
from projections.audit.read_model_at import MemoryRows
from projections.invoice_history import CREDIT_NOTES, INVOICES, InvoiceHistory
from projections.payments import MOVEMENTS, PAYMENTS, Payments
from projections.projection import Projection, Table


class HeldLicense(NamedTuple):
    """A license that a member held, and until when; without an end: still."""

    organization_id: UUID
    pool_id: UUID
    subscription_id: UUID
    product_id: str
    member_id: UUID
    assigned_seq: int
    assigned_at: datetime
    assigned_position: int
    ended_at: datetime | None
    end_reason: str | None
    ended_position: int | None


EVENT_COLUMNS = (
    *("organization_id", "organization_seq", "position", "recorded_at", "occurred_at", "effective_at"),
    *("aggregate_id", "aggregate_version", "event", "actor_id", "actor_role", "on_behalf_of"),
    *("command", "command_id", "step", "correlation_id", "causation_id", "chain_hash", "payload"),
)
TABLES: Mapping[str, tuple[str, ...]] = {
    "events": EVENT_COLUMNS,
    "invoices": INVOICES.columns,
    "credit_notes": CREDIT_NOTES.columns,
    "payments": PAYMENTS.columns,
    "payment_movements": MOVEMENTS.columns,
    "assignments": HeldLicense._fields,
}


class OrganizationTables:
    """Folds one organization's events, in their order, and gives the lines of each table."""

    def __init__(self, mapper: PydanticMapper) -> None:
        self._mapper = mapper
        self._folds: list[tuple[Projection, MemoryRows]] = [
            (projection, MemoryRows()) for projection in (InvoiceHistory(), Payments(), Assignments())
        ]
        self._topics = {topic.TOPIC for projection, _ in self._folds for topic in projection.topics}

    def line(self, event: RecordedEvent) -> str:
        """The event's own line; and folds it."""
        if event.topic in self._topics:
            told = self._mapper.to_domain_event(event)
            for projection, rows in self._folds:
                if isinstance(told, projection.topics):
                    projection.fold(rows, event, told)
        return line_of(cells_of(event))

    def lines(self) -> Iterator[tuple[str, str]]:
        """The lines of the other tables, each with the name of its table."""
        (_, invoices), (_, payments), (_, assignments) = self._folds
        tables: Iterable[tuple[MemoryRows, Table[Any]]] = (
            (invoices, INVOICES),
            (invoices, CREDIT_NOTES),
            (payments, PAYMENTS),
            (payments, MOVEMENTS),
        )
        for rows, table in tables:
            for row in rows.changes(table).inserted:
                yield table.name, line_of(row)
        for held in sorted(held_in(assignments), key=lambda one: one.assigned_seq):
            yield "assignments", line_of(held)


def held_in(rows: MemoryRows) -> Iterator[HeldLicense]:
    """Every time that somebody held a license, by the projection of assignments."""
    closed: dict[UUID, ClosedPool] = {pool.pool_id: pool for pool in rows.changes(CLOSED_POOLS).inserted}
    for past in rows.changes(PAST_ASSIGNMENTS).inserted:
        yield HeldLicense(*past)
    still: list[Assignment] = rows.changes(ASSIGNMENTS).inserted
    for open_one in still:
        yield HeldLicense(*open_one, *end_of(open_one, closed))


def end_of(assignment: Assignment, closed: Mapping[UUID, ClosedPool]) -> tuple[datetime | None, str | None, int | None]:
    pool = closed.get(assignment.pool_id)
    return (pool.closed_at, pool.end_reason, pool.closed_position) if pool else (None, None, None)


def cells_of(event: RecordedEvent) -> Iterator[object]:
    """In the order of the columns; the payload as the exact JSON that is stored, which names people by ids only."""
    envelope = event.envelope
    yield from (event.organization_id, event.organization_seq, event.position)
    yield from (event.recorded_time, envelope.occurred_at, envelope.effective_at)
    yield from (event.originator_id, event.originator_version, event.topic.removeprefix(PREFIX))
    yield from (envelope.actor_id, envelope.actor_role, envelope.on_behalf_of)
    yield from (envelope.command, envelope.command_id, envelope.step, envelope.correlation_id, envelope.causation_id)
    yield event.chain_hash.hex()
    yield event.state.decode()


def line_of(cells: Iterable[object]) -> str:
    """A line in which a spreadsheet computes nothing; times in UTC, ISO 8601."""
    return written([harmless(as_cell(cell)) for cell in cells])


def as_cell(cell: object) -> object:
    if isinstance(cell, datetime):
        return cell.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return cell


def header_of(table: str) -> str:
    return written(TABLES[table])
