"""What a sealer does in PostgreSQL: is the only one, extends the tree, reads it and history anew, and keeps notes."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping, Sequence
from datetime import datetime
from types import TracebackType
from typing import Any, LiteralString, NamedTuple, Self, cast
from uuid import UUID

import psycopg
from psycopg.conninfo import make_conninfo

from adapters.postgres.arrays import Array
from adapters.postgres.errors import unavailable_is_told
from adapters.postgres.forks import FORKS, Fork
from adapters.postgres.recorder import EVENT_COLUMNS
from adapters.postgres.relay_session import KEEP_ALIVE, SERVER_KEEP_ALIVE
from adapters.postgres.session import SEALER, session
from adapters.postgres.tree import TILE_HASHES, Sealed, TreeReads, above
from domain.envelope import RecordedEvent
from projections.audit.merkle import HASH_BYTES

TILE_BYTES = TILE_HASHES * HASH_BYTES
ELECTED = "SELECT pg_try_advisory_lock(hashtextextended('seatledger.sealer', 0))"
SEALS = (
    "INSERT INTO proof.sealers (backend_pid, host, process_id) VALUES (pg_backend_pid(), %s, %s)"
    " ON CONFLICT (only_row) DO UPDATE SET backend_pid = excluded.backend_pid, host = excluded.host,"
    " process_id = excluded.process_id, seals_since = now()"
)
FAILS = "UPDATE proof.sealers SET failed_at = now(), ending = %s, why = %s WHERE backend_pid = pg_backend_pid()"
END = (
    "SELECT number * 256 + cardinality(positions), positions[cardinality(positions)] FROM proof.tiles WHERE level = 0"
    " ORDER BY number DESC LIMIT 1"
)
TILE = "SELECT hashes, coalesce(positions, '{}') FROM proof.tiles WHERE level = %s AND number = %s"
# What stands there must be what the tree was extended from: of two sealers one would otherwise undo the other's leaves.
EXTEND = (
    "INSERT INTO proof.tiles AS stored (level, number, hashes, positions) VALUES (%s, %s, %s, %s)"
    " ON CONFLICT (level, number) DO UPDATE SET hashes = excluded.hashes, positions = excluded.positions"
    " WHERE stored.hashes = %s"
)
EVENTS = f"SELECT {EVENT_COLUMNS} FROM ledger.events WHERE position > %s AND position <= %s ORDER BY position LIMIT %s"
BEFORE = """
SELECT asked.organization, told.chain_hash, coalesce(told.position = ANY (tile.positions), false)
  FROM unnest(%s::uuid[], %s::bigint[]) AS asked(organization, seq)
  JOIN LATERAL (
       SELECT e.position, e.chain_hash FROM ledger.events e
        WHERE e.organization_id = asked.organization AND e.organization_seq = asked.seq LIMIT 1) AS told ON true
  LEFT JOIN LATERAL (
       SELECT t.positions FROM proof.tiles t WHERE t.level = 0 AND t.positions[1] <= told.position
        ORDER BY t.positions[1] DESC LIMIT 1) AS tile ON true
"""
KEEP = (
    "INSERT INTO proof.checkpoints (origin, size, note, sealed_at) VALUES (%s, %s, %s, %s)"
    " ON CONFLICT (origin, size) DO UPDATE SET note = excluded.note, sealed_at = excluded.sealed_at, published = false"
    " WHERE checkpoints.note <> excluded.note"
)
UNPUBLISHED = (
    "SELECT origin, size, note, sealed_at FROM proof.checkpoints WHERE NOT published ORDER BY sealed_at, size LIMIT %s"
)
PUBLISHED = "UPDATE proof.checkpoints SET published = true WHERE origin = %s AND size = %s AND note = %s"


class TreeMoved(Exception):
    """Another has extended the tree meanwhile, so this one is not the only sealer any more."""


class LeafRow(NamedTuple):
    """A tile of leaves as it is stored."""

    positions: Sequence[Any]  # numbers, unless somebody has put something else in
    hashes: bytes

    def hash_at(self, place: int) -> bytes:
        return self.hashes[place * HASH_BYTES : (place + 1) * HASH_BYTES]


class Before(NamedTuple):
    """The event in front of an organization's next one."""

    chain_hash: bytes
    sealed: bool


