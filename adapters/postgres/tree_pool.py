"""The tree for the threads of the API: connections that are shared, and show one organization's events."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from adapters.postgres.errors import unavailable_is_told
from adapters.postgres.pool import Pool
from adapters.postgres.session import API, session
from adapters.postgres.tree import TreeReads

WAIT_S = 10.0


class TreePool:
    """Lends the tree, with the events of the organization of `wall.within(…)` and of the catalog."""

    def __init__(self, url: str, *, size: int = 2) -> None:
        self._pool = Pool(session(url, role=API, name="seatledger proofs"), size=size, wait_s=WAIT_S, walled=True)

    @contextmanager
    def lent(self) -> Iterator[TreeReads]:
        with unavailable_is_told(), self._pool.connection() as connection:
            yield TreeReads.over(connection)

    def close(self) -> None:
        self._pool.close()
