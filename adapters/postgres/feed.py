"""History over all organizations for many who ask at once: one connection, however many they are."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

from adapters.postgres.follower import Follower
from services.follow_events import Followed, Seen
from services.ports import LedgerUnavailable

T = TypeVar("T")

AGAIN_S = 1.0  # so long after a failure nobody tries to connect: they would queue behind each other's waiting


class EventFeed:
    """Implements `services.follow_events.Feed`, as the role that sees all organizations. For several threads.

    What is settled is asked for and read on the same connection: after a crash of the server, positions that were
    settled before may be drawn again, and the connection that took them for settled is gone with it.
    """

    def __init__(self, url: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._url, self._clock = url, clock
        self._lock = threading.Lock()
        self._follower: Follower | None = None
        self._beginnings = 0
        self._failed: tuple[float, str] | None = None  # until when nobody tries, and why

    def after(self, position: int, limit: int) -> Followed:
        def read(follower: Follower) -> Followed:
            follower.go_back(position)
            events = follower.poll(limit)
            seen = Seen(self._beginnings, follower.settled)
            return Followed(events, seen, *follower.told_as(position)) if events else Followed(events, seen)

        return self._ask(read)

    def seen(self) -> Seen:
        """How far history is settled now; reads no event."""

        def settle(follower: Follower) -> Seen:
            follower.go_back(follower.settled)
            follower.poll(0, until=0)
            return Seen(self._beginnings, follower.settled)

        return self._ask(settle)

    def _ask(self, question: Callable[[Follower], T]) -> T:
        with self._lock:
            if self._failed and self._clock() < self._failed[0]:
                raise LedgerUnavailable(self._failed[1])
            try:
                if self._follower is None:
                    self._follower = Follower(self._url, session_name="seatledger feed")
                    self._beginnings += 1
                answer = question(self._follower)
            except LedgerUnavailable as failure:
                self._failed = self._clock() + AGAIN_S, str(failure)
                self._leave()
                raise
            self._failed = None
            return answer

    def _leave(self) -> None:
        if self._follower is not None:
            self._follower.close()
            self._follower = None

    def close(self) -> None:
        with self._lock:
            self._leave()
