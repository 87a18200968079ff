"""A relay halts rather than guess, and never commits what it does not know to be there."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from kafka import KafkaAdminClient, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType
from kafka.errors import KafkaError, OutOfOrderSequenceNumberError

from adapters.kafka.batch import translate
from adapters.kafka.cloud_event import key_of
from adapters.kafka.relay import Relay, open_producer, resume
from adapters.kafka.topic_settings import _found, ensure_topics
from adapters.kafka.watchdog import Watchdog
from adapters.postgres.follower import Follower
from adapters.postgres.relay_session import RelaySession
from adapters.workers.relay import Ending
from domain.envelope import RecordedEvent
from tests.adapters.kafka.conftest import Relayed, until

PATIENT = Watchdog(60)


def opened(here: Relayed) -> tuple[Relay, Any]:
    """A relay that has taken over, with its producer."""
    ensure_topics(here.bootstrap, here.topics)
    producer = open_producer(here.bootstrap, here.topics)
    with RelaySession(here.url, here.topics.events) as session:
        return resume(producer, here.bootstrap, here.topics, session, PATIENT), producer


def events_of(here: Relayed, after: int = 0) -> list[RecordedEvent]:
    with Follower(here.url, after) as follower:
        found: list[RecordedEvent] = []
        while follower.after < here.last:
            found.extend(follower.poll(5_000))
    return found


def rewrite_history(here: Relayed, statement: str) -> None:
    """What no role of ours may do, and a restore of an old backup does."""
    with psycopg.connect(here.url) as connection:
        connection.execute("ALTER TABLE ledger.events DISABLE TRIGGER only_grows")
        connection.execute(statement.encode(), (here.last,))
        connection.execute("ALTER TABLE ledger.events ENABLE ALWAYS TRIGGER only_grows")


def test_the_commit_of_the_client_answers_although_a_message_was_lost_and_the_relay_does_not_believe_it(
    here: Relayed,
) -> None:
    here.write(members=1)
    relay, producer = opened(here)
    relay.publish(translate(events_of(here), relay.source))
    confirmed = relay.position
    here.write(members=3)
    (partition,) = {message.partition for message in here.messages()}

    # The client as it is: it numbers a batch wrongly, as after a lost connection, and the broker refuses the batch.
    producer.begin_transaction()
    producer._transaction_manager.increment_sequence_number(TopicPartition(here.topics.events, partition), 5)
    future = producer.send(here.topics.events, key=b"lost", value=b"{}", partition=partition)
    producer.commit_transaction()  # answers
    with pytest.raises(OutOfOrderSequenceNumberError):
        future.get(timeout=5)
    producer.close(timeout=5)

    # The relay in the same place.
    relay, producer = opened(here)
    relay.publish(translate(events_of(here, relay.after)[:1], relay.source))
    confirmed = relay.position
    producer._transaction_manager.increment_sequence_number(TopicPartition(here.topics.position, 0), 5)
    with pytest.raises(OutOfOrderSequenceNumberError):
        relay.publish(translate(events_of(here, relay.after), relay.source))
    assert relay.position == confirmed
    producer.close(timeout=5)
    assert here.relay() is Ending.STOPPED
    here.assert_topic_is_the_ledger()


def test_a_relay_that_was_succeeded_in_the_middle_of_a_transaction_publishes_nothing_of_it(here: Relayed) -> None:
    here.write(members=20)
    events = events_of(here)
    _, first_producer = opened(here)
    first_producer.begin_transaction()
    first_producer.send(here.topics.events, key=key_of(events[0].organization_id), value=b"{}").get(timeout=10)
    second, second_producer = opened(here)
    with pytest.raises(KafkaError):
        first_producer.commit_transaction()
    second.publish(translate(events, second.source))
    second_producer.close(timeout=5)
    first_producer.close(timeout=1)
    here.assert_topic_is_the_ledger()


def test_a_relay_finds_its_position_behind_hundreds_of_transactions(here: Relayed) -> None:
    here.write(members=200)
    relay, producer = opened(here)
    events = events_of(here)
    for event in events:
        relay.publish(translate([event], relay.source))
    producer.close(timeout=5)
    producer = open_producer(here.bootstrap, here.topics)
    producer.init_transactions()
    for _ in range(3):  # and behind aborted ones
        producer.begin_transaction()
        producer.send(here.topics.position, key=b"x", value=b"never committed", partition=0).get(timeout=10)
        producer.abort_transaction()
    producer.close(timeout=5)
    relay, producer = opened(here)
    producer.close(timeout=5)
    assert len(events) > 200
    assert relay.after == events[-1].position


def test_without_its_position_topic_the_relay_halts_and_does_not_publish_everything_again(here: Relayed) -> None:
    here.write(members=3)
    assert here.relay() is Ending.STOPPED
    admin = KafkaAdminClient(bootstrap_servers=here.bootstrap)
    admin.delete_topics([here.topics.position])
    admin.close()
    here.write(members=3)
    assert here.relay() is Ending.HALTED
    assert len(here.messages()) == 4


@pytest.mark.parametrize(
    "rewriting",
    [
        "UPDATE ledger.events SET chain_hash = sha256(chain_hash) WHERE position = %s",
        "DELETE FROM ledger.events WHERE position = %s",
    ],
    ids=["another event there", "no event there"],
)
def test_a_ledger_with_another_history_than_the_topic_halts_the_relay(here: Relayed, rewriting: str) -> None:
    here.write(members=3)
    assert here.relay() is Ending.STOPPED
    rewrite_history(here, rewriting)
    here.write(members=3)
    assert here.relay() is Ending.HALTED
    assert len(here.messages()) == 4


def test_a_raised_epoch_is_another_source_and_halts_the_relay(here: Relayed) -> None:
    here.write(members=1)
    assert here.relay() is Ending.STOPPED
    with psycopg.connect(here.url) as connection:
        connection.execute("UPDATE ledger.source SET epoch = epoch + 1")
    here.write(members=1)
    assert here.relay() is Ending.HALTED


def test_an_event_of_a_name_that_is_not_known_stops_the_relay_right_before_it(here: Relayed) -> None:
    here.write(members=3)
    rewrite_history(here, "UPDATE ledger.events SET topic = 'seatledger.Later.Thing' WHERE position = %s")
    here.write(members=3)
    assert here.relay() is Ending.HALTED
    assert len(here.messages()) == 3


@pytest.mark.parametrize(("key", "value"), [("retention.ms", "86400000"), ("cleanup.policy", "compact")])
def test_a_topic_that_would_forget_halts_the_relay(here: Relayed, key: str, value: str) -> None:
    ensure_topics(here.bootstrap, here.topics)
    admin = KafkaAdminClient(bootstrap_servers=here.bootstrap)
    admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, here.topics.events, configs={key: value})])
    until(lambda: _found(admin, here.topics.events)[2][key] == value)
    admin.close()
    here.write(members=1)
    assert here.relay() is Ending.HALTED


def test_one_altered_message_is_found_and_named(here: Relayed) -> None:
    here.write(members=5)
    relay, producer = opened(here)
    events = events_of(here)
    victim = events[3]
    send = producer.send

    def send_altered(topic: str, **message: Any) -> Any:
        if ("ce_position", f"{victim.position:019}".encode()) in (message.get("headers") or []):
            message["value"] = message["value"].replace(b'"member"', b'"guest"')
        return send(topic, **message)

    producer.send = send_altered
    relay.publish(translate(events, relay.source))
    producer.close(timeout=5)
    (difference,) = here.differences()
    assert (difference.position, difference.what) == (victim.position, "altered")
    assert "value" in difference.detail
