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

from adapters.postgres.session import connect
from services.ports import LedgerUnavailable

Connection = psycopg.Connection[tuple[Any, ...]]


class Pool:
    """At most `size` connections in autocommit; a caller waits `wait_s` for one, then gets LedgerUnavailable."""

    def __init__(self, conninfo: str, *, size: int, wait_s: float) -> None:
        self._conninfo, self._size, self._wait_s = conninfo, size, wait_s
        self._places = threading.Semaphore(size)
        self._idle: deque[Connection] = deque()
        self._closed = False

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        if not self._places.acquire(timeout=self._wait_s):
            raise LedgerUnavailable(
                f"all {self._size} connections to the database are busy: raise the pool size, or send the same command"
                " again later"
            )
        try:
            connection = self._idle_one() or connect(self._conninfo)
            try:
                yield connection
            finally:
                if self._closed or connection.pgconn.transaction_status != TransactionStatus.IDLE:
                    connection.close()
                else:
                    self._idle.append(connection)
        finally:
            self._places.release()

    def _idle_one(self) -> Connection | None:
        """The one used last, unless the server has ended it: a look at the socket, no round trip."""
        while True:
            try:
                connection = self._idle.pop()
            except IndexError:
                return None
            poll = select.poll()
            poll.register(connection.fileno(), select.POLLIN)
            if not poll.poll(0):
                return connection
            connection.close()  # a server says something to an idle connection when it ends it

    def close(self) -> None:
        """Closes the idle ones now, the others when they come back."""
        self._closed = True
        while self._idle:
            self._idle.pop().close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
