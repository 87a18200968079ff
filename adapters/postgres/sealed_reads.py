"""Reads history in the order of position beside the tree and what was signed of it, in one snapshot, streaming."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from types import TracebackType
from typing import Any, LiteralString, NamedTuple, Self, TypeVar
from uuid import UUID

import psycopg
from psycopg import IsolationLevel

from adapters.postgres.errors import unavailable_is_told
from adapters.postgres.recorder import EVENT_COLUMNS
from adapters.postgres.session import APP, session
from adapters.postgres.tree import Sealed
from domain.envelope import RecordedEvent
from projections.audit.tiles import Tile

R = TypeVar("R")

PAGE = 2_000  # events in memory at a time
TILES = 50
EVENTS = f"SELECT {EVENT_COLUMNS} FROM ledger.events ORDER BY position, organization_id, organization_seq"
STORED_TILES = "SELECT level, number, hashes, positions FROM proof.tiles ORDER BY level, number"
CHECKPOINTS = "SELECT origin, size, note, sealed_at FROM proof.checkpoints ORDER BY size, sealed_at"
PLACES = "SELECT originator_id, originator_version, position FROM ledger.events WHERE organization_id = %s"


class Place(NamedTuple):
    """Which version of an aggregate an event is, and its position."""

    originator_id: UUID
    version: int
    position: int


class SealedReads:
    """One read-only transaction: what is recorded or sealed meanwhile does not show, and nobody waits for it."""

    def __init__(self, url: str) -> None:
        with unavailable_is_told():
            connection = psycopg.connect(session(url, role=APP, name="seatledger audit", statement_timeout="0"))
        connection.isolation_level = IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        self._own: psycopg.Connection[Any] | None = connection
        self._begin(connection)

    @classmethod
    def over(cls, connection: psycopg.Connection[Any]) -> Self:
        """Reads in the transaction of a connection that belongs to the caller."""
        reads = cls.__new__(cls)
        reads._own = None  # noqa: SLF001 - this is its other constructor
        reads._begin(connection)  # noqa: SLF001
        return reads

    def _begin(self, connection: psycopg.Connection[Any]) -> None:
        self._connection, self._cursors = connection, count()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._own:
            self._own.close()

    def events(self) -> Iterator[RecordedEvent]:
        """All of history, in the order of position."""
        return self._streamed(RecordedEvent, EVENTS, PAGE)

    def tiles(self) -> Iterator[Tile]:
        """The tree, level by level."""
        return self._streamed(Tile, STORED_TILES, TILES)

    def checkpoints(self) -> Iterator[Sealed]:
        """What was signed, of all epochs, the smallest first."""
        return self._streamed(Sealed, CHECKPOINTS, PAGE)

    def places(self, organization_id: UUID) -> Iterator[Place]:
        """Where an organization's events stand, by aggregate and version."""
        return self._streamed(Place, PLACES, PAGE, organization_id)

    def _streamed(self, row_type: Callable[..., R], query: LiteralString, page: int, *parameters: Any) -> Iterator[R]:
        with (
            unavailable_is_told(),
            self._connection.cursor(name=f"sealed_{next(self._cursors)}", binary=True) as cursor,
        ):
            cursor.itersize = page
            for row in cursor.execute(query, parameters or None):
                yield row_type(*row)
