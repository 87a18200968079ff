"""Reads what is stored of each organization, as an auditor does: in one snapshot of the database, streaming."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from types import TracebackType
from typing import Any, LiteralString, Self, TypeVar
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

ORGANIZATIONS = (
    "SELECT organization_id FROM ledger.events WHERE organization_seq = 1"
    " UNION SELECT organization_id FROM ledger.commands ORDER BY 1"
)
EVENTS = f"SELECT {EVENT_COLUMNS} FROM ledger.events WHERE organization_id = %b ORDER BY organization_seq"
STREAM = (
    f"SELECT {EVENT_COLUMNS} FROM ledger.events WHERE organization_id = %b AND originator_id = %b"
    " ORDER BY originator_version"
)
COMMANDS = "SELECT command_id, step, organization_seq, events FROM ledger.commands WHERE organization_id = %b"
FACTS = "SELECT fact_id, value, salt FROM ledger.personal_facts WHERE organization_id = %b"
SNAPSHOTS = (
    "SELECT originator_id, version, topic, shape, state FROM ledger.snapshots WHERE organization_id = %b"
    " ORDER BY originator_id"
)


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

    def organizations(self) -> list[UUID]:
        """Every organization that has a history."""
        with unavailable_is_told():
            return [organization_id for (organization_id,) in self._connection.execute(ORGANIZATIONS)]

    def events(self, organization_id: UUID) -> Iterator[RecordedEvent]:
        """An organization's history in order."""
        return self._streamed(RecordedEvent, EVENTS, organization_id)

    def stream(self, organization_id: UUID, originator_id: UUID) -> Iterator[RecordedEvent]:
        """The events of one aggregate, oldest first."""
        return self._streamed(RecordedEvent, STREAM, organization_id, originator_id)

    def commands(self, organization_id: UUID) -> Iterator[CommandRow]:
        return self._streamed(CommandRow, COMMANDS, organization_id)

    def facts(self, organization_id: UUID) -> Iterator[FactRow]:
        return self._streamed(FactRow, FACTS, organization_id)

    def snapshots(self, organization_id: UUID) -> Iterator[SnapshotRow]:
        return self._streamed(SnapshotRow, SNAPSHOTS, organization_id)

    def _streamed(self, row_type: Callable[..., R], query: LiteralString, *parameters: Any) -> Iterator[R]:
        with (
            unavailable_is_told(),
            self._connection.cursor(name=f"audit_{next(self._cursors)}", binary=True) as cursor,
        ):
            cursor.itersize = PAGE
            for row in cursor.execute(query, parameters):
                yield row_type(*row)
