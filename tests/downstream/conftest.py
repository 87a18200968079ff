"""A ledger with a year in it, on a topic with aborted transactions in it; and services with databases of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

import psycopg
import pytest

from adapters.kafka.cloud_event import message_of
from adapters.kafka.relay import open_producer
from adapters.kafka.topic_settings import ensure_topics
from adapters.kit import Connection, Consumer, Event, KafkaSource, install
from adapters.kit.source import Source
from adapters.workers.relay import Ending
from examples.monthly_recurring_revenue.books import CONSUMER, handle, install_tables
from examples.monthly_recurring_revenue.report import Line, report
from tests.adapters.kafka.conftest import Relayed, a_database, relayed, until
from tests.adapters.kit.conftest import SOON, at_most
from tests.adapters.kit.stages import QUICK
from tests.downstream.story import Story, a_story, tell

if TYPE_CHECKING:
    from adapters.embedded.kafka import EmbeddedKafka
    from adapters.embedded.postgres import EmbeddedPostgres

MONTHS = [date(2025, month, 1) for month in range(1, 6)]
ALL = (
    "SELECT * FROM recurring_revenue.movements ORDER BY position",
    "SELECT * FROM recurring_revenue.subscriptions ORDER BY subscription_id",
)


class Told(NamedTuple):
    """A ledger whose events are all in the topic, and what the aggregates say."""

    here: Relayed
    story: Story

    def source(self, **more: Any) -> KafkaSource:
        return KafkaSource(self.here.bootstrap, self.here.topics.events, settings=QUICK, **more)

    @property
    def events(self) -> int:
        return self.here.count("SELECT count(*) FROM ledger.events")


@contextmanager
def told_story(postgres: EmbeddedPostgres, bootstrap: str, *, trouble: bool = False) -> Iterator[Told]:
    """With trouble, the relay is killed on the way, and transactions that were aborted stand before and behind."""
    with relayed(postgres, bootstrap) as here, a_story(here.url) as story:
        tell(story)
        if trouble:
            ensure_topics(bootstrap, here.topics)
            aborts(here, story)
            with here.relay_process():
                until(lambda: here.shown)
        assert here.relay() is Ending.STOPPED
        if trouble:
            aborts(here, story)
        yield Told(here, story)


def aborts(here: Relayed, story: Story) -> None:
    """As a relay does that dies, of events which go out again, and only of those."""
    producer = open_producer(here.bootstrap, here.topics)
    producer.init_transactions()
    producer.begin_transaction()
    for contoso in story.organizations:
        for event in contoso.history()[:10]:
            sent = message_of(event, "/seatledger/nobody/1")
            producer.send(
                here.topics.events, key=sent.key, value=sent.value, headers=sent.headers, partition=sent.partition
            )
    producer.flush(timeout=20)
    producer.abort_transaction()
    producer.close(timeout=5)


@pytest.fixture(scope="module")
def told(postgres: EmbeddedPostgres, kafka: EmbeddedKafka) -> Iterator[Told]:
    with told_story(postgres, kafka.bootstrap, trouble=True) as ready:
        yield ready


@dataclass
class Service:
    """The example in a database of its own."""

    url: str

    def consumer(
        self, source: Source, with_handle: Callable[[Event, Connection], None] = handle, **more: Any
    ) -> Consumer:
        return Consumer(CONSUMER, with_handle, database_url=self.url, source=source, **{"retries": SOON, **more})

    def catches_up(self, source: Source, **more: Any) -> Consumer:
        consumer = self.consumer(source, **more)
        with at_most(60) as stop:
            consumer.catch_up(stop)
        assert not stop.is_set(), "it did not come to the end in time"
        return consumer

    def has_read(self, told: Told) -> bool:
        """Every event of the ledger, opaque ones included."""
        return bool(self.one("SELECT coalesce(sum(sequence), 0) FROM kit.sequences") == told.events)

    def one(self, query: str, *parameters: object) -> Any:
        return self.rows(query, *parameters)[0][0]

    def rows(self, query: str, *parameters: object) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.url) as connection:
            return connection.execute(query.encode(), parameters).fetchall()

    def tables(self) -> list[list[tuple[Any, ...]]]:
        return [self.rows(query) for query in ALL]

    def report(self, month: date) -> list[Line]:
        with psycopg.connect(self.url) as connection:
            return report(connection, month)

    def assert_as_the_ledger_says(self, told: Told) -> None:
        """Every subscription, every kind of movement of every month, and what recurs at the end: to the twelfth."""
        assert self.has_read(told)
        story = told.story
        kept = dict(self.rows("SELECT subscription_id, twelfths FROM recurring_revenue.subscriptions"))
        assert {one: Fraction(twelfths, 12) for one, twelfths in kept.items()} == {
            one: amount for one, (_, amount) in story.recurs.items()
        }
        moved = {
            (f"{month:%Y-%m}", line.product_id, kind): Fraction(twelfths, 12)
            for month in MONTHS
            for line in self.report(month)
            for kind, twelfths in line.movements.items()
            if twelfths
        }
        assert moved == dict(story.movements)
        closing = {line.product_id: Fraction(line.closing, 12) for line in self.report(MONTHS[-1])}
        assert closing == {product: amount for product, amount in story.closing.items() if amount}
        now = datetime.now(UTC)
        assert all(day < now.date() for (day,) in self.rows("SELECT day FROM recurring_revenue.movements"))


@contextmanager
def a_service(postgres: EmbeddedPostgres) -> Iterator[Service]:
    with a_database(postgres) as url:
        with psycopg.connect(url) as connection:
            install(connection)
            install_tables(connection)
        yield Service(url)


@pytest.fixture
def service(postgres: EmbeddedPostgres) -> Iterator[Service]:
    with a_service(postgres) as ready:
        yield ready
