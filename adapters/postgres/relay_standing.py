"""How the relay of a topic is: who leads, since when, and what the database knows of how far it came."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from psycopg.rows import class_row

from adapters.postgres.errors import unavailable_is_told
from adapters.postgres.session import APP, connect, session
from adapters.postgres.standing import RelayShown, relayed

# Whoever holds the lock leads. The rest of the row was noted by the relay itself; of others' logins the server tells
# neither address nor time.
LEADER = """
SELECT held.pid AS backend_pid, a.application_name, a.client_addr::text AS address,
       noted.host, noted.process_id, coalesce(noted.leads_since, a.backend_start) AS since
  FROM pg_locks AS held JOIN pg_stat_activity AS a USING (pid)
  LEFT JOIN relay.leaders AS noted ON noted.topic = %(topic)s AND noted.backend_pid = held.pid
 WHERE held.locktype = 'advisory' AND held.granted AND held.objsubid = 1
   AND held.database = (SELECT oid FROM pg_database WHERE datname = current_database())
   AND (held.classid::bigint << 32) | held.objid::bigint = hashtextextended('seatledger.relay:' || %(topic)s, 0)
"""
FAILED = "SELECT ending, why, failed_at FROM relay.leaders WHERE topic = %(topic)s AND failed_at IS NOT NULL"


class Leader(NamedTuple):
    """The session that holds the lock; host and process as the relay itself noted them."""

    backend_pid: int
    application_name: str
    address: str | None
    host: str | None
    process_id: int | None
    since: datetime | None


class LastError(NamedTuple):
    """What last ended a relay that led."""

    ending: str
    why: str
    failed_at: datetime


class RelayStanding(NamedTuple):
    """Of one topic."""

    leader: Leader | None
    copy: RelayShown | None
    last_error: LastError | None


def relay_standing(url: str, topic: str) -> RelayStanding:
    """Looks, on a connection of its own; raises LedgerUnavailable."""
    asked = {"topic": topic}
    with connect(session(url, role=APP, name="seatledger status")) as connection, unavailable_is_told():
        with connection.transaction():
            connection.execute("SET LOCAL ROLE NONE")  # the login sees more of its own sessions than its role
            leader = connection.cursor(row_factory=class_row(Leader)).execute(LEADER, asked).fetchone()
        copy = next((shown for shown in relayed(connection) if shown.topic == topic), None)
        error = connection.cursor(row_factory=class_row(LastError)).execute(FAILED, asked).fetchone()
    return RelayStanding(leader, copy, error)
