"""The topic as a source: members of a group share its partitions, and go on from places of their own."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

import structlog
from kafka import ConsumerRebalanceListener, KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from adapters.kafka.topic_settings import Topics
from adapters.kit.kafka_record import KafkaRecord
from adapters.kit.source import PARTITIONS, Place, Share, Shares
from adapters.kit.stops import Later, SourceUnsuited

if TYPE_CHECKING:
    from collections.abc import Iterator

log = structlog.get_logger("seatledger.kit")

CLOSE_MS = 5_000
LOOK_UP_S = 15.0
STALL_S = 8.0  # without partitions after they were revoked; longer than a lane may take to leave
SETTINGS: dict[str, Any] = {
    "session_timeout_ms": 10_000,
    "heartbeat_interval_ms": 2_000,
    # Compressed, and all of it is answered at once: in memory it is ten times as much.
    "fetch_max_bytes": 1024 * 1024,
    "max_partition_fetch_bytes": 256 * 1024,
    "fetch_max_wait_ms": 200,
    "request_timeout_ms": 15_000,
    "bootstrap_timeout_ms": 5_000,
    "metrics_enabled": False,
}
OWN: dict[str, Any] = {
    "isolation_level": "read_committed",
    "enable_auto_commit": False,
    "allow_auto_create_topics": False,
    # Nothing is behind an offset that is not there any more: then it is read from the beginning, by position.
    "auto_offset_reset": "earliest",
    # kafka-python 3.0.12 forgets the rest of a fetch whose partition is paused in the middle of it, and never fetches
    # the partition again; so nothing is left of a fetch when it could be paused.
    "max_poll_records": sys.maxsize,
}


@dataclass(frozen=True)
class KafkaSource:
    """The topic of a ledger. `settings` are kafka-python's: security, timeouts, sizes."""

    bootstrap: str
    topic: str = Topics().events
    group: str | None = None  # of all processes of a consumer; by default made of its name
    ledger: str | None = None  # only the messages of this source: after a fork those of the old one stand before them
    settings: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def open(self, consumer: str, shares: Shares) -> KafkaReader:
        client = self._client(group_id=self.group or f"seatledger.kit.{consumer}")
        try:
            with broker_may_be_away():
                self._refuse_other_partitions(client)
                reader = KafkaReader(client, self.topic, shares, self.ledger)
                reader.subscribe()
        except BaseException:
            client.close(timeout_ms=CLOSE_MS)
            raise
        return reader

    def places_at(self, moment: datetime) -> Mapping[int, Place]:
        """Kafka finds messages by the time at which the ledger recorded them."""
        client = self._client(group_id=None)
        try:
            with broker_may_be_away():
                partitions = self._refuse_other_partitions(client)
                milliseconds = int(moment.timestamp() * 1000)
                offsets = client.offsets_for_times(dict.fromkeys(partitions, milliseconds))
                found = {
                    partition.partition: self._first_at(client, partition, at.offset)
                    for partition, at in offsets.items()
                    if at is not None and at.offset >= 0
                }
        finally:
            client.close(timeout_ms=CLOSE_MS)
        begins = {number: place for number, place in found.items() if place}
        if not begins:
            raise SourceUnsuited(f"{self.topic} has nothing that was recorded at {moment.isoformat()} or later")
        # A partition without later messages begins where the first of all others does: positions compare over all.
        first = min(place.position for place in begins.values())
        rest = Place(first, started_after=first)
        return {number: begins.get(number, rest) for number in range(PARTITIONS)}

    def _first_at(self, client: Any, partition: TopicPartition, offset: int) -> Place | None:
        """The place before the first message at an offset or behind it; None where only aborted ones come."""
        client.assign([partition])
        client.seek(partition, offset)
        end, deadline = client.end_offsets([partition])[partition], time.monotonic() + LOOK_UP_S
        while client.position(partition) < end and time.monotonic() < deadline:
            for message in client.poll(timeout_ms=200, max_records=1).get(partition, ()):
                record = KafkaRecord(self.topic, message)
                before = record.position() - 1
                return Place(before, started_after=before, offset=record.offset, offset_position=record.position())
        return None

    def _client(self, **settings: Any) -> Any:
        with broker_may_be_away():
            return KafkaConsumer(bootstrap_servers=self.bootstrap, **{**SETTINGS, **self.settings, **OWN, **settings})

    def _refuse_other_partitions(self, client: Any) -> list[TopicPartition]:
        numbers = client.partitions_for_topic(self.topic)
        if not numbers:
            raise Later(f"the topic {self.topic} is not there yet")
        if len(numbers) != PARTITIONS:
            raise SourceUnsuited(
                f"the topic {self.topic} has {len(numbers)} partitions, not {PARTITIONS}: the order of events within an"
                " organization is lost; read another topic"
            )
        return [TopicPartition(self.topic, number) for number in sorted(numbers)]


