"""Connections that threads share, made by who needs one and thrown away when they are broken.

psycopg's own pool connects in the background: with a database that is down every caller waits until its time is up,
and after a restart for the pool's next attempt. Here the caller connects, and learns at once why it cannot.
"""

from __future__ import annotations

import select
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self

import psycopg
from psycopg.pq import TransactionStatus

from adapters.postgres import wall
from adapters.postgres.session import connect
from services.ports import LedgerUnavailable

Connection = psycopg.Connection[tuple[Any, ...]]


class Pool:
    """At most `size` connections in autocommit; a caller waits `wait_s` for one, then gets LedgerUnavailable.

    A `walled` pool lends connections that show what the caller's context may see, and nothing else.
    """

    def __init__(self, conninfo: str, *, size: int, wait_s: float, walled: bool = False) -> None:
        self._conninfo, self._size, self._wait_s, self._walled = conninfo, size, wait_s, walled
        self._places = threading.Semaphore(size)
        self._idle: deque[tuple[Connection, str]] = deque()  # and what each shows
        self._closed = False

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        if not self._places.acquire(timeout=self._wait_s):
            raise LedgerUnavailable(
                f"all {self._size} connections to the database are busy: raise the pool size, or send the same command"
                " again later"
            )
        try:
            connection, shows = self._idle_one() or (connect(self._conninfo), wall.NONE)
            try:
                if self._walled and shows != (visible := wall.visible()):
                    wall.show(connection, visible)
                    shows = visible
                yield connection
            finally:
                if self._closed or connection.pgconn.transaction_status != TransactionStatus.IDLE:
                    connection.close()
                else:
                    self._idle.append((connection, shows))
        finally:
            self._places.release()

    def _idle_one(self) -> tuple[Connection, str] | None:
        """The one used last, unless the server has ended it: a look at the socket, no round trip."""
        while True:
            try:
                connection, shows = self._idle.pop()
            except IndexError:
                return None
            poll = select.poll()
            poll.register(connection.fileno(), select.POLLIN)
            if not poll.poll(0):
                return connection, shows
            connection.close()  # a server says something to an idle connection when it ends it

    def close(self) -> None:
        """Closes the idle ones now, the others when they come back."""
        self._closed = True
        while self._idle:
            self._idle.pop()[0].close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
