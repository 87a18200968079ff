"""How the sealer is: who seals, how much is sealed and published, and what last ended one."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from psycopg.rows import class_row

from adapters.postgres.errors import unavailable_is_told
from adapters.postgres.relay_standing import LastError
from adapters.postgres.session import APP, connect, session
from adapters.postgres.tree import Sealed, TreeReads

# Whoever holds the lock seals; host and process are what the sealer itself noted.
SEALER = """
SELECT noted.host, noted.process_id, noted.seals_since AS since
  FROM pg_locks AS held JOIN proof.sealers AS noted ON noted.backend_pid = held.pid
 WHERE held.locktype = 'advisory' AND held.granted AND held.objsubid = 1
   AND held.database = (SELECT oid FROM pg_database WHERE datname = current_database())
   AND (held.classid::bigint << 32) | held.objid::bigint = hashtextextended('seatledger.sealer', 0)
"""
FAILED = "SELECT ending, why, failed_at FROM proof.sealers WHERE failed_at IS NOT NULL"
UNPUBLISHED = "SELECT count(*) FROM proof.checkpoints WHERE NOT published"
UNSEALED = (
    "SELECT count(*) FROM ledger.events WHERE position > coalesce((SELECT positions[cardinality(positions)]"
    " FROM proof.tiles WHERE level = 0 ORDER BY number DESC LIMIT 1), 0)"
)


class SealerShown(NamedTuple):
    """The process that seals."""

    host: str
    process_id: int
    since: datetime


class SealStanding(NamedTuple):
    """Of one ledger."""

    origin: str
    sealer: SealerShown | None
    checkpoint: Sealed | None
    unsealed: int  # events
    unpublished: int  # checkpoints
    last_error: LastError | None


def seal_standing(url: str) -> SealStanding:
    """Looks, on a connection of its own; raises LedgerUnavailable."""
    with connect(session(url, role=APP, name="seatledger status")) as connection, unavailable_is_told():
        tree = TreeReads.over(connection)
        origin = tree.origin()
        (unsealed, unpublished) = (
            int(row[0]) for query in (UNSEALED, UNPUBLISHED) for row in connection.execute(query)
        )
        sealer = connection.cursor(row_factory=class_row(SealerShown)).execute(SEALER).fetchone()
        error = connection.cursor(row_factory=class_row(LastError)).execute(FAILED).fetchone()
        return SealStanding(origin, sealer, tree.last_checkpoint(origin), unsealed, unpublished, error)
