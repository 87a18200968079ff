"""A ledger and topics of each test's own, on servers that all share."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from adapters.embedded.kafka import EmbeddedKafka
from adapters.embedded.postgres import EmbeddedPostgres
from adapters.kafka.relay_position import read_position
from adapters.kafka.topic import TopicMessage, read_topic
from adapters.kafka.topic_audit import Difference, compare_topic
from adapters.kafka.topic_settings import Topics
from adapters.postgres.ledger import open_ledger
from adapters.postgres.migrate import migrate
from adapters.postgres.relay_session import RelaySession
from adapters.workers.relay import Ending, RelaySettings, run
from domain.member import Member
from domain.organization import Organization, OrganizationFacts
from services.command import Actor, Command
from services.ledger import Ledger

ROOT = Path(__file__).parents[3]
PATIENCE_S = 60


class Writing(Command):
    """A command of no meaning, to write with."""


@dataclass
class Relayed:
    """A ledger, the topic it is relayed to, and what to do with them."""

    url: str
    bootstrap: str
    topics: Topics = field(default_factory=lambda: Topics(f"events.{uuid4().hex}", f"position.{uuid4().hex}"))

    def __post_init__(self) -> None:
        self.ledger: Ledger = open_ledger(
            self.url, pool_size=3, clock=lambda: datetime.now(UTC), fingerprint_key=b"k" * 32
        )

    def close(self) -> None:
        self.ledger.close()

    # Writing.

    def write(self, members: int, *, saves: int = 1) -> int:
        """A new organization, with so many members in each save; the position of the last event."""
        facts = OrganizationFacts(handle=f"o{uuid4().hex}", country="US", currency="USD", currency_exponent=2)
        organization = Organization.create(facts, first_admin_id=uuid4())
        actor = Actor(id=uuid4(), role="operator")
        position = 0
        for save in range(saves):
            command = Writing(organization_id=organization.id, command_id=uuid4(), actor=actor)
            told = [Member.add(id=uuid4(), kind="member", details={}) for _ in range(members)]
            position = self.ledger.save(
                *([organization] if save == 0 else []), *told, because=command, at=datetime.now(UTC)
            ).position
        return position

    @contextmanager
    def being_written(self) -> Iterator[None]:
        """A writer goes on meanwhile, and has ended afterwards."""
        stop = threading.Event()

        def keep_writing() -> None:
            while not stop.wait(0.02):
                self.write(members=4, saves=2)

        writer = threading.Thread(target=keep_writing)
        writer.start()
        try:
            yield
        finally:
            stop.set()
            writer.join()

    # Relaying.

    @property
    def settings(self) -> RelaySettings:
        return RelaySettings(self.url, self.bootstrap, self.topics, standby_s=0.1, show_s=0)

    def relay(self) -> Ending:
        """Relays everything there is, within this process."""
        stop = threading.Event()
        endings: list[Ending] = []
        thread = threading.Thread(target=lambda: endings.append(run(self.settings, stop)))
        thread.start()
        until(lambda: endings or self.shown == self.last)
        stop.set()
        thread.join(PATIENCE_S)
        return endings[0]

    @contextmanager
    def relay_process(self, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
        """A relay as a process of its own; it is dead afterwards."""
        program = Path(__file__).with_name("relay_program.py")
        names = (self.url, self.bootstrap, self.topics.events, self.topics.position)
        process = subprocess.Popen([sys.executable, str(program), *names, *arguments], cwd=ROOT, env=ENVIRONMENT)
        try:
            yield process
        finally:
            process.kill()
            process.wait()

    # Looking.

    @property
    def last(self) -> int:
        """The position of the last event in the ledger."""
        return self.count("SELECT coalesce(max(position), 0) FROM ledger.events")

    @property
    def shown(self) -> int:
        """How far people see the topic published."""
        return self.count(
            "SELECT coalesce(max(position), 0) FROM relay.position"
            " WHERE source = (SELECT format('/seatledger/%s/%s', ledger_id, epoch) FROM ledger.source)"
        )

    @property
    def published(self) -> int:
        """How far the topic itself says that it is published."""
        with RelaySession(self.url, self.topics.events) as session:
            found = read_position(self.bootstrap, self.topics, session.source(), session.earlier_sources())
        return found.position if found else 0

    def count(self, query: str) -> int:
        with psycopg.connect(self.url) as connection:
            row = connection.execute(query.encode()).fetchone()
        assert row
        return int(row[0])

    def messages(self) -> list[TopicMessage]:
        return list(read_topic(self.bootstrap, self.topics.events))

    def differences(self) -> list[Difference]:
        with RelaySession(self.url, self.topics.events) as session:
            return list(compare_topic(self.bootstrap, self.topics, session))

    def assert_topic_is_the_ledger(self) -> None:
        """Everything recorded is in the topic, once, in order, as it was recorded."""
        assert self.published == self.last
        assert self.differences() == []
        assert len(self.messages()) == self.count("SELECT count(*) FROM ledger.events")


ENVIRONMENT = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}


def until(happens: Callable[[], object], patience_s: float = PATIENCE_S) -> None:
    """Waits for something to happen."""
    deadline = time.monotonic() + patience_s
    while not happens():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


@contextmanager
def a_database(postgres: EmbeddedPostgres) -> Iterator[str]:
    """An empty one, by its URL, as long as it is used."""
    database = f"relay_{uuid4().hex}"
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{database}"'.encode())
    try:
        yield postgres.url_as("postgres", database)
    finally:
        with psycopg.connect(postgres.url, autocommit=True) as connection:
            connection.execute(f'DROP DATABASE "{database}" WITH (FORCE)'.encode())


@contextmanager
def relayed(postgres: EmbeddedPostgres, bootstrap: str) -> Iterator[Relayed]:
    """A database of its own, migrated, and topics that nobody else uses."""
    with a_database(postgres) as url:
        migrate(url)
        here = Relayed(url, bootstrap)
        try:
            yield here
        finally:
            here.close()


@pytest.fixture
def here(postgres: EmbeddedPostgres, kafka: EmbeddedKafka) -> Iterator[Relayed]:
    """A ledger beside Apache Kafka."""
    with relayed(postgres, kafka.bootstrap) as ready:
        yield ready
