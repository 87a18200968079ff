"""Waiting for the next event: one task looks for all who wait, and none looks while nobody does."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from anyio import CapacityLimiter
from anyio.to_thread import run_sync

from adapters.postgres.feed import EventFeed
from services.follow_events import Seen
from services.ports import LedgerUnavailable

LOOK_S = 0.05
NOTHING = Seen(0, 0)


class Waiting:
    """Where those wait who have seen all that is settled. On one event loop; holds no thread for them."""

    def __init__(self, feed: EventFeed) -> None:
        self._feed = feed
        self.threads = CapacityLimiter(2)  # of its own: who follows takes no thread from the other calls
        self._seen = NOTHING
        self._looked = asyncio.Event()  # another one after each look that saw something
        self._failures = 0
        self._number = 0
        self._task: asyncio.Task[None] | None = None
        self.over = False

    async def beyond(self, seen: Seen, wait_s: float) -> bool:
        """Whether there may be more than was seen, or a look has failed; if not, answers when the time is over."""
        self._number += 1
        if self._task is None:
            self._task = asyncio.create_task(self._look())
        failures = self._failures

        def changed() -> bool:
            return self._seen > seen or self._failures > failures

        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    while not changed() and not self.over:
                        await self._looked.wait()
        finally:
            self._number -= 1
        return changed()

    def end(self) -> None:
        """Lets all go who wait, and nobody wait any more: the server stops."""
        self.over = True
        self._wake()

    async def _look(self) -> None:
        try:
            while self._number and not self.over:
                seen = await run_sync(self._feed.seen, limiter=self.threads)
                if seen > self._seen:
                    self._seen = seen
                    self._wake()
                await asyncio.sleep(LOOK_S)
        except LedgerUnavailable:
            self._failures += 1  # who waits asks once more, and is told
        finally:
            self._task = None
            self._wake()

    def _wake(self) -> None:
        self._looked.set()
        self._looked = asyncio.Event()
