"""What may go wrong with the database, as one line that says what to do; rows never show in it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from services.ports import LedgerUnavailable


class StartRefused(Exception):
    """Says why seatledger does not start on this database, and what to do about it."""


AGAIN = "then send the same command again"
UNREACHABLE = f"the database cannot be reached: see that it runs, {AGAIN}"
FULL = f"the database's disk is full: make room on it, {AGAIN}"
REMEDIES = {
    "25006": f"the database is read-only: connect to the primary, {AGAIN}",
    "53100": FULL,
    "53200": f"the database is out of memory: give it more, {AGAIN}",
    "53300": f"the database has no connection left: raise max_connections or lower the pool sizes, {AGAIN}",
    "53400": f"the database reached a configured limit: raise it, {AGAIN}",
    "55P03": f"others hold a lock for too long: wait a little, {AGAIN}",
    "57014": f"the database took too long: look at its load, {AGAIN}",
}
# A file that may not grow is told as an internal error when a limit of the operating system and not the disk says so.
EXTENDING = {"mdextend", "mdzeroextend", "mdwritev"}


@contextmanager
def unavailable_is_told() -> Iterator[None]:
    """Turns what is no fault of the command into LedgerUnavailable, and strips rows from what is a defect."""
    try:
        yield
    except psycopg.Error as error:
        if remedy := remedy_of(error):
            raise LedgerUnavailable(remedy) from None
        if error.diag.message_primary is None:
            raise
        raise type(error)(error.diag.message_primary) from None  # a defect; its detail would show the row


def remedy_of(error: psycopg.Error) -> str | None:
    """What to do when the database, not the command, is at fault."""
    state = error.sqlstate
    if state in REMEDIES:
        return REMEDIES[state]
    if error.diag.source_function in EXTENDING:
        return FULL
    if not isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
        return None
    if state is None or state.startswith(("08", "57P")):
        return UNREACHABLE
    return f"the database could not do it now (SQLSTATE {state}): look into its log, {AGAIN}"
