"""What may go wrong with the database, as one line that says what to do; rows never show in it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg_pool import PoolTimeout

from services.ports import LedgerUnavailable


class StartRefused(Exception):
    """Says why seatledger does not start on this database, and what to do about it."""


AGAIN = "then send the same command again"
REMEDIES = {
    "25006": f"the database is read-only: connect to the primary, {AGAIN}",
    "53100": f"the database's disk is full: make room on it, {AGAIN}",
    "53200": f"the database is out of memory: give it more, {AGAIN}",
    "53300": f"the database has no connection left: raise max_connections or lower the pool sizes, {AGAIN}",
    "53400": f"the database reached a configured limit: raise it, {AGAIN}",
    "55P03": f"others hold a lock for too long: wait a little, {AGAIN}",
    "57014": f"the database took too long: look at its load, {AGAIN}",
}


@contextmanager
def unavailable_is_told() -> Iterator[None]:
    """Turns what is no fault of the command into LedgerUnavailable, and strips rows from what is a defect."""
    try:
        yield
    except psycopg.Error as error:
        if error.sqlstate in REMEDIES:
            raise LedgerUnavailable(REMEDIES[error.sqlstate]) from None
        if isinstance(error, PoolTimeout):
            raise LedgerUnavailable(
                f"the database gives no connection: see that it runs, or raise the pool size if it is busy, {AGAIN}"
            ) from None
        if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
            raise LedgerUnavailable(f"the connection to the database was lost: look whether it runs, {AGAIN}") from None
        if error.diag.message_primary is None:
            raise
        raise type(error)(error.diag.message_primary) from None  # a defect; its detail would show the row
