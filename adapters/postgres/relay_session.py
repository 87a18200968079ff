"""What a relay needs of PostgreSQL besides the events: to be the only one, and to know which history this is."""

from __future__ import annotations

from collections.abc import Iterator
from types import TracebackType
from typing import Any, Self

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


PAGE = f"SELECT {EVENT_COLUMNS} FROM ledger.events WHERE position > %s AND position <= %s ORDER BY position LIMIT 1000"


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

    def refuse_if_lost(self) -> None:
        """Raises LedgerUnavailable when the session, and with it the lock, is gone."""
        self._one("SELECT 1")

    def source(self) -> str:
        """How this ledger and its epoch are called in messages."""
        name: str = self._one("SELECT format('/seatledger/%%s/%%s', ledger_id, epoch) FROM ledger.source")
        return name

    def chain_hash_at(self, position: int) -> bytes | None:
        """The chain hash of the event at a position; None where there is none."""
        found: bytes | None = self._one("SELECT (SELECT chain_hash FROM ledger.events WHERE position = %s)", position)
        return found

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
