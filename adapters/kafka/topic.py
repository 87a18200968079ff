"""The topic read back: every committed message, from the beginning to what was the end when the reading began."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Collection, Generator, Iterator, Mapping
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import Any

from kafka import KafkaConsumer, TopicPartition

PATIENCE_S = 90.0  # longer than an open transaction may last
AT_ONCE = 2_000  # messages that one look brings
REQUEST_TIMEOUT_MS = 15_000


class TopicUnreadable(Exception):
    """The reading did not come to the end of the topic in time."""


@dataclass(frozen=True, slots=True)
class TopicMessage:
    """A message as it was read, with its headers as text."""

    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes
    headers: Mapping[str, str]

    @property
    def position(self) -> int:
        """Where the ledger has its event; 0 where the header does not say."""
        text = self.headers.get("ce_position", "")
        return int(text) if text.isascii() and text.isdigit() else 0

    @property
    def source(self) -> str:
        """Which ledger, in which epoch, it is of."""
        return self.headers.get("ce_source", "")

    @property
    def type(self) -> str:
        """The public type of its event."""
        return self.headers.get("ce_type", "")

    @property
    def place(self) -> str:
        """Where the topic has it, for people."""
        return f"partition {self.partition} offset {self.offset}"


def read_topic(
    bootstrap: str, topic: str, *, without: Collection[str] = (), last: int | None = None
) -> Generator[TopicMessage]:
    """All committed messages, by rising position over all partitions; memory stays bounded.

    `without` are sources whose messages are passed over: positions of two sources cannot be put in order. With `last`
    only what stands on the last so many offsets of each partition.

    Raises TopicUnreadable when nothing comes for longer than a transaction may stay open.
    """
    ends = _ends(bootstrap, topic)
    if not ends:
        return
    consumer = _consumer(bootstrap, isolation_level="read_committed", fetch_max_wait_ms=50)
    try:
        begins = {partition: max(0, end - last) if last else 0 for partition, end in ends.items()}
        yield from _by_position(_Partitions(consumer, begins, ends, frozenset(without)))
    finally:
        consumer.close()


def _by_position(partitions: _Partitions) -> Iterator[TopicMessage]:
    partitions.fill()
    heads: list[tuple[int, TopicPartition]] = []
    for partition, waiting in partitions.waiting.items():
        if waiting:
            heappush(heads, (waiting[0].position, partition))
    while heads:
        _, partition = heappop(heads)
        waiting = partitions.waiting[partition]
        yield waiting.popleft()
        if not waiting:
            partitions.fill()
        if waiting:
            heappush(heads, (waiting[0].position, partition))


class _Partitions:
    """Keeps the next messages of every partition at hand until its end is reached.

    Only partitions that have none are assigned: kafka-python 3.0.12 forgets what it fetched of a paused one.
    """

    def __init__(
        self,
        consumer: Any,
        begins: Mapping[TopicPartition, int],
        ends: Mapping[TopicPartition, int],
        without: Collection[str],
    ) -> None:
        self.consumer = consumer
        self.ends = ends
        self.without = without
        self.waiting: dict[TopicPartition, deque[TopicMessage]] = {partition: deque() for partition in ends}
        self.unfinished = dict(begins)  # the offset that is read next

    def fill(self) -> None:
        """Reads until every partition that has not ended has a message waiting."""
        patient_until = time.monotonic() + PATIENCE_S
        assigned: list[TopicPartition] = []
        while hungry := [partition for partition in self.unfinished if not self.waiting[partition]]:
            if hungry != assigned:
                self._assign(hungry)
                assigned = hungry
            if self._read(hungry):
                patient_until = time.monotonic() + PATIENCE_S
            elif time.monotonic() > patient_until:
                raise TopicUnreadable(
                    f"the end of {hungry[0].topic} was not reached: a transaction is open, or the broker is down"
                )

    def _assign(self, partitions: list[TopicPartition]) -> None:
        self.consumer.assign(partitions)
        for partition in partitions:
            self.consumer.seek(partition, self.unfinished[partition])

    def _read(self, partitions: list[TopicPartition]) -> bool:
        """Whether it came further; control records take offsets too, so only the consumer's position tells."""
        records = self.consumer.poll(timeout_ms=100, max_records=AT_ONCE)
        came_further = False
        for partition in partitions:
            end, position = self.ends[partition], self.consumer.position(partition)
            found = records.get(partition, ())
            messages = (_message(record) for record in found if record.offset < end)
            self.waiting[partition].extend(one for one in messages if one.source not in self.without)
            came_further = came_further or position > self.unfinished[partition]
            self.unfinished[partition] = position
            if position >= end:
                del self.unfinished[partition]
        return came_further


def _message(record: Any) -> TopicMessage:
    return TopicMessage(
        partition=record.partition,
        offset=record.offset,
        timestamp_ms=record.timestamp,
        key=record.key,
        value=record.value or b"",
        headers={name: (value or b"").decode(errors="replace") for name, value in record.headers},
    )


def _ends(bootstrap: str, topic: str) -> dict[TopicPartition, int]:
    """Where the partitions that are not empty end, open transactions included: the reading waits for their outcome."""
    consumer = _consumer(bootstrap, isolation_level="read_uncommitted")
    try:
        numbers = consumer.partitions_for_topic(topic) or set()
        ends: dict[TopicPartition, int] = consumer.end_offsets([TopicPartition(topic, number) for number in numbers])
    finally:
        consumer.close()
    return {partition: end for partition, end in ends.items() if end > 0}


def _consumer(bootstrap: str, **settings: Any) -> Any:
    return KafkaConsumer(
        bootstrap_servers=bootstrap,
        enable_auto_commit=False,
        allow_auto_create_topics=False,
        request_timeout_ms=REQUEST_TIMEOUT_MS,
        auto_offset_reset="earliest",
        **settings,
    )
