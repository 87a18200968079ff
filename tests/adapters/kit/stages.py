"""Ledgers with what consumers read them from: in memory, Apache Kafka, the HTTP feed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from uuid import UUID, uuid4

import psycopg
from pydantic import SecretStr

from adapters.http.development_issuer import DevelopmentIssuer
from adapters.kafka.public_events import OPAQUE
from adapters.kit import HttpFeed, KafkaSource
from adapters.kit.source import Source
from adapters.settings import Settings
from adapters.workers.relay import Ending
from tests.adapters.http.conftest import serving
from tests.adapters.kafka.conftest import Relayed, relayed
from tests.adapters.kit.memory_topic import ADDED, MemoryTopic, message

if TYPE_CHECKING:
    from adapters.embedded.kafka import EmbeddedKafka
    from adapters.embedded.postgres import EmbeddedPostgres

QUICK: dict[str, Any] = {"session_timeout_ms": 3_000, "heartbeat_interval_ms": 500, "fetch_max_wait_ms": 50}
OPAQUE_NAMES = [kind.TOPIC for kind in OPAQUE]
Told = tuple[int, UUID, int]


class Stage(Protocol):
    """A ledger that is written to, and what is read."""

    def write(self, members: int, saves: int, organizations: int = 1) -> None:
        """New organizations, with so many members in each save; they can be read afterwards."""

    def source(self) -> Source: ...

    def told(self) -> list[Told]:
        """Position, organization and sequence of all that is public, in order of position."""


class MemoryStage:
    def __init__(self) -> None:
        self.topic, self._told, self._position = MemoryTopic(), list[Told](), 0

    def write(self, members: int, saves: int, organizations: int = 1) -> None:
        for organization in [uuid4() for _ in range(organizations)]:
            for sequence in range(1, members * saves + 1):
                self._position += 3
                self.topic.append(message(organization, sequence, self._position, topic=ADDED))
                self._told.append((self._position, organization, sequence))

    def source(self) -> Source:
        return self.topic.source()

    def told(self) -> list[Told]:
        return self._told


class RelayedStage:
    """A real ledger; `here` is how tests of the relay speak of it."""

    def __init__(self, here: Relayed) -> None:
        self.here = here

    def write(self, members: int, saves: int, organizations: int = 1) -> None:
        for _ in range(organizations):
            self.here.write(members, saves=saves)

    def told(self) -> list[Told]:
        with psycopg.connect(self.here.url) as connection:
            return connection.execute(
                "SELECT position, organization_id, organization_seq FROM ledger.events WHERE topic <> ALL(%s)"
                " ORDER BY position",
                (OPAQUE_NAMES,),
            ).fetchall()


class KafkaStage(RelayedStage):
    def write(self, members: int, saves: int, organizations: int = 1) -> None:
        super().write(members, saves, organizations)
        assert self.here.relay() is Ending.STOPPED

    def source(self) -> KafkaSource:
        return KafkaSource(self.here.bootstrap, self.here.topics.events, settings=QUICK)


class FeedStage(RelayedStage):
    def __init__(self, here: Relayed, feed: HttpFeed) -> None:
        super().__init__(here)
        self.feed = feed

    def source(self) -> HttpFeed:
        return self.feed


@contextmanager
def serving_feed(url: str, home: Path, **more: Any) -> Iterator[HttpFeed]:
    """The API of a ledger, and its feed for a service."""
    settings = Settings(
        database_url=SecretStr(url),
        fingerprint_key=SecretStr("6b" * 32),
        home=home,
        development=True,
        api_rate_per_key="1000000/minute",
    )
    with serving(settings) as address:
        issuer = DevelopmentIssuer(settings.home)
        yield HttpFeed(address, lambda: issuer.issue(None, None, "service", 1), wait_s=0.2, **more)


@contextmanager
def a_stage(kind: str, postgres: EmbeddedPostgres, kafka: EmbeddedKafka | None, home: Path) -> Iterator[Stage]:
    if kind == "memory":
        yield MemoryStage()
    elif kind == "feed":
        with relayed(postgres, "127.0.0.1:1") as here, serving_feed(here.url, home, limit=50) as feed:
            yield FeedStage(here, feed)
    else:
        assert kafka
        with relayed(postgres, kafka.bootstrap) as here:
            yield KafkaStage(here)
