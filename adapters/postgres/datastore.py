"""The connections of one process: a pool for all work, and a small one for those who wait for their turn."""

from __future__ import annotations

import select
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from eventsourcing.postgres import PostgresDatastore
from psycopg_pool import ConnectionPool

from adapters.postgres.errors import unavailable_is_told
from adapters.postgres.session import APP, session

Connection = psycopg.Connection[tuple[Any, ...]]

WAIT_S = 10.0  # for a connection of the pool
TURN_WAIT_S = 60.0
TURNS = 4  # connections of those who conflicted; others that conflicted wait for one of these


class LedgerDatastore(PostgresDatastore):
    """The library's datastore on a connection URL; its sessions act as the application's role, in autocommit."""

    def __init__(self, url: str, *, pool_size: int, name: str) -> None:
        super().__init__(dbname="", host="", port="", user="", password="", schema="ledger")
        conninfo = session(url, role=APP, name=name)
        self.pool: Any = pool_of(conninfo, minimum=1, maximum=pool_size, wait_s=WAIT_S)
        # Apart, so that nobody who waits here keeps a connection that the one he waits for needs to finish.
        conninfo = session(
            url, role=APP, name=f"{name} turn", lock_timeout="60s", idle_in_transaction_session_timeout="0"
        )
        self.turns = pool_of(conninfo, minimum=0, maximum=TURNS, wait_s=TURN_WAIT_S)

    def register_type_adapters(self) -> None:
        """Does nothing: the recorder uses no composite type."""

    @contextmanager
    def get_connection(self) -> Iterator[Connection]:  # type: ignore[override]  # rows are tuples
        """Lends a connection; what goes wrong with it is told in the services' words."""
        with unavailable_is_told(), self.pool.connection() as connection:
            yield connection

    def close(self) -> None:
        for pool in (self.pool, self.turns):
            pool.close()

    def __del__(self) -> None:
        """The library's would close half-built ones."""


def pool_of(conninfo: str, *, minimum: int, maximum: int, wait_s: float) -> ConnectionPool[Connection]:
    return ConnectionPool(
        conninfo,
        kwargs={"autocommit": True},
        min_size=minimum,
        max_size=maximum,
        timeout=wait_s,
        open=True,
        check=refuse_ended,
        num_workers=1,
    )


def refuse_ended(connection: Connection) -> None:
    """Makes the pool replace a connection that the server has ended; a look at the socket, no round trip."""
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    if poll.poll(0):
        raise psycopg.OperationalError("an idle connection has something to read: the server ended it")
