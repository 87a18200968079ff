"""Reads history over all organizations, each event once, in order of position, as soon as it is settled."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, LiteralString, NamedTuple, Self
from uuid import UUID

from adapters.postgres.errors import unavailable_is_told
from adapters.postgres.recorder import EVENT_COLUMNS
from adapters.postgres.session import APP, connect, session
from domain.envelope import RecordedEvent

BATCH = "FROM ledger.events WHERE position > %(after)s AND position <= %(until)s ORDER BY position LIMIT %(limit)s"
EVENTS = f"SELECT {EVENT_COLUMNS} {BATCH}"
# The last of a batch comes whatever it tells: the place to go on from is always that of an event.
EVENTS_OF = (
    f"WITH last AS MATERIALIZED (SELECT max(position) FROM (SELECT position {BATCH}) AS batch)"
    f" SELECT {EVENT_COLUMNS} FROM ledger.events WHERE position > %(after)s AND position <= (TABLE last)"
    " AND (topic = ANY(%(topics)s) OR position = (TABLE last)) ORDER BY position"
)
TOLD_AS = (
    "SELECT format('/seatledger/%%s/%%s', ledger_id, epoch), positions, chain_hashes FROM ledger.source,"
    " (SELECT array_agg(position) AS positions, array_agg(chain_hash) AS chain_hashes FROM relay.skips"
    " WHERE edition = 1 AND position > %s AND position <= %s) AS skipped"
)
DRAWN = "SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM ledger.position"
OLDEST_WRITER = (
    "SELECT pid, extract(epoch FROM clock_timestamp() - xact_start)::float8 FROM pg_stat_activity"
    " WHERE backend_xid IS NOT NULL ORDER BY age(backend_xid) DESC LIMIT 1"
)


class Source(NamedTuple):
    """Which history positions belong to; those of another source cannot be compared."""

    ledger_id: UUID
    epoch: int

    @property
    def name(self) -> str:
        """As messages name it."""
        return f"/seatledger/{self.ledger_id}/{self.epoch}"


class Writer(NamedTuple):
    """A transaction that writes; `age_s` is None where another user's may not be seen."""

    pid: int
    age_s: float | None


class Follower:
    """Hands out every event once, as soon as none with a lower position can still appear.

    `after` is the position of the last event handed out; keep it with the effect of that event, and start the next
    follower from it. Never keep `settled`: numbers drawn and rolled back are drawn again after a crash, and a follower
    that started behind them would never see their events. A lost connection raises LedgerUnavailable; then make a new
    follower. Not for several threads.
    """

    def __init__(self, url: str, after: int = 0, *, role: str = APP, session_name: str = "seatledger follower") -> None:
        # Its own connection, in autocommit: inside a write transaction the barrier would wait for itself.
        self._connection = connect(session(url, role=role, name=session_name))
        self.after = after
        self.settled = 0  # nothing can still appear up to here
        self._read = 0  # of which this much was looked at
        self._barrier: tuple[int, str] | None = None
        self._waits_since: float | None = None

    @property
    def drained(self) -> bool:
        """Everything settled was handed out."""
        return self._read >= self.settled

    @property
    def settled_age_s(self) -> float:
        """How long it has waited for the writers of what was drawn last; 0 when it waits for nobody."""
        return 0.0 if self._waits_since is None else time.monotonic() - self._waits_since

    def source(self) -> Source:
        return Source(*self._rows("SELECT ledger_id, epoch FROM ledger.source")[0])

    def told_as(self, after: int) -> tuple[str, Mapping[int, bytes]]:
        """How this ledger is called outside, and what of the events from there to here is told as skipped."""
        ((source, positions, chain_hashes),) = self._rows(TOLD_AS, (after, self.after))
        return str(source), dict(zip(positions or (), chain_hashes or (), strict=True))

    def oldest_writer(self) -> Writer | None:
        """The oldest writing transaction of the whole server: the one that the barrier waits for."""
        with unavailable_is_told(), self._connection.transaction():
            self._connection.execute("SET LOCAL ROLE NONE")  # the login sees more of its own sessions than its role
            row = self._connection.execute(OLDEST_WRITER).fetchone()
        return Writer(*row) if row else None

    def poll(
        self, limit: int = 1000, *, until: int | None = None, topics: Collection[str] | None = None
    ) -> list[RecordedEvent]:
        """The next settled events, at most `limit`; none when there are none yet. Never waits for writers.

        None after position `until`. With `topics` those of them, and the last of the batch in any case: `after` moves
        on over what nobody asked for.
        """
        if self.drained:
            self._settle()
        bound = self.settled if until is None else min(self.settled, until)
        if self._read >= bound:
            return []
        asked: dict[str, Any] = {"after": self.after, "until": bound, "limit": limit}
        if topics is not None:
            asked["topics"] = list(topics)
        events = [RecordedEvent(*row) for row in self._rows(EVENTS if topics is None else EVENTS_OF, asked)]
        if events:
            self.after = events[-1].position
        # After a batch that was not full come numbers nobody used. One with `topics` does not tell: the next will.
        full = len(events) == limit if topics is None else bool(events)
        self._read = self.after if full else bound
        return events

    def go_back(self, after: int) -> None:
        """Hands out again what came after a position."""
        self.after = self._read = after

    def batches(self, limit: int = 1000, idle_s: float = 0.02) -> Iterator[list[RecordedEvent]]:
        """Settled events as they come, for ever; looks again every `idle_s` when there are none."""
        while True:
            if events := self.poll(limit):
                yield events
            else:
                time.sleep(idle_s)

    def _settle(self) -> None:
        """Moves `settled` up when everyone who drew a position up to it has ended."""
        if self._barrier is None:
            drawn = self._one(DRAWN)
            if drawn == self.settled:
                return  # nothing new, and no transaction id is spent to find out
            # Only now an own id: whoever drew a position up to `drawn` took a lower one before.
            self._barrier = drawn, self._one("SELECT pg_current_xact_id()::text")
            self._waits_since = time.monotonic()
        drawn, own = self._barrier
        if self._one("SELECT pg_snapshot_xmin(pg_current_snapshot()) > %s::xid8", (own,)):
            self.settled, self._barrier, self._waits_since = drawn, None, None

    def _rows(self, query: LiteralString, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> list[tuple[Any, ...]]:
        with unavailable_is_told():
            return self._connection.execute(query, parameters, prepare=True, binary=True).fetchall()

    def _one(self, query: LiteralString, parameters: Sequence[Any] = ()) -> Any:
        return self._rows(query, parameters)[0][0]

    def close(self) -> None:
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
