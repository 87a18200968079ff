"""Clients that nobody here wrote read the topic, over aborted transactions, and all find what the ledger says."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import NamedTuple

import pytest
from cloudevents.core.bindings.kafka import KafkaMessage, from_kafka
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

from adapters.embedded.kafka import EmbeddedKafka
from adapters.embedded.postgres import EmbeddedPostgres
from adapters.kafka.cloud_event import Message, message_of
from adapters.kafka.relay import open_producer
from adapters.postgres.directory import PersonalDirectory
from adapters.postgres.ledger import open_ledger
from adapters.postgres.relay_session import RelaySession
from adapters.workers.relay import Ending
from tests.adapters.kafka.conftest import Relayed, relayed
from tests.adapters.kafka.other_clients import (
    Read,
    read_with_aiokafka,
    read_with_confluent_kafka,
    read_with_kafkajs,
    read_with_kcat,
)
from tests.adapters.kafka.test_promised import lives
from tests.examples import PURCHASED_AT
from tests.services.contoso import Clock, Contoso
from tests.services.on_sale import import_power_bi

LOST = 40  # events that a relay had sent, and not committed, when it died
READERS: dict[str, Callable[[str, str], list[Read]]] = {
    "kcat": read_with_kcat,
    "confluent-kafka": read_with_confluent_kafka,
    "aiokafka": read_with_aiokafka,
    "kafkajs": read_with_kafkajs,
}


class Told(NamedTuple):
    """A message without its place in the log, which no ledger knows."""

    partition: int
    key: str
    id: str
    type: str
    position: str
    sequence: str
    data_sha256: str

    @classmethod
    def of(cls, partition: int, key: str, headers: Mapping[str, str], value: bytes) -> Told:
        return cls(
            partition=partition,
            key=key,
            id=headers["ce_id"],
            type=headers["ce_type"],
            position=headers["ce_position"],
            sequence=headers["ce_sequence"],
            data_sha256=sha256(value).hexdigest(),
        )


@dataclass(frozen=True)
class Published:
    """A topic that the relay has written, and what must stand in each partition, in this order."""

    bootstrap: str
    topic: str
    by_ledger: list[Told]

    @property
    def where(self) -> tuple[str, str]:
        return self.bootstrap, self.topic


@pytest.fixture(scope="module")
def published(postgres: EmbeddedPostgres, kafka: EmbeddedKafka) -> Iterator[Published]:
    """The lives of two organizations; before, between and behind them what relays had begun when they died."""
    clock = Clock(PURCHASED_AT)
    with relayed(postgres, kafka.bootstrap) as here:
        ledger = open_ledger(here.url, pool_size=3, clock=clock, fingerprint_key=b"of the tests")
        try:
            import_power_bi(ledger)
            assert here.relay() is Ending.STOPPED
            directory = PersonalDirectory(ledger.recorder.datastore)  # type: ignore[attr-defined]
            for _ in range(2):
                clock.now = PURCHASED_AT
                before = here.shown
                lives(Contoso.founded(ledger, directory, clock))
                dies_relaying(here, [one for one in messages_of(here) if one.position > before][:LOST])
                assert here.relay() is Ending.STOPPED
        finally:
            ledger.close()
        dies_relaying(here, messages_of(here)[-LOST:])
        by_ledger = [one.told for one in messages_of(here)]
        assert len(by_ledger) > 3 * LOST
        yield Published(kafka.bootstrap, here.topics.events, by_ledger)


class Sent(NamedTuple):
    """An event's message as the ledger says it."""

    position: int
    message: Message

    @property
    def told(self) -> Told:
        key, value, headers, _, partition = self.message
        return Told.of(partition, key.decode(), {name: content.decode() for name, content in headers}, value)


def messages_of(here: Relayed) -> list[Sent]:
    with RelaySession(here.url, here.topics.events) as session:
        source = session.source()
        return [Sent(event.position, message_of(event, source)) for event in session.events_until(here.last)]


def dies_relaying(here: Relayed, sent: list[Sent]) -> None:
    """These, which go out again later or went out before; the broker aborts them, as it does when a relay is gone."""
    assert sent
    producer = open_producer(here.bootstrap, here.topics)
    producer.init_transactions()
    producer.begin_transaction()
    for _, message in sent:
        producer.send(here.topics.events, **message._asdict())
    producer.flush(timeout=20)
    producer.abort_transaction()
    producer.close(timeout=5)


def in_order(read: list[Read]) -> list[Told]:
    """As the log has it: by partition and offset; each client must have given every partition in this order."""
    for partition in {one.partition for one in read}:
        offsets = [one.offset for one in read if one.partition == partition]
        assert offsets == sorted(set(offsets))
    by_place = sorted(read, key=lambda one: (one.partition, one.offset))
    return [Told.of(one.partition, one.key, one.headers, one.value) for one in by_place]


@pytest.mark.parametrize("client", READERS)
def test_a_client_of_others_reads_what_the_ledger_says_and_nothing_else(client: str, published: Published) -> None:
    read = READERS[client](*published.where)
    assert in_order(read) == sorted(published.by_ledger, key=lambda one: (one.partition, one.position))
    assert all(one.headers["ce_datasha256"] == one.sha256 for one in read)


def test_they_all_see_every_message_at_the_same_place_with_the_same_headers(published: Published) -> None:
    reference, *others = [sorted(reader(*published.where)) for reader in READERS.values()]
    for read in others:
        assert read == reference


def test_the_topic_holds_aborted_messages_that_only_a_careless_reader_sees(published: Published) -> None:
    careless = read_with_confluent_kafka(*published.where, isolation="read_uncommitted")
    assert len(careless) == len(published.by_ledger) + 3 * LOST


def test_the_sdk_of_cloudevents_decodes_every_message(published: Published) -> None:
    for read in read_with_confluent_kafka(*published.where):
        said = {name: text.encode() for name, text in read.headers.items()}
        event = from_kafka(KafkaMessage(said, read.key, read.value), JSONFormat())
        assert isinstance(event, CloudEvent)
        attributes = event.get_attributes()
        assert attributes.pop("datacontenttype") == read.headers["content-type"] == "application/json"
        assert attributes.pop("partitionkey") == read.key
        assert attributes.pop("time") == datetime.fromisoformat(read.headers["ce_time"])
        assert {f"ce_{name}": text for name, text in attributes.items()} == {
            name: text for name, text in read.headers.items() if name not in {"content-type", "ce_time"}
        }
        assert event.get_data() == json.loads(read.value)
