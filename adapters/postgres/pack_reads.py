"""Reads what goes into an audit pack: sealed events with the numbers of their leaves, and the tree around them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from itertools import count, groupby
from types import TracebackType
from typing import Any, LiteralString, Self
from uuid import UUID

import psycopg
from psycopg import IsolationLevel

from adapters.postgres.errors import unavailable_is_told
from adapters.postgres.recorder import EVENT_COLUMNS
from adapters.postgres.session import APP, session
from adapters.postgres.tree import LEAF_OF, TILE_HASHES, NotSealed, TreeReads
from adapters.postgres.wall import show
from domain.envelope import RecordedEvent

PAGE = 2_000  # rows in memory at a time

IN_ORDER = (
    f"SELECT {EVENT_COLUMNS} FROM ledger.events WHERE position >= %(first)s AND position <= %(last)s ORDER BY position"
)
# The tile that a position is in is the last one that begins in front of it. Only what the tree has comes out.
OF_ONE = (
    "SELECT tile.number * 256 + array_position(tile.positions, told.position) - 1,"
    f" {', '.join(f'told.{column}' for column in EVENT_COLUMNS.split(', '))}"
    " FROM ledger.events AS told LEFT JOIN LATERAL ("
    "  SELECT number, positions FROM proof.tiles WHERE level = 0 AND positions[1] <= told.position"
    "  ORDER BY positions[1] DESC LIMIT 1) AS tile ON true"
    " WHERE told.organization_id = %(organization)s AND told.position <= %(last)s ORDER BY told.organization_seq"
)
OF_ALL = f"SELECT {EVENT_COLUMNS} FROM ledger.events ORDER BY organization_id, organization_seq"
OF_THIS = (
    f"SELECT {EVENT_COLUMNS} FROM ledger.events WHERE organization_id = %(organization)s ORDER BY organization_seq"
)
LATER = "SELECT count(*) FROM ledger.events WHERE position > %s"
LATER_OF_ONE = f"{LATER} AND organization_id = %s"
COUNT_OF_ONE = "SELECT count(*) FROM ledger.events WHERE organization_id = %s AND position <= %s"
# One a day is enough to narrow down where two histories part; there may be one every few seconds.
DAILY = (
    "SELECT DISTINCT ON (date_trunc('day', sealed_at, 'UTC')) size, note FROM proof.checkpoints"
    " WHERE origin = %s AND size < %s ORDER BY date_trunc('day', sealed_at, 'UTC'), size DESC"
)


class PackReads:
    """One read-only transaction: the ledger and its tree at one moment, while others go on writing."""

    def __init__(self, url: str, *, role: str = APP, visible: str | None = None) -> None:
        """`visible`: the organization that the wall shows, for a role behind it."""
        limits = {"statement_timeout": "0", "idle_in_transaction_session_timeout": "10min"}
        with unavailable_is_told():
            self._connection = psycopg.connect(session(url, role=role, name="seatledger export", **limits))
        if visible is not None:
            self._connection.autocommit = True
            show(self._connection, visible)
            self._connection.autocommit = False
        self._connection.isolation_level = IsolationLevel.REPEATABLE_READ
        self._connection.read_only = True
        self.tree = TreeReads.over(self._connection)
        self._cursors = count()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    def leaves_up_to(self, position: int) -> int:
        """How many leaves are of events at this position or below."""
        rows = self._rows(LEAF_OF, position)
        if rows and None in rows[0][1]:  # nobody but the database's owner can have put that in
            raise NotSealed(f"the tree has lost which events tile {rows[0][0]} is of")
        return int(rows[0][0]) * TILE_HASHES + bisect_right(rows[0][1], position) if rows else 0

    def later(self, position: int, organization_id: UUID | None = None) -> int:
        """How many events are recorded behind a position."""
        if organization_id is None:
            return int(self._rows(LATER, position)[0][0])
        return int(self._rows(LATER_OF_ONE, position, organization_id)[0][0])

    def events_of(self, organization_id: UUID, last: int) -> int:
        """How many events an organization has up to a position."""
        return int(self._rows(COUNT_OF_ONE, organization_id, last)[0][0])

    def daily(self, origin: str, size: int) -> list[tuple[int, str]]:
        """Size and note of the last checkpoint of each day, of those smaller than `size`; the smallest first."""
        return sorted(self._rows(DAILY, origin, size))

    def in_order(self, first: int, last: int) -> Iterator[RecordedEvent]:
        """The events from one position to another."""
        for row in self._streamed(IN_ORDER, first=first, last=last):
            yield RecordedEvent(*row)

    def numbered(self, organization_id: UUID, last: int) -> Iterator[tuple[int | None, RecordedEvent]]:
        """An organization's events up to a position, each with the number of its leaf; None: the tree has it not."""
        for index, *row in self._streamed(OF_ONE, organization=organization_id, last=last):
            yield index, RecordedEvent(*row)

    def histories(self, organization_id: UUID | None) -> Iterator[Iterator[RecordedEvent]]:
        """The events of each organization in their order, or of this one; take all of one before the next."""
        query = OF_ALL if organization_id is None else OF_THIS
        events = (RecordedEvent(*row) for row in self._streamed(query, organization=organization_id))
        return (of_one for _, of_one in groupby(events, key=lambda event: event.organization_id))

    def recorded(self, organization_id: UUID | None) -> int:
        """How many events there are, sealed or not."""
        return self.later(0, organization_id)

    def _streamed(self, query: LiteralString, **parameters: Any) -> Iterator[tuple[Any, ...]]:
        with (
            unavailable_is_told(),
            self._connection.cursor(name=f"export_{next(self._cursors)}", binary=True) as cursor,
        ):
            cursor.itersize = PAGE
            yield from cursor.execute(query, parameters)

    def _rows(self, query: LiteralString, *parameters: Any) -> list[tuple[Any, ...]]:
        with unavailable_is_told():
            return self._connection.execute(query, parameters, binary=True).fetchall()
