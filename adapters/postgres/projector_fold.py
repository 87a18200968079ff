"""Folds of history on their way into builds, and the feeds that they share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any, NamedTuple, TypeAlias, cast

import psycopg

from adapters.postgres.follower import Follower
from adapters.postgres.projector_builds import move
from adapters.postgres.read_tables import Build, tables_of
from adapters.postgres.session import PROJECTOR
from domain.envelope import RecordedEvent
from projections.projection import Key, Projection, Rows, Table

Decode: TypeAlias = Callable[[RecordedEvent], Any]


class FoldFailed(Exception):
    """A projection cannot read or fold an event: a defect of one of them, so nothing is skipped."""

    def __init__(self, projection: Projection, recorded: RecordedEvent, cause: Exception) -> None:
        super().__init__(
            f"{projection.name} version {projection.version} cannot fold {recorded.topic} at position"
            f" {recorded.position}: {type(cause).__name__}"
        )


class Superseded(Exception):
    """A build was retired or moved by somebody else since it was taken."""

    def __init__(self, fold: Fold) -> None:
        super().__init__(f"{fold.build.projection} build {fold.build.build}")
        self.fold = fold


class Batch:
    """Some events in the order of their positions, each decoded once, and only if somebody folds it."""

    def __init__(self, events: Sequence[RecordedEvent], decode: Decode) -> None:
        self.events = events
        self._decode = decode
        self._decoded: dict[int, Any] = {}

    def __len__(self) -> int:
        return len(self.events)

    @property
    def position(self) -> int:
        return self.events[-1].position

    def event(self, recorded: RecordedEvent) -> Any:
        """The domain event."""
        if (event := self._decoded.get(recorded.position)) is None:
            event = self._decoded[recorded.position] = self._decode(recorded)
        return event


class Fold:
    """A projection on its way through history into one build."""

    def __init__(self, projection: Projection, build: Build) -> None:
        self.projection = projection
        self.build = build
        self.tables = tables_of(projection, build.build)
        self.topics = {cast("Any", event).TOPIC for event in projection.topics}

    def fold(self, connection: psycopg.Connection[Any], batch: Batch) -> Rows:
        """Reads the rows that a batch touches and folds it, outside of any transaction."""
        mine = []
        keys: dict[Table[Any], dict[Key, None]] = {table.table: {} for table in self.tables}
        rows = Rows()
        for recorded in batch.events:
            if recorded.topic in self.topics:
                try:
                    event = batch.event(recorded)
                    for table, key in self.projection.touched(recorded, event):
                        keys[table][key] = None
                except Exception as cause:
                    raise FoldFailed(self.projection, recorded, cause) from cause
                mine.append((recorded, event))
        for read_table in self.tables:
            if wanted := list(keys[read_table.table]):
                rows.have_read(read_table.table, wanted, read_table.read(connection, wanted))
        for recorded, event in mine:
            try:
                self.projection.fold(rows, recorded, event)
            except Exception as cause:
                raise FoldFailed(self.projection, recorded, cause) from cause
        return rows

    def write(self, connection: psycopg.Connection[Any], rows: Rows, position: int) -> None:
        """Writes what changed and moves the position, in the caller's transaction."""
        if not move(connection, self.build, position):
            raise Superseded(self)
        for table in self.tables:
            table.write(connection, rows.changes(table.table))

    def moved(self, position: int) -> None:
        self.build = self.build._replace(position=position)


class Ahead(NamedTuple):
    """A batch that is being read while the one before it is written, and what was asked for."""

    batch: Future[Batch]
    until: int | None
    topics: frozenset[str]

    def serves(self, until: int | None, topics: frozenset[str]) -> bool:
        """Whether what was asked for is no more than may be had now, and no less than is wanted."""
        within = until is None or (self.until is not None and self.until <= until)
        return within and topics <= self.topics


class Feed:
    """One reading of history for all folds that stand at the same position.

    While there is more to read, the next batch is fetched and decoded in a thread: the database writes meanwhile.
    """

    def __init__(self, url: str, position: int, decode: Decode) -> None:
        self.position = position
        self.folds: list[Fold] = []
        self._decode = decode
        self._follower = Follower(url, after=position, role=PROJECTOR, session_name="seatledger projector feed")
        self._thread = ThreadPoolExecutor(1, "seatledger projector feed")
        self._ahead: Ahead | None = None

    def read(self, limit: int, until: int | None) -> Batch:
        """Of the next events, none after `until`, those that its folds fold, and the last in any case."""
        topics = frozenset[str]().union(*(fold.topics for fold in self.folds))
        batch = self._read_ahead(until, topics) or self._read(limit, until, topics)
        if batch and not self._follower.drained:
            self._ahead = Ahead(self._thread.submit(self._read_and_decode, limit, until, topics), until, topics)
        return batch

    def _read_ahead(self, until: int | None, topics: frozenset[str]) -> Batch | None:
        ahead, self._ahead = self._ahead, None
        if ahead is None:
            return None
        batch = ahead.batch.result()
        if ahead.serves(until, topics):
            return batch
        self._follower.go_back(self.position)
        return None

    def _read(self, limit: int, until: int | None, topics: frozenset[str]) -> Batch:
        return Batch(self._follower.poll(limit, until=until, topics=topics), self._decode)

    def _read_and_decode(self, limit: int, until: int | None, topics: frozenset[str]) -> Batch:
        batch = self._read(limit, until, topics)
        with suppress(Exception):  # what cannot be decoded is told by who folds it
            for recorded in batch.events:
                if recorded.topic in topics:
                    batch.event(recorded)
        return batch

    @property
    def drained(self) -> bool:
        """Everything that happened was read, as far as one can know."""
        return self._ahead is None and self._follower.drained and self._follower.settled_age_s == 0

    def close(self) -> None:
        self._thread.shutdown()
        self._follower.close()
