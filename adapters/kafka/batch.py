"""What one transaction of the relay takes: the messages of a batch of events, and the position that it ends at."""

from __future__ import annotations

from collections.abc import Sequence
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


class BatchReader:
    """Answers the next batch, and reads on in a thread when it is told to, as long as batches are full.

    The producer waits for the broker half of its time; that is when the next batch is fetched and translated. A relay
    that has caught up reads nothing ahead: what is recorded during a transaction then goes out with the next one.
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
        events = self._events.poll(self._limit)
        return translate(events, self._source, self._edition, self._skips), len(events) == self._limit

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self._watchdog.guards("reading ahead"):  # nobody may close the connection that it reads from
            self._thread.shutdown()
