"""What one transaction of the relay takes: the messages of a batch of events, and the position that it ends at."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple, Protocol, Self

from adapters.garbage import cycles_left_alone
from adapters.kafka.cloud_event import Message, message_of
from adapters.kafka.public_events import types_of
from adapters.kafka.public_mapper import Unpublishable
from adapters.kafka.relay_position import RelayPosition
from adapters.kafka.skipped import NONE, Skips, is_skipped, placeholder_of
from adapters.kafka.watchdog import Watchdog
from domain.envelope import RecordedEvent

FAR_BEHIND = 4  # full batches in a row


class Batch(NamedTuple):
    """Messages, the position after them, and what comes right behind them if it cannot go out."""

    messages: list[Message]
    position: RelayPosition | None  # None without messages
    stuck: Unpublishable | None


def translate(events: Sequence[RecordedEvent], source: str, edition: int = 1, skips: Skips = NONE) -> Batch:
    """All events of the ledger `source`, or those before the first that cannot go out and is not skipped."""
    types = types_of(edition)
    messages: list[Message] = []
    stuck: Unpublishable | None = None
    with cycles_left_alone():
        for event in events:
            try:
                skipped = is_skipped(event, skips)
                messages.append(placeholder_of(event, source) if skipped else message_of(event, source, types))
            except Unpublishable as error:
                stuck = error
                break
    position = RelayPosition.of(events[len(messages) - 1], source, edition) if messages else None
    return Batch(messages, position, stuck)


class Events(Protocol):
    """Where the events come from."""

    def poll(self, limit: int) -> list[RecordedEvent]:
        """The next events, at most `limit`; none when there are none yet."""

    def go_back(self, after: int) -> None:
        """Goes on from a position, wherever it was."""


class Beside(Protocol):
    """Who reads and translates at the same time, whole batches alone."""

    def ready(self) -> bool:
        """Whether it can be asked: until then it only costs time."""

    def next(self, after: int) -> Batch | None:
        """The first batch after a position, then the next ones; None: it ends, and there may be more."""

    def kill(self) -> None:
        """Ends it, and what waits for it; may be said again."""


class BatchReader:
    """Answers the next batch, and reads on in a thread when it is told to, as long as batches are full.

    The producer waits for the broker half of its time; that is when the next batch is fetched and translated. A relay
    that has caught up reads nothing ahead: what is recorded during a transaction then goes out with the next one. One
    that is far behind is helped: it is given the batches of somebody `beside` until that one ends.
    """

    def __init__(
        self,
        events: Events,
        source: str,
        limit: int,
        watchdog: Watchdog,
        *,
        edition: int = 1,
        skips: Skips = NONE,
        beside: Callable[[], Beside] | None = None,
    ) -> None:
        self._events = events
        self._source = source
        self._limit = limit
        self._edition = edition
        self._skips = skips
        self._watchdog = watchdog
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="relay-reader")
        self._ahead: Future[tuple[Batch, bool]] | None = None
        self._is_behind = False
        self._calls = beside
        self._beside: Beside | None = None
        self._full = 0  # batches in a row
        self._after = 0  # the last event of the last batch, once there was one

    def next(self) -> Batch:
        """The next batch, without messages when nothing was recorded; raises what reading it raised."""
        batch, is_full = self._ahead.result() if self._ahead else self._read()
        self._ahead, self._is_behind = None, is_full and not batch.stuck
        return batch

    def read_on(self) -> None:
        """Begins to read the batch after the one that was answered, where there is more."""
        if self._is_behind:
            self._ahead = self._thread.submit(self._read)

    def _read(self) -> tuple[Batch, bool]:
        if self._beside and self._beside.ready():
            if batch := self._beside.next(self._after):
                return self._noted(batch), True
            self._alone_again()
            self._events.go_back(self._after)
        events = self._events.poll(self._limit)
        batch = self._noted(translate(events, self._source, self._edition, self._skips))
        self._full = self._full + 1 if len(events) == self._limit else 0
        if self._full == 0:
            self._alone_again()
        elif self._full == FAR_BEHIND and self._calls:
            self._beside = self._calls()
        return batch, self._full > 0

    def _noted(self, batch: Batch) -> Batch:
        if batch.position:
            self._after = batch.position.position
        return batch

    def _alone_again(self) -> None:
        if self._beside:
            self._beside.kill()
        self._beside, self._full = None, 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._beside:
            self._beside.kill()  # the thread may wait for it
        with self._watchdog.guards("reading ahead"):  # nobody may close the connection that it reads from
            self._thread.shutdown()
        self._alone_again()
