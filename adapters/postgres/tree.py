"""Reads the tree of the ledger as the sealer stored it: hashes of subtrees, numbers of leaves, and checkpoints."""

from __future__ import annotations

from collections import OrderedDict
from datetime import datetime
from types import TracebackType
from typing import Any, LiteralString, NamedTuple, Self

import psycopg

from adapters.postgres.errors import unavailable_is_told
from adapters.postgres.recorder import EVENT_COLUMNS
from adapters.postgres.session import APP, connect, session
from domain.envelope import RecordedEvent
from projections.audit.merkle import HASH_BYTES, node_hash

TILE_LEVELS = 8  # of the tree, in one level of tiles
TILE_HASHES = 1 << TILE_LEVELS
TILES_KEPT = 512  # 8 KiB each

TILE = "SELECT hashes FROM proof.tiles WHERE level = %s AND number = %s"
LAST_TILE = (
    "SELECT number * 256 + octet_length(hashes) / 32 FROM proof.tiles WHERE level = 0 ORDER BY number DESC LIMIT 1"
)
LEAF_OF = (
    "SELECT number, positions FROM proof.tiles WHERE level = 0 AND positions[1] <= %s"
    " ORDER BY positions[1] DESC LIMIT 1"
)
POSITIONS = "SELECT positions FROM proof.tiles WHERE level = 0 AND number = %s"
EVENT = f"SELECT {EVENT_COLUMNS} FROM ledger.events WHERE position = %s"
ORIGIN = "SELECT format('seatledger/%s/%s', ledger_id, epoch) FROM ledger.source"
CHECKPOINT = "SELECT origin, size, note, sealed_at FROM proof.checkpoints WHERE origin = %s"


def above(hashes: bytes) -> bytes:
    """The root above whole subtrees of one size, of which there are a power of two."""
    row = [hashes[start : start + HASH_BYTES] for start in range(0, len(hashes), HASH_BYTES)]
    while len(row) > 1:
        row = [node_hash(left, right) for left, right in zip(row[::2], row[1::2], strict=True)]
    return row[0]


class NotSealed(LookupError):
    """Says what the tree has not, or not yet."""


class Sealed(NamedTuple):
    """A checkpoint as it is stored: the signed note, and when it was last signed."""

    origin: str
    size: int
    note: str
    sealed_at: datetime


class TreeReads:
    """The stored tree, on a connection of its own or on another's. Not for several threads.

    `node` is what proofs are made of. Whole subtrees never change, so their tiles are kept.
    """

    def __init__(self, url: str, *, role: str = APP) -> None:
        self._own: psycopg.Connection[Any] | None = connect(session(url, role=role, name="seatledger tree"))
        self._begin(self._own)

    @classmethod
    def over(cls, connection: psycopg.Connection[Any]) -> Self:
        """Reads through a connection that belongs to the caller."""
        reads = cls.__new__(cls)
        reads._own = None  # noqa: SLF001 - this is its other constructor
        reads._begin(connection)  # noqa: SLF001
        return reads

    def _begin(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection
        self._tiles: OrderedDict[tuple[int, int], bytes] = OrderedDict()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._own:
            self._own.close()

    # The tree.

    def size(self) -> int:
        """How many leaves are stored; the last few may not be signed for yet."""
        rows = self._rows(LAST_TILE)
        return int(rows[0][0]) if rows else 0

    def node(self, level: int, number: int) -> bytes:
        """The hash of a whole subtree of 2**level leaves; raises NotSealed where the tree has not got so far."""
        tiles, inside = divmod(level, TILE_LEVELS)
        tile, start = divmod(number << inside, TILE_HASHES)
        begin, end = start * HASH_BYTES, (start + (1 << inside)) * HASH_BYTES
        hashes = self._tile(tiles, tile, end)
        return above(hashes[begin:end])

    def _tile(self, level: int, number: int, end: int) -> bytes:
        """The hashes of a tile, of which at least `end` bytes are needed."""
        hashes = self._tiles.pop((level, number), b"")
        if len(hashes) < end:
            rows = self._rows(TILE, level, number)
            hashes = rows[0][0] if rows else b""
        if len(hashes) < end:
            raise NotSealed(f"the tree has no subtree of level {level * TILE_LEVELS} in tile {number} so far")
        self._tiles[level, number] = hashes
        if len(self._tiles) > TILES_KEPT:
            self._tiles.popitem(last=False)
        return hashes

    # Leaves and events.

    def index_of(self, position: int) -> int | None:
        """The number of the leaf of the event at a position; None where none is sealed."""
        rows = self._rows(LEAF_OF, position)
        if not rows or position not in rows[0][1]:
            return None
        number, positions = rows[0]
        return int(number) * TILE_HASHES + int(positions.index(position))

    def position_of(self, index: int) -> int:
        """The position of the event that a leaf is of; raises NotSealed."""
        number, place = divmod(index, TILE_HASHES)
        rows = self._rows(POSITIONS, number)
        positions = (rows[0][0] or ()) if rows else ()
        if index < 0 or place >= len(positions):
            raise NotSealed(f"the tree has no leaf {index} so far")
        position = positions[place]
        if not isinstance(position, int):  # nobody but the database's owner can have put that in
            raise NotSealed(f"the tree has lost which event leaf {index} is of")
        return position

    def event_at(self, index: int) -> RecordedEvent | None:
        """The event that a leaf is of; None where the ledger has lost it. Raises NotSealed."""
        return self.event(self.position_of(index))

    def event(self, position: int) -> RecordedEvent | None:
        """The event at a position."""
        rows = self._rows(EVENT, position)
        return RecordedEvent(*rows[0]) if rows else None

    # Checkpoints, of the present origin unless another is named.

    def origin(self) -> str:
        """How the log of this ledger is called in its present epoch."""
        return str(self._rows(ORIGIN)[0][0])

    def origins(self) -> list[str]:
        """Of which there are checkpoints, the newest first."""
        query = "SELECT origin FROM proof.checkpoints GROUP BY origin ORDER BY max(sealed_at) DESC"
        return [str(origin) for (origin,) in self._rows(query)]

    def last_checkpoint(self, origin: str | None = None) -> Sealed | None:
        rows = self._rows(f"{CHECKPOINT} ORDER BY size DESC LIMIT 1", origin or self.origin())
        return Sealed(*rows[0]) if rows else None

    def checkpoint(self, size: int, origin: str | None = None) -> Sealed | None:
        """The one of exactly this size."""
        rows = self._rows(f"{CHECKPOINT} AND size = %s", origin or self.origin(), size)
        return Sealed(*rows[0]) if rows else None

    def checkpoint_over(self, index: int, origin: str | None = None) -> Sealed | None:
        """The first one whose tree has this leaf."""
        rows = self._rows(f"{CHECKPOINT} AND size > %s ORDER BY size LIMIT 1", origin or self.origin(), index)
        return Sealed(*rows[0]) if rows else None

    def checkpoints(self, origin: str | None = None) -> list[Sealed]:
        """All of them, the smallest first."""
        return [Sealed(*row) for row in self._rows(f"{CHECKPOINT} ORDER BY size", origin or self.origin())]

    def _rows(self, query: LiteralString, *parameters: Any) -> list[tuple[Any, ...]]:
        with unavailable_is_told():
            return self._connection.execute(query, parameters or None, prepare=True, binary=True).fetchall()
