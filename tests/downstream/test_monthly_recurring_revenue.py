"""The example counts what the ledger says, whatever happens to it, to the topic, and to its group."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest
from kafka import KafkaProducer

from adapters.kafka.topic_settings import Topics, ensure_topics
from adapters.kit import Connection, Event, SequenceGap, Stopped, parked, retry_parked
from domain.license_pool import LicensePool
from examples.monthly_recurring_revenue.books import CONSUMER, handle, truncate_tables
from tests.adapters.kafka.conftest import ENVIRONMENT, ROOT, until
from tests.adapters.kit.stages import serving_feed
from tests.downstream.conftest import Service, Told, told_story
from tests.downstream.story import keeps_writing

if TYPE_CHECKING:
    from adapters.embedded.kafka import EmbeddedKafka
    from adapters.embedded.postgres import EmbeddedPostgres

CANCELLED = "seatledger.subscription.subscription_cancelled.v1"


def slowly(event: Event, connection: Connection) -> None:
    handle(event, connection)
    time.sleep(0.005)


@contextmanager
def running(service: Service, told: Told, **more: object) -> Iterator[threading.Event]:
    """A member of the group, which leaves when it is told to, or at the end."""
    consumer = service.consumer(told.source(group=f"group {service.url}"), with_handle=slowly, batch=5, **more)
    stop = threading.Event()
    thread = threading.Thread(target=consumer.run, args=[stop])
    thread.start()
    try:
        yield stop
    finally:
        stop.set()
        thread.join(30)


def test_what_recurs_is_what_the_ledger_says_also_of_a_topic_with_aborted_transactions(
    told: Told, service: Service
) -> None:
    consumer = service.catches_up(told.source())
    service.assert_as_the_ledger_says(told)
    metrics = consumer.metrics()
    assert metrics.handled + metrics.passed_over == told.events
    assert (metrics.parked, metrics.duplicates, metrics.stopped) == (0, 0, {})


def test_a_consumer_killed_at_random_points_counts_everything_once(told: Told, service: Service) -> None:
    chance = random.Random(11)  # noqa: S311 - not a secret
    program = Path(__file__).with_name("consumer_program.py")
    names = (service.url, told.here.bootstrap, told.here.topics.events)
    begin = [sys.executable, str(program), *names]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    deaths = 0
    with subprocess.Popen(begin, cwd=ROOT, env=ENVIRONMENT, **pipes) as nursery:  # type: ignore[call-overload]

        def born() -> int:
            nursery.stdin.write("go\n")
            nursery.stdin.flush()
            return int(nursery.stdout.readline())

        child = born()
        while deaths < 10 or not service.has_read(told):
            time.sleep(chance.uniform(0.2, 0.9))
            os.kill(child, signal.SIGKILL)
            deaths += 1
            assert deaths < 60, "it comes to no end"
            child = born()
            if deaths == 10:
                until(lambda: service.has_read(told))
        os.kill(child, signal.SIGKILL)
        nursery.stdin.close()
    service.assert_as_the_ledger_says(told)


def test_members_that_join_and_leave_count_everything_once(told: Told, service: Service) -> None:
    with ExitStack() as members:
        first = members.enter_context(running(service, told))
        until(lambda: service.one("SELECT count(*) FROM kit.places"))
        second = members.enter_context(running(service, told))
        time.sleep(0.7)
        members.enter_context(running(service, told))
        first.set()
        time.sleep(0.7)
        members.enter_context(running(service, told))
        second.set()
        until(lambda: service.has_read(told))
    service.assert_as_the_ledger_says(told)


def test_two_owners_of_all_partitions_at_once_count_everything_once(told: Told, service: Service) -> None:
    consumers = [
        service.consumer(told.source(group=f"{number} {service.url}"), with_handle=slowly, batch=3)
        for number in range(2)
    ]
    stop = threading.Event()
    threads = [threading.Thread(target=consumer.run, args=[stop]) for consumer in consumers]
    for thread in threads:
        thread.start()
    try:
        until(lambda: service.has_read(told))
    finally:
        stop.set()
        for thread in threads:
            thread.join(30)
    service.assert_as_the_ledger_says(told)
    assert sum(consumer.metrics().fenced for consumer in consumers)
    assert sum(consumer.metrics().handled + consumer.metrics().passed_over for consumer in consumers) == told.events


def test_what_is_delivered_again_is_not_counted_again(told: Told, service: Service) -> None:
    service.catches_up(told.source())
    before = service.tables()
    service.rows("UPDATE kit.places SET kafka_offset = NULL, kafka_position = NULL RETURNING 1")
    assert service.catches_up(told.source()).metrics().duplicates == told.events
    assert service.tables() == before


def test_replaying_from_zero_gives_the_same_tables(told: Told, service: Service) -> None:
    consumer = service.catches_up(told.source())
    before = service.tables()
    consumer.replay(truncate=truncate_tables)
    assert service.tables() == [[], []]
    service.catches_up(told.source())
    assert service.tables() == before
    service.assert_as_the_ledger_says(told)


def test_as_a_process_it_runs_until_it_is_told_to_stop_and_replays(told: Told, service: Service) -> None:
    module = [sys.executable, "-m", "examples.monthly_recurring_revenue"]
    settings = {**ENVIRONMENT, "MRR_DATABASE_URL": service.url, "MRR_KAFKA_BOOTSTRAP": told.here.bootstrap}
    runs = [*module, "run", "--topic", told.here.topics.events]
    with subprocess.Popen(runs, cwd=ROOT, env=settings) as process:
        until(lambda: service.has_read(told))
        subprocess.run([*module, "replay"], cwd=ROOT, env=settings, check=True)
        until(lambda: service.has_read(told))  # it has noticed by itself
        process.terminate()
        assert process.wait(30) == 0
    service.assert_as_the_ledger_says(told)


def test_the_consumer_of_the_documentation_works(told: Told, service: Service) -> None:
    page = (ROOT / "docs" / "consumers.md").read_text(encoding="utf-8")
    code = page.split("```python\n")[1].split("```")[0]
    assert len([line for line in code.splitlines() if line]) <= 20
    for said, meant in {
        '"postgresql://127.0.0.1/mine"': repr(service.url),
        'KafkaSource("127.0.0.1:9092")': f"KafkaSource({told.here.bootstrap!r}, {told.here.topics.events!r})",
        ".run(stop)": ".catch_up(stop)",
    }.items():
        assert said in code
        code = code.replace(said, meant)
    before = signal.getsignal(signal.SIGTERM)
    exec(code, {})  # noqa: S102 - our own page
    signal.signal(signal.SIGTERM, before)
    resized = {
        event.subscription_id: event.total
        for contoso in told.story.organizations
        for event in contoso.told()
        if isinstance(event, LicensePool.LicensesResized)
    }
    assert dict(service.rows("SELECT subscription_id, total FROM totals")) == resized


def test_a_poison_event_is_parked_with_what_follows_of_its_organization_and_counted_when_it_is_retried(
    told: Told, service: Service
) -> None:
    def broken(event: Event, connection: Connection) -> None:
        handle(event, connection)
        if event.type == CANCELLED:
            raise ZeroDivisionError

    metrics = service.catches_up(told.source(), with_handle=broken).metrics()
    assert service.has_read(told)
    with psycopg.connect(service.url, autocommit=True) as connection:
        waiting = parked(connection, CONSUMER)
        assert metrics.parked == len(waiting) > 2
        assert {one.organization_id for one in waiting} < {one.organization_id for one in told.story.organizations}
        assert [one.type for one in waiting if one.error] == [CANCELLED] * 2
        again = retry_parked(connection, CONSUMER, broken)
        assert (again.handled, [one.type for one in again.failed]) == (0, [CANCELLED] * 2)
        mended = retry_parked(connection, CONSUMER, handle)
        assert (mended.handled, list(mended.failed)) == (len(waiting), [])
    service.assert_as_the_ledger_says(told)


def test_a_message_that_was_removed_stops_its_partition_and_is_named(told: Told, service: Service) -> None:
    topics = Topics(f"less.{told.here.topics.events}", f"less.{told.here.topics.position}")
    ensure_topics(told.here.bootstrap, topics)
    messages = told.here.messages()
    removed = next(one for one in messages if one.type == CANCELLED)
    producer = KafkaProducer(bootstrap_servers=told.here.bootstrap, metrics_enabled=False)
    for one in messages:
        if one != removed:
            headers = [(name, value.encode()) for name, value in one.headers.items()]
            producer.send(topics.events, key=one.key, value=one.value, headers=headers, partition=one.partition)
    producer.flush()
    producer.close()
    with pytest.raises(Stopped) as stopped:
        service.catches_up(replace(told.source(), topic=topics.events))
    (gap,) = stopped.value.errors.values()
    assert isinstance(gap, SequenceGap)
    assert str(gap.organization_id) == removed.headers["ce_organizationid"]
    assert gap.expected == int(removed.headers["ce_sequence"])
    assert gap.found == gap.expected + 1


def test_beginning_with_the_feed_and_going_on_with_kafka_loses_and_doubles_nothing_while_events_keep_coming(
    postgres: EmbeddedPostgres, kafka: EmbeddedKafka, service: Service, tmp_path: Path
) -> None:
    with (
        told_story(postgres, kafka.bootstrap) as told,
        serving_feed(told.here.url, tmp_path, limit=40) as feed,
        told.here.relay_process(),
    ):
        done = threading.Event()
        writer = threading.Thread(target=keeps_writing, args=[told.story, done.is_set])
        writer.start()
        try:
            consumer = service.catches_up(feed)
            by_feed = consumer.metrics().handled
            at = told.events
            with running(service, told):
                until(lambda: told.events > at + 30)
                done.set()
                writer.join()
                until(lambda: service.has_read(told))
        finally:
            done.set()
            writer.join()
        assert by_feed > 100
        service.assert_as_the_ledger_says(told)