class SealSession:
    """A session of its own: the lock that elects the sealer lives and dies with it. Not for several threads."""

    def __init__(self, url: str) -> None:
        # What it signs must still be there when the server comes back from a crash.
        settings = {**SERVER_KEEP_ALIVE, "synchronous_commit": "on"}
        conninfo = session(url, role=SEALER, name="seatledger sealer", **settings)
        with unavailable_is_told():
            self._connection: psycopg.Connection[Any] = psycopg.connect(
                make_conninfo(conninfo, **KEEP_ALIVE), autocommit=True
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    # The only one.

    def elected(self) -> bool:
        """Whether this session seals now; asked again until it says yes."""
        return bool(self._rows(ELECTED)[0][0])

    def begins_to_seal(self) -> None:
        """Notes who seals from now on, for people."""
        self._write(SEALS, socket.gethostname(), os.getpid())

    def fails(self, ending: str, why: str) -> None:
        """Notes what ends it, for people."""
        self._write(FAILS, ending, why)

    def last_error(self) -> tuple[str, datetime] | None:
        """How and when a sealer last ended by an error."""
        rows = self._rows("SELECT ending, failed_at FROM proof.sealers WHERE failed_at IS NOT NULL")
        return cast("tuple[str, datetime]", rows[0]) if rows else None

    # The tree.

    def tree(self) -> TreeReads:
        """The tree as it is stored now: nothing that was read before is remembered."""
        return TreeReads.over(self._connection)

    def extend(self, size: int, positions: Sequence[int], hashes: Sequence[bytes], *, after: int) -> None:
        """Adds leaves behind the first `size`, of which the last is of the event at `after`: all of them or none.

        Raises TreeMoved where the tree ends elsewhere.
        """
        with unavailable_is_told(), self._connection.transaction():
            if (end := (self._rows(END) or [(0, 0)])[0]) != (size, after):
                raise TreeMoved(f"the tree ends at leaf {end[0]} and position {end[1]}, not at {size} and {after}")
            added, level, start, places = b"".join(hashes), 0, size, list(positions)
            while added:
                added = self._extend_level(level, start, added, places)
                level, start, places = level + 1, start // TILE_HASHES, []

    def _extend_level(self, level: int, start: int, added: bytes, positions: list[int]) -> bytes:
        """Gives what the level above gets: the hash of each tile that is full now."""
        first, inside = divmod(start, TILE_HASHES)
        before, known = self._rows(TILE, level, first)[0] if inside else (b"", [])
        if len(before) != inside * HASH_BYTES:
            raise TreeMoved(f"tile {first} of level {level} has {len(before) // HASH_BYTES} hashes, not {inside}")
        after, positions = before + added, [*known, *positions]
        rows, full = [], []
        for number, place in enumerate(range(0, len(after), TILE_BYTES), start=first):
            hashes = after[place : place + TILE_BYTES]
            leaves = positions[place // HASH_BYTES : place // HASH_BYTES + TILE_HASHES] if level == 0 else None
            rows.append((level, number, hashes, leaves, before if number == first else b""))
            if len(hashes) == TILE_BYTES:
                full.append(above(hashes))
        with self._connection.cursor() as cursor:
            cursor.executemany(EXTEND, rows)
            if cursor.rowcount != len(rows):
                raise TreeMoved(f"a tile of level {level} was written by another sealer")
        return b"".join(full)

    def leaves(self, number: int) -> LeafRow:
        """A tile of leaves; an empty one where there is none."""
        rows = self._rows(TILE, 0, number)
        return LeafRow(rows[0][1], rows[0][0]) if rows else LeafRow((), b"")

    # History.

    def events(self, after: int, until: int, limit: int) -> list[RecordedEvent]:
        """The events between two positions, the second included."""
        return [RecordedEvent(*row) for row in self._rows(EVENTS, after, until, limit)]

    def before(self, asked: Mapping[UUID, int]) -> Mapping[UUID, Before]:
        """The event of each organization that has this number there, where there is one."""
        rows = self._rows(BEFORE, Array.of_uuids(asked.keys()), Array.of_bigints(asked.values()))
        return {organization_id: Before(*told) for organization_id, *told in rows}

    def forks(self) -> list[Fork]:
        return [Fork(*row) for row in self._rows(FORKS)]

    # Checkpoints.

    def keep(self, sealed: Sealed) -> None:
        """Stores a signed checkpoint; one that is there already stays published."""
        self._write(KEEP, *sealed)

    def unpublished(self, limit: int) -> list[Sealed]:
        """What the topic does not have yet, the oldest first."""
        return [Sealed(*row) for row in self._rows(UNPUBLISHED, limit)]

    def published(self, sealed: Sealed) -> None:
        """The topic has this note."""
        self._write(PUBLISHED, sealed.origin, sealed.size, sealed.note)

    def _rows(self, query: LiteralString, *parameters: Any) -> list[tuple[Any, ...]]:
        with unavailable_is_told():
            return self._connection.execute(query, parameters or None, prepare=True, binary=True).fetchall()

    def _write(self, query: LiteralString, *parameters: Any) -> None:
        with unavailable_is_told():
            self._connection.execute(query, parameters)
