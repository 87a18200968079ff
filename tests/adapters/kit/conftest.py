"""A database of a consumer's own, in which every effect of an event is a row: once too often would show."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import UUID

import psycopg
import pytest

from adapters.kit import Connection, Consumer, Event, Metrics, Retries, install, lane
from adapters.kit.source import Source
from tests.adapters.kafka.conftest import a_database
from tests.adapters.kit.memory_topic import MemoryTopic

if TYPE_CHECKING:
    from adapters.embedded.postgres import EmbeddedPostgres

PATIENCE_S = 20.0
SOON = Retries(attempts=3, first_s=0.01, longest_s=0.05)
EFFECTS = "CREATE TABLE effects (position bigint, organization_id uuid, sequence bigint, type text, by text)"


def note(event: Event, connection: Connection) -> None:
    """The effect: a row."""
    connection.execute(
        "INSERT INTO effects VALUES (%s, %s, %s, %s, current_setting('application_name'))",
        (event.position, event.organization_id, event.sequence, event.type),
    )


def forget(connection: Connection) -> None:
    connection.execute("TRUNCATE effects")


@dataclass
class Desk:
    """A consumer's database, what it consumes, and how it is asked what happened."""

    url: str
    topic: MemoryTopic = field(default_factory=MemoryTopic)

    def consumer(
        self, source: Source | None = None, handle: Callable[[Event, Connection], None] = note, **more: Any
    ) -> Consumer:
        more = {"retries": SOON, **more}
        return Consumer("desk", handle, database_url=self.url, source=source or self.topic.source(), **more)

    def catches_up(self, source: Source | None = None, **more: Any) -> Metrics:
        """Reads all there is; raises what stops it."""
        consumer = self.consumer(source, **more)
        with at_most() as stop:
            consumer.catch_up(stop)
        assert not stop.is_set(), "it did not come to the end in time"
        return consumer.metrics()

    @contextmanager
    def running(self, consumer: Consumer) -> Iterator[threading.Event]:
        """It runs meanwhile; what it ends with is raised."""
        stop, raised = threading.Event(), []

        def run() -> None:
            try:
                consumer.run(stop)
            except BaseException as error:  # noqa: BLE001 - for the test
                raised.append(error)

        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield stop
        finally:
            stop.set()
            thread.join(PATIENCE_S)
        if raised:
            raise raised[0]

    def rows(self, query: str, *parameters: object) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.url) as connection:
            return connection.execute(query.encode(), parameters).fetchall()

    @property
    def effects(self) -> list[int]:
        """Positions, as the effects were had within each organization."""
        return [row[0] for row in self.rows("SELECT position FROM effects ORDER BY position")]

    def sequences(self, organization_id: UUID) -> list[int]:
        """In the order in which the effects were had."""
        return [row[0] for row in self.rows("SELECT sequence FROM effects WHERE organization_id = %s", organization_id)]

    @property
    def connection(self) -> Connection:
        return psycopg.connect(self.url, autocommit=True)


@contextmanager
def at_most(seconds: float = PATIENCE_S) -> Iterator[threading.Event]:
    """Set when the time is over."""
    over = threading.Event()
    timer = threading.Timer(seconds, over.set)
    timer.start()
    try:
        yield over
    finally:
        timer.cancel()


def until(happens: Callable[[], object], patience_s: float = PATIENCE_S) -> None:
    deadline = time.monotonic() + patience_s
    while not happens():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


@pytest.fixture(scope="session")
def desk_url(postgres: EmbeddedPostgres) -> Iterator[str]:
    with a_database(postgres) as url:
        with psycopg.connect(url) as connection:
            install(connection)
            connection.execute(EFFECTS)
        yield url


@pytest.fixture
def desk(desk_url: str, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """As if nothing had ever been consumed."""
    monkeypatch.setattr(lane, "LOOK_S", 0.3)
    with psycopg.connect(desk_url) as connection:
        connection.execute("TRUNCATE effects, kit.consumers, kit.places, kit.sequences, kit.parked, kit.discarded")
    return Desk(desk_url)
