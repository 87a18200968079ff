"""Reads what is stored of each organization, as an auditor does: in one snapshot of the database, streaming."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from itertools import count
from types import TracebackType
from typing import Any, Generic, LiteralString, NamedTuple, Self, TypeVar
from uuid import UUID

import psycopg
from psycopg import IsolationLevel

from adapters.postgres.errors import unavailable_is_told
from adapters.postgres.recorder import EVENT_COLUMNS
from adapters.postgres.session import APP, session
from domain.envelope import RecordedEvent
from projections.audit.verify import CommandRow, FactRow, SnapshotRow

R = TypeVar("R")

PAGE = 2_000  # rows in memory at a time

SIZE = "SELECT count(*) FILTER (WHERE organization_seq = 1), count(*) FROM ledger.events"
# One query for each kind of row, all in the order of organizations: one for each organization took most of the time.
EVENTS = f"SELECT organization_id, {EVENT_COLUMNS} FROM ledger.events ORDER BY organization_id, organization_seq"
COMMANDS = (
    "SELECT organization_id, command_id, step, organization_seq, events FROM ledger.commands ORDER BY organization_id"
)
FACTS = "SELECT organization_id, fact_id, value, salt FROM ledger.personal_facts ORDER BY organization_id"
SNAPSHOTS = (
    "SELECT organization_id, originator_id, version, topic, shape, state, 'snapshot' FROM ledger.snapshots"
    " UNION ALL SELECT organization_id, originator_id, version, topic, shape, state, 'milestone ' || version"
    " FROM ledger.milestones ORDER BY organization_id, originator_id, version"
)
STREAM = (
    f"SELECT organization_id, {EVENT_COLUMNS} FROM ledger.events WHERE organization_id = %b AND originator_id = %b"
    " ORDER BY originator_version"
)


class Size(NamedTuple):
    """How many organizations have a history, and how many events they have together."""

    organizations: int
    events: int


class Stored(NamedTuple):
    """What is stored of one organization; read each part once, and before the next organization."""

    organization_id: UUID
    events: Iterator[RecordedEvent]  # in order
    commands: Iterator[CommandRow]
    facts: Iterator[FactRow]
    snapshots: Iterator[SnapshotRow]


class ByOrganization(Generic[R]):
    """Rows in the order of organizations, handed out for one organization at a time."""

    def __init__(self, rows: Iterator[tuple[UUID, R]]) -> None:
        self._rows = rows
        self._next = next(rows, None)

    @property
    def organization_id(self) -> UUID | None:
        """Whose the next row is; None after the last."""
        return self._next[0] if self._next else None

    def of(self, organization_id: UUID) -> Iterator[R]:
        while self._next and self._next[0] == organization_id:
            yield self._next[1]
            self._next = next(self._rows, None)


class HistoryReads:
    """One read-only transaction: what is recorded meanwhile does not show, and nobody waits for it."""

    def __init__(self, url: str) -> None:
        with unavailable_is_told():
            self._connection = psycopg.connect(session(url, role=APP, name="seatledger audit", statement_timeout="0"))
        self._connection.isolation_level = IsolationLevel.REPEATABLE_READ
        self._connection.read_only = True
        self._cursors = count()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    def size(self) -> Size:
        """How much there is."""
        with unavailable_is_told():
            return Size(*self._connection.execute(SIZE).fetchall()[0])

    def stored(self) -> Iterator[Stored]:
        """What is stored of each organization, also of one that has lost its events."""
        kinds = [(RecordedEvent, EVENTS), (CommandRow, COMMANDS), (FactRow, FACTS), (SnapshotRow, SNAPSHOTS)]
        parts: list[ByOrganization[Any]] = [ByOrganization(self._streamed(kind, query)) for kind, query in kinds]
        while organizations := [part.organization_id for part in parts if part.organization_id]:
            organization_id = min(organizations)
            of_one = [part.of(organization_id) for part in parts]
            yield Stored(organization_id, *of_one)
            for rest in of_one:
                deque(rest, maxlen=0)

    def stream(self, organization_id: UUID, originator_id: UUID) -> Iterator[RecordedEvent]:
        """The events of one aggregate, oldest first."""
        return (event for _, event in self._streamed(RecordedEvent, STREAM, organization_id, originator_id))

    def _streamed(self, row_type: Callable[..., R], query: LiteralString, *parameters: Any) -> Iterator[tuple[UUID, R]]:
        with (
            unavailable_is_told(),
            self._connection.cursor(name=f"audit_{next(self._cursors)}", binary=True) as cursor,
        ):
            cursor.itersize = PAGE
            for organization_id, *row in cursor.execute(query, parameters):
                yield organization_id, row_type(*row)
