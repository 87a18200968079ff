"""A topic in memory, whose group does what a test says: beside it stand Kafka and the feed."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

from adapters.kafka.cloud_event import Message, message_of
from adapters.kit.kafka_record import KafkaRecord
from adapters.kit.source import PARTITIONS, Place, Share, Shares
from domain.envelope import Envelope, RecordedEvent

SOURCE = "/seatledger/a-ledger/1"
REMOVED, OPAQUE = "seatledger.Member.MemberRemoved", "seatledger.Member.MemberDetailsChanged"
ADDED = "seatledger.Member.MemberAdded"
ORGANIZATION = UUID(int=1)
AT = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)
STATES: dict[str, bytes] = {
    REMOVED: b"{}",
    OPAQUE: b'{"details":{}}',
    ADDED: b'{"originator_topic":"seatledger.Member","kind":"member","details":{}}',
}


def message(
    organization_id: UUID, sequence: int, position: int, *, topic: str = REMOVED, source: str = SOURCE
) -> Message:
    """As the relay would send it."""
    command = uuid4()
    envelope = Envelope(
        actor_id=uuid4(),
        actor_role="operator",
        on_behalf_of=None,
        command="write",
        command_id=command,
        step="",
        index=0,
        count=1,
        correlation_id=command,
        causation_id=None,
        occurred_at=AT,
        effective_at=AT + timedelta(days=1),
    )
    event = RecordedEvent(
        uuid4(),
        sequence,
        topic,
        STATES[topic],
        organization_id=organization_id,
        organization_seq=sequence,
        position=position,
        recorded_at=int(AT.timestamp() * 1e6) + position,
        metadata=envelope.model_dump_json().encode(),
        chain_hash=bytes(32),
    )
    return message_of(event, source)


def history(
    organizations: Sequence[UUID], events: int, *, topics: Sequence[str] = (REMOVED, OPAQUE, ADDED)
) -> list[Message]:
    """So many events, the organizations in turn; positions have gaps."""
    sequences: dict[UUID, Iterable[int]] = {one: count(1) for one in organizations}
    return [
        message(one, next(iter(sequences[one])), 10 + 3 * number, topic=topics[number % len(topics)])
        for number in range(events)
        for one in [organizations[number % len(organizations)]]
    ]


def without(sent: Message, *names: str) -> Message:
    return sent._replace(headers=[header for header in sent.headers if header[0] not in names])


def with_header(sent: Message, name: str, value: str) -> Message:
    return sent._replace(headers=[*without(sent, name).headers, (name, value.encode())])


@dataclass
class MemoryTopic:
    """Messages by partition; offsets have gaps, as control records make them."""

    messages: dict[int, list[Any]] = field(default_factory=lambda: defaultdict(list))

    def append(self, *sent: Message, partition: int | None = None) -> None:
        for one in sent:
            log = self.messages[one.partition if partition is None else partition]
            log.append(
                SimpleNamespace(
                    partition=one.partition if partition is None else partition,
                    offset=2 * len(log),
                    key=one.key,
                    value=one.value,
                    headers=one.headers,
                )
            )

    def source(self, partitions: Iterable[int] = range(PARTITIONS)) -> MemorySource:
        return MemorySource(self, set(partitions))


@dataclass
class MemorySource:
    """A member of a group that has these partitions, until a test says otherwise."""

    topic: MemoryTopic
    assigned: set[int]
    readers: list[MemoryReader] = field(default_factory=list)
    gaps: bool = False
    at_once: int = 20

    def open(self, consumer: str, shares: Shares) -> MemoryReader:  # noqa: ARG002 - as the protocol says
        self.readers.append(MemoryReader(self, shares))
        return self.readers[-1]

    def places_at(self, moment: datetime) -> Mapping[int, Place]:
        raise NotImplementedError(moment)


class MemoryReader:
    def __init__(self, source: MemorySource, shares: Shares) -> None:
        self.source, self.shares = source, shares
        self.next: dict[int, int] = {}
        self.joined: set[int] = set()
        self.paused: set[int] = set()
        self.pauses = 0

    def poll(self, wait_s: float) -> list[KafkaRecord]:
        self._rebalance()
        found: list[KafkaRecord] = []
        for partition, offset in self.next.items():
            if partition in self.paused:
                continue
            log = [one for one in list(self.source.topic.messages[partition]) if one.offset >= offset]
            found += [KafkaRecord("memory", one) for one in log[: self.source.at_once]]
        for record in found:
            self.next[record.partition] = record.offset + 1
        if not found:
            threading.Event().wait(min(wait_s, 0.01))
        return found

    def seek(self, share: Share, places: Mapping[int, Place]) -> None:
        (partition,) = share
        self.next[partition] = places[partition].offset or 0
        self.paused.discard(partition)

    def pause(self, share: Share) -> None:
        self.pauses += 1
        self.paused.update(share)

    def resume(self, share: Share) -> None:
        self.paused.difference_update(share)

    @property
    def at_head(self) -> bool:
        return not any(self.lag().values())

    def lag(self) -> Mapping[int, int]:
        messages = self.source.topic.messages
        return {
            partition: sum(1 for one in list(messages[partition]) if one.offset >= offset)
            for partition, offset in self.next.items()
            if partition not in self.paused
        }

    def close(self) -> None:
        self.shares.leave([(partition,) for partition in self.joined])

    def _rebalance(self) -> None:
        """As Kafka does it: all are taken away, then those that are its own by now are given."""
        if self.joined == self.source.assigned:
            return
        self.shares.leave([(partition,) for partition in self.joined])
        self.next.clear()
        self.joined = set(self.source.assigned)
        for partition in self.joined:
            self.shares.join((partition,))
