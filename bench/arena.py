"""Where the contests take place: databases of this run's own, on a throw-away server or on one that is named."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import psycopg
from psycopg.conninfo import make_conninfo

from adapters.embedded.throw_away import throw_away_postgres
from adapters.postgres.migrate import migrate

DATABASE_URL = "SEATLEDGER_BENCH_DATABASE_URL"
SLOW_FLUSH_US = 2000
COMMITS = 40
SHOWN = ("server_version", "fsync", "synchronous_commit", "wal_sync_method", "full_page_writes", "shared_buffers")


class Arena:
    """Migrated databases by name; all are dropped at the end."""

    def __init__(self, server: str, *, is_throw_away: bool) -> None:
        self._connection: psycopg.Connection[Any] = psycopg.connect(server, autocommit=True)
        self._server = server
        self._prefix = f"seatledger_bench_{uuid4().hex[:8]}"
        self._made: list[str] = []
        self.facts: dict[str, Any] = {"throw_away": is_throw_away}
        self.facts |= {name: self._one(f"SHOW {name}") for name in SHOWN}

    def database(self, name: str, *, slow_flush: bool = False) -> str:
        """The URL of a new migrated database.

        With `slow_flush` its sessions, and no others, wait 2 ms before they flush the log for a group of commits.
        """
        full = f"{self._prefix}_{name}"
        if not self._made:
            self._create(f"{self._prefix}_template")
            migrate(self._url(self._made[0]))
        self._create(full, template=self._made[0])
        if slow_flush:
            for setting, value in {"commit_delay": SLOW_FLUSH_US, "commit_siblings": 0}.items():
                self._connection.execute(f"ALTER DATABASE {full} SET {setting} = {value}".encode())
        self.facts[f"commit_ms_{name}"] = commit_ms(self._url(full))
        return self._url(full)

    def _create(self, name: str, template: str = "template1") -> None:
        self._connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}".encode())
        self._made.append(name)

    def _url(self, name: str) -> str:
        return make_conninfo(self._server, dbname=name)

    def _one(self, query: str) -> Any:
        return self._connection.execute(query.encode()).fetchone()[0]  # type: ignore[index]

    def close(self) -> None:
        for name in reversed(self._made):
            self._connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)".encode())
        self._connection.close()


@contextmanager
def arena() -> Iterator[Arena]:
    """On the server that the environment names, or on one that is thrown away."""
    if named := os.environ.get(DATABASE_URL):
        yield from _on(named, is_throw_away=False)
    else:
        with throw_away_postgres() as server:
            yield from _on(server.url, is_throw_away=True)


def _on(server: str, *, is_throw_away: bool) -> Iterator[Arena]:
    here = Arena(server, is_throw_away=is_throw_away)
    try:
        yield here
    finally:
        here.close()


def commit_ms(url: str) -> float:
    """What one small commit takes when nobody else commits: mostly the disk's flush."""
    took = []
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE bench_commits (moment timestamptz)")
        for _ in range(COMMITS):
            started = time.perf_counter()
            connection.execute("INSERT INTO bench_commits VALUES (now())", prepare=True)
            took.append(time.perf_counter() - started)
        connection.execute("DROP TABLE bench_commits")
    return round(1000 * statistics.median(took), 3)