class KafkaReader(ConsumerRebalanceListener):  # type: ignore[misc]  # untyped
    """A member of the group."""

    def __init__(self, client: Any, topic: str, shares: Shares, ledger: str | None = None) -> None:
        self._client, self._topic, self._shares, self._ledger = client, topic, shares, ledger
        self._anchors: dict[int, Place] = {}  # of partitions that were sought, until their first message came
        self._sought: set[int] = set()
        self._reading: set[int] = set()  # sought, and not paused
        self._revoked_at: float | None = None  # until partitions are assigned again
        self._patience_s = STALL_S

    def subscribe(self) -> None:
        """Joins the group, with the topic's metadata at hand: when they come later, the client joins twice."""
        self._client.subscribe([self._topic], listener=self)
        self._client.topics()

    # What the group says.

    def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        self._revoked_at, self._patience_s = None, STALL_S
        for partition in assigned:
            # With an offset of its own the client asks the group for none; the place is sought when it is known.
            self._client.seek(partition, 0)
            self._client.pause(partition)
            self._shares.join((partition.partition,))

    def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        for partition in revoked:
            self._anchors.pop(partition.partition, None)
            self._sought.discard(partition.partition)
            self._reading.discard(partition.partition)
        self._shares.leave([(partition.partition,) for partition in revoked])
        self._revoked_at = time.monotonic()

    # What the consumer asks.

    def poll(self, wait_s: float) -> Iterable[KafkaRecord]:
        with broker_may_be_away():
            self._join_again_if_it_stalls()
            found = self._client.poll(timeout_ms=int(wait_s * 1000))
        return [record for partition, messages in found.items() for record in self._records(partition, messages)]

    def seek(self, share: Share, places: Mapping[int, Place]) -> None:
        (number,) = share
        place = places[number]
        self._anchors.pop(number, None)
        if place.offset is not None:
            self._anchors[number] = place
        self._client.seek(self._partition(number), place.offset or 0)
        self._sought.add(number)
        self.resume(share)

    def pause(self, share: Share) -> None:
        self._client.pause(*map(self._partition, share))
        self._reading.difference_update(share)

    def resume(self, share: Share) -> None:
        self._client.resume(*map(self._partition, share))
        self._reading.update(share)

    @property
    def at_head(self) -> bool:
        lag = self.lag()
        return all(lag.get(number) == 0 for number in self._reading)

    def lag(self) -> Mapping[int, int]:
        lags = {}
        for partition in self._client.assignment():
            end = self._client.highwater(partition)
            if end is not None and partition.partition in self._sought:
                lags[partition.partition] = max(0, end - self._client.position(partition))
        return lags

    def close(self) -> None:
        self._client.close(timeout_ms=CLOSE_MS)

    def _join_again_if_it_stalls(self) -> None:
        """kafka-python 3.0.12 forgets a join that lasts longer than a poll, when other metadata were its reason.

        It then has its old partitions, revoked, for ever. A group that is only slow gets more time at each turn.
        """
        if self._revoked_at is not None and time.monotonic() - self._revoked_at > self._patience_s:
            log.warning("group is joined again", topic=self._topic, after_s=self._patience_s)
            self._client.unsubscribe()
            self.subscribe()
            self._revoked_at = time.monotonic()
            self._patience_s *= 2

    def _partition(self, number: int) -> TopicPartition:
        return TopicPartition(self._topic, number)

    def _records(self, partition: TopicPartition, messages: Iterable[Any]) -> Iterator[KafkaRecord]:
        """The first message of a partition must be the one that was read last: else it is another topic of the name."""
        records = [KafkaRecord(self._topic, message) for message in messages]
        place = self._anchors.pop(partition.partition, None)
        if place and records and not self._is_known(records[0], place):
            log.warning("topic was made again", where=records[0].where, do="it is read from the beginning, by position")
            self._client.seek(partition, 0)
            return
        yield from (record for record in records if self._ledger in {None, record.source()})

    def _is_known(self, record: KafkaRecord, place: Place) -> bool:
        try:
            return (record.offset, record.position()) == (place.offset, place.offset_position)
        except Exception:  # noqa: BLE001 - what stands there now is no event
            return False


@contextmanager
def broker_may_be_away() -> Iterator[None]:
    """Tells what may pass from what does not."""
    try:
        yield
    except KafkaError as error:
        if getattr(error, "retriable", False):
            raise Later(f"the broker answers {type(error).__name__}") from None
        raise SourceUnsuited(f"the broker answers {type(error).__name__}") from None
