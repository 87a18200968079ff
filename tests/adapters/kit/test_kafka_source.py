"""What is particular to Apache Kafka: groups, offsets, times, and what else may stand in a topic."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from kafka import KafkaAdminClient, KafkaProducer

from adapters.kafka.topic_settings import Topics, ensure_topics
from adapters.kit import KafkaSource, MessageRefused, SourceUnsuited, Stopped
from adapters.kit import kafka_source as module
from adapters.kit.kafka_source import KafkaReader
from tests.adapters.kit.conftest import Desk, forget, until
from tests.adapters.kit.memory_topic import REMOVED, history, message
from tests.adapters.kit.stages import QUICK

if TYPE_CHECKING:
    from adapters.embedded.kafka import EmbeddedKafka
    from adapters.kafka.cloud_event import Message

ORGANIZATIONS = [uuid4() for _ in range(9)]


class Topic:
    """A topic that a test writes to by itself."""

    def __init__(self, bootstrap: str, name: str | None = None) -> None:
        self.bootstrap, self.name = bootstrap, name or f"kit.{uuid4().hex}"
        ensure_topics(bootstrap, Topics(self.name, f"{self.name}.position"))

    def send(self, *sent: Message, at: datetime | None = None) -> None:
        producer = KafkaProducer(bootstrap_servers=self.bootstrap, metrics_enabled=False)
        for one in sent:
            producer.send(
                self.name,
                key=one.key,
                value=one.value,
                headers=one.headers,
                partition=one.partition,
                timestamp_ms=int(at.timestamp() * 1000) if at else one.timestamp_ms,
            )
        producer.flush()
        producer.close()

    def delete(self) -> None:
        admin = KafkaAdminClient(bootstrap_servers=self.bootstrap)
        admin.delete_topics([self.name])
        until(lambda: self.name not in admin.list_topics())
        admin.close()

    def source(self, **more: Any) -> KafkaSource:
        return KafkaSource(self.bootstrap, self.name, settings=QUICK, **more)


@pytest.fixture
def topic(kafka: EmbeddedKafka) -> Topic:
    return Topic(kafka.bootstrap)


def test_a_replay_from_a_time_begins_with_what_was_recorded_then(desk: Desk, topic: Topic) -> None:
    sent = history(ORGANIZATIONS, 90, topics=[REMOVED])
    noon = datetime(2026, 11, 2, 12, tzinfo=UTC)
    topic.send(*sent[:60], at=noon.replace(hour=11))
    topic.send(*sent[60:], at=noon)
    desk.catches_up(topic.source())
    consumer = desk.consumer(topic.source())
    consumer.replay(truncate=forget, from_time=noon)
    metrics = desk.catches_up(topic.source())
    assert desk.effects == [10 + 3 * number for number in range(60, 90)]
    assert metrics.duplicates == 0  # the broker found the offsets
    with pytest.raises(SourceUnsuited, match="nothing that was recorded"):
        consumer.replay(truncate=forget, from_time=noon.replace(year=2027))
    assert len(desk.effects) == 30  # nothing was taken back


def test_a_topic_that_was_made_again_is_read_from_its_beginning_by_position(desk: Desk, topic: Topic) -> None:
    sent = history(ORGANIZATIONS, 60, topics=[REMOVED])
    topic.send(*sent[:40])
    desk.catches_up(topic.source())
    topic.delete()
    again = Topic(topic.bootstrap, topic.name)
    again.send(*[message(one, 1, 1) for one in ORGANIZATIONS], *sent)  # everything has another offset now
    assert desk.catches_up(topic.source()).duplicates >= 40
    assert desk.effects == [10 + 3 * number for number in range(60)]


def test_after_a_fork_the_messages_of_the_new_source_alone_are_read(desk: Desk, topic: Topic) -> None:
    forked = "/seatledger/a-ledger/2"
    topic.send(*[message(one, 1, 10 + number) for number, one in enumerate(ORGANIZATIONS)])
    desk.catches_up(topic.source())
    topic.send(*[message(one, 1, 10 + number, source=forked) for number, one in enumerate(ORGANIZATIONS)])
    topic.send(message(ORGANIZATIONS[0], 2, 30, source=forked))
    with pytest.raises(Stopped):
        desk.catches_up(topic.source())
    desk.consumer(topic.source()).replay(truncate=forget)
    desk.catches_up(topic.source(ledger=forked))
    assert len(desk.effects) == len(ORGANIZATIONS) + 1
    assert desk.rows("SELECT source FROM kit.consumers") == [(forked,)]


def test_a_topic_with_another_number_of_partitions_is_refused(desk: Desk, kafka: EmbeddedKafka) -> None:
    name = f"kit.{uuid4().hex}"
    admin = KafkaAdminClient(bootstrap_servers=kafka.bootstrap)
    admin.create_topics({name: {"num_partitions": 3, "replication_factor": 1}})
    admin.close()
    with pytest.raises(SourceUnsuited, match="has 3 partitions, not 12"):
        desk.catches_up(KafkaSource(kafka.bootstrap, name, settings=QUICK))


def test_a_topic_that_is_not_there_yet_is_waited_for(desk: Desk, kafka: EmbeddedKafka) -> None:
    name = f"kit.{uuid4().hex}"
    consumer = desk.consumer(KafkaSource(kafka.bootstrap, name, settings=QUICK))
    with desk.running(consumer):
        time.sleep(0.2)
        Topic(kafka.bootstrap, name).send(message(ORGANIZATIONS[0], 1, 10))
        until(lambda: desk.effects == [10])


def test_a_tombstone_stops_its_partition(desk: Desk, topic: Topic) -> None:
    first = message(ORGANIZATIONS[0], 1, 10)
    topic.send(first, first._replace(value=None))  # type: ignore[arg-type]
    with pytest.raises(Stopped, match="tombstone") as stopped:
        desk.catches_up(topic.source())
    assert [type(error) for error in stopped.value.errors.values()] == [MessageRefused]
    assert desk.effects == [10]


def test_members_share_the_partitions_and_take_over_from_each_other(desk: Desk, topic: Topic) -> None:
    sent = history(ORGANIZATIONS, 1_800, topics=[REMOVED])
    topic.send(*sent[:600])
    stops = [threading.Event() for _ in range(3)]
    consumers = [desk.consumer(topic.source(), batch=20) for _ in stops]
    threads = [threading.Thread(target=each.run, args=[stop]) for each, stop in zip(consumers, stops, strict=True)]
    for thread in threads:
        thread.start()
        time.sleep(0.2)
    topic.send(*sent[600:1200])
    until(lambda: len(desk.effects) == 1_200)
    stops[0].set()
    topic.send(*sent[1200:])
    until(lambda: len(desk.effects) == 1_800)
    for stop, thread in zip(stops, threads, strict=True):
        stop.set()
        thread.join(20)
    assert desk.effects == [10 + 3 * number for number in range(1_800)]
    assert sum(each.metrics().handled for each in consumers) == 1_800


def test_a_join_that_the_client_forgets_is_begun_again(
    desk: Desk, topic: Topic, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The fourth trap of kafka-python 3.0.12: until it is mended there, this hangs without our second join."""
    monkeypatch.setattr(module, "STALL_S", 0.5)
    readers: list[KafkaReader] = []
    opened = KafkaReader.__init__

    def noted(self: KafkaReader, *arguments: Any) -> None:
        opened(self, *arguments)
        readers.append(self)

    monkeypatch.setattr(KafkaReader, "__init__", noted)
    topic.send(message(ORGANIZATIONS[0], 1, 10))
    consumer = desk.consumer(topic.source())
    with desk.running(consumer):
        until(lambda: desk.effects == [10])
        leave = consumer._crew.leave

        def slowly(shares: Any) -> None:
            time.sleep(0.3)  # longer than a poll
            leave(shares)

        monkeypatch.setattr(consumer._crew, "leave", slowly)
        coordinator = readers[0]._client._coordinator
        coordinator._metadata_snapshot = {topic.name: set()}  # as if other metadata had come
        until(lambda: readers[0]._patience_s > 0.5 or readers[0]._revoked_at)
        topic.send(message(ORGANIZATIONS[0], 2, 20))
        until(lambda: desk.effects == [10, 20])


def test_a_consumer_that_is_slower_than_the_broker_reads_everything(desk: Desk, topic: Topic) -> None:
    """The fifth trap of kafka-python 3.0.12: what is left of a fetch when its partition is paused is never read."""
    topic.send(*history(ORGANIZATIONS, 3_000, topics=[REMOVED]))
    metrics = desk.catches_up(topic.source(), queue=20, batch=10, handle=lambda *_: time.sleep(0.0005))
    assert metrics.handled == 3_000


def test_settings_of_the_client_cannot_undo_what_is_promised(topic: Topic, desk: Desk) -> None:
    careless = {**QUICK, "isolation_level": "read_uncommitted", "enable_auto_commit": True}
    source = replace(topic.source(), settings=careless)
    reader = source.open("careless", desk.consumer()._crew)
    try:
        assert reader._client.config["isolation_level"] == "read_committed"
        assert reader._client.config["enable_auto_commit"] is False
    finally:
        reader.close()
