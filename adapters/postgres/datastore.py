"""The connections of one process: a pool for all work, and a small one for those who wait for their turn."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from eventsourcing.postgres import PostgresDatastore

from adapters.postgres.errors import unavailable_is_told
from adapters.postgres.pool import Connection, Pool
from adapters.postgres.session import API, APP, session

WAIT_S = 10.0  # for a connection of the pool
TURN_WAIT_S = 60.0
TURNS = 4  # connections of those who conflicted; others that conflicted wait for one of these


class LedgerDatastore(PostgresDatastore):
    """The library's datastore on a connection URL; its sessions act as the application's role, in autocommit.

    `walled`: as the API's role, which sees one organization at a time.
    """

    def __init__(self, url: str, *, pool_size: int, name: str, walled: bool = False) -> None:
        super().__init__(dbname="", host="", port="", user="", password="", schema="ledger")
        self.walled = walled
        role = API if walled else APP
        self.pool: Any = Pool(session(url, role=role, name=name), size=pool_size, wait_s=WAIT_S, walled=walled)
        # Apart, so that nobody who waits here keeps a connection that the one he waits for needs to finish.
        limits = {"lock_timeout": "60s", "idle_in_transaction_session_timeout": "0"}
        self.turns = Pool(session(url, role=role, name=f"{name} turn", **limits), size=TURNS, wait_s=TURN_WAIT_S)

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
