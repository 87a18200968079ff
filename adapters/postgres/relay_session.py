"""What a relay needs of PostgreSQL besides the events: to be the only one, and to know which history this is."""

from __future__ import annotations

import os
import socket
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from types import TracebackType
from typing import Any, NamedTuple, Self, cast

import psycopg
from psycopg.conninfo import make_conninfo
from psycopg.rows import TupleRow

from adapters.postgres.errors import unavailable_is_told
from adapters.postgres.recorder import EVENT_COLUMNS
from adapters.postgres.session import PROJECTOR, session
from domain.envelope import RecordedEvent

# A leader whose machine vanishes must not hold its lock until the operating system's hours have passed.
KEEP_ALIVE = {"keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 3, "tcp_user_timeout": 10_000}
SERVER_KEEP_ALIVE = {"tcp_keepalives_idle": "5", "tcp_keepalives_interval": "2", "tcp_keepalives_count": "3"}

LOOK = (
    "SELECT format('/seatledger/%s/%s', ledger_id, epoch), (SELECT coalesce(max(position), 0) FROM ledger.events)"
    " FROM ledger.source"
)
EARLIER = (
    "SELECT format('/seatledger/%s/%s', ledger_id, earlier) FROM ledger.source, ledger.forks,"
    " generate_series(from_epoch, to_epoch - 1) AS earlier WHERE to_epoch <= epoch"
)
LEADS = (
    "INSERT INTO relay.leaders (topic, backend_pid, host, process_id) VALUES (%s, pg_backend_pid(), %s, %s)"
    " ON CONFLICT (topic) DO UPDATE SET backend_pid = excluded.backend_pid, host = excluded.host,"
    " process_id = excluded.process_id, leads_since = now()"
)
FAILS = (
    "UPDATE relay.leaders SET failed_at = now(), ending = %s, why = %s"
    " WHERE topic = %s AND backend_pid = pg_backend_pid()"
)
PAGE = f"SELECT {EVENT_COLUMNS} FROM ledger.events WHERE position > %s AND position <= %s ORDER BY position LIMIT 1000"


class Look(NamedTuple):
    """How the ledger is called now, and the position of its last event."""

    source: str
    head: int


class RelaySession:
    """A session of its own: the lock that elects the relay of a topic lives and dies with it.

    The lock spares fights; what makes a second relay harmless is the fencing by the broker.
    """

    def __init__(self, url: str, topic: str) -> None:
        self.topic = topic
        conninfo = session(url, role=PROJECTOR, name="seatledger relay", **SERVER_KEEP_ALIVE)
        with unavailable_is_told():
            self._connection: psycopg.Connection[TupleRow] = psycopg.connect(
                make_conninfo(conninfo, **KEEP_ALIVE), autocommit=True
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    def elected(self) -> bool:
        """Whether this session is the leader now; asked once, until it says yes."""
        return bool(self._one("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", f"seatledger.relay:{self.topic}"))

    def begins_to_lead(self) -> None:
        """Notes who leads from now on, for people."""
        with unavailable_is_told():
            self._connection.execute(LEADS, (self.topic, socket.gethostname(), os.getpid()))

    def fails(self, ending: str, why: str) -> None:
        """Notes the error that ends it, for people."""
        with unavailable_is_told():
            self._connection.execute(FAILS, (ending, why, self.topic))

    def last_error(self) -> tuple[str, datetime] | None:
        """How and when a leader last ended by an error."""
        query = "SELECT ending, failed_at FROM relay.leaders WHERE topic = %s AND failed_at IS NOT NULL"
        with unavailable_is_told():
            row = self._connection.execute(query, (self.topic,)).fetchone()
        return cast("tuple[str, datetime] | None", row)

    def look(self) -> Look:
        """Where the ledger stands; raises LedgerUnavailable when the session, and with it the lock, is gone."""
        with unavailable_is_told():
            row = self._connection.execute(LOOK, prepare=True).fetchone()
        return Look(*row) if row else Look("", 0)

    def source(self) -> str:
        """How this ledger and its epoch are called in messages."""
        return self.look().source

    def earlier_sources(self) -> Collection[str]:
        """How it was called before its forks; also in epochs that a restore took back, and that a fork passed over."""
        with unavailable_is_told():
            return frozenset(name for (name,) in self._connection.execute(EARLIER))

    def skips(self, edition: int) -> Mapping[int, bytes]:
        """The events in whose place a placeholder goes out, by position, with their chain hashes."""
        query = "SELECT position, chain_hash FROM relay.skips WHERE edition = %s"
        with unavailable_is_told():
            return dict(cast("list[tuple[int, bytes]]", self._connection.execute(query, (edition,)).fetchall()))

    def chain_hashes_at(self, positions: Collection[int]) -> Mapping[int, bytes]:
        """The chain hashes of the events at these positions, where there are any."""
        query = "SELECT position, chain_hash FROM ledger.events WHERE position = ANY(%s)"
        with unavailable_is_told():
            found = self._connection.execute(query, (list(positions),)).fetchall()
        return dict(cast("list[tuple[int, bytes]]", found))

    def events_until(self, position: int) -> Iterator[RecordedEvent]:
        """All events up to a position that is settled, as what was published is, in order of position."""
        after = 0
        while after < position:
            with unavailable_is_told():
                rows = self._connection.execute(PAGE, (after, position), prepare=True, binary=True).fetchall()
            if not rows:
                return
            for row in rows:
                event = RecordedEvent(*row)
                yield event
            after = event.position

    def show(self, source: str, position: int, chain_hash: bytes) -> None:
        """Copies how far the topic is published to where people look."""
        with unavailable_is_told():
            self._connection.execute(
                "INSERT INTO relay.position AS shown (source, topic, position, chain_hash) VALUES (%s, %s, %s, %s)"
                " ON CONFLICT (source, topic) DO UPDATE"
                " SET position = excluded.position, chain_hash = excluded.chain_hash, seen_at = now()",
                (source, self.topic, position, chain_hash),
            )

    def _one(self, query: str, *parameters: Any) -> Any:
        with unavailable_is_told():
            row = self._connection.execute(query, parameters, prepare=True).fetchone()
        return row[0] if row else None
