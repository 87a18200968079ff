"""The real servers that tests share, one of each per session."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, cast

import pytest

from adapters.embedded.kafka import why_not_kafka
from adapters.embedded.throw_away import throw_away_kafka, throw_away_postgres

if TYPE_CHECKING:
    from collections.abc import Iterator

    from adapters.embedded.kafka import EmbeddedKafka
    from adapters.embedded.postgres import EmbeddedPostgres


_missing = cache(why_not_kafka)

GIVEN = os.environ.get("SEATLEDGER_KAFKA_BOOTSTRAP")  # a cluster of one's own for the tests that use the shared broker


class GivenKafka(NamedTuple):
    """What tests use of a broker that is not theirs to start."""

    bootstrap: str

    @property
    def folder(self) -> Path:
        pytest.skip("the files of a broker that was given are not at hand")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that use Apache Kafka are marked so, and may open sockets."""
    for item in items:
        if "kafka" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.kafka)
        if item.get_closest_marker("kafka"):
            item.add_marker(pytest.mark.enable_socket)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skips tests on Apache Kafka where it cannot run, unless it is required."""
    if item.get_closest_marker("kafka") and not os.environ.get("SEATLEDGER_REQUIRE_KAFKA"):
        missing = _missing()
        if missing:
            pytest.skip(f"Apache Kafka: {missing}")


@pytest.fixture(scope="session", autouse=True)
def nobody_has_set_a_broker() -> Iterator[None]:
    """To all tests that do not use the shared broker the one that was given would be a setting."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("SEATLEDGER_KAFKA_BOOTSTRAP", raising=False)
        yield


@pytest.fixture(scope="session")
def postgres() -> Iterator[EmbeddedPostgres]:
    """A running PostgreSQL with an empty database at `.url`; tests that kill it take one of their own."""
    with throw_away_postgres() as server:
        yield server


@pytest.fixture(scope="session")
def kafka() -> Iterator[EmbeddedKafka]:
    """A running Apache Kafka at `.bootstrap`; tests use topics of their own, and a broker of their own to kill.

    That of SEATLEDGER_KAFKA_BOOTSTRAP where it is set.
    """
    if GIVEN:
        yield cast("EmbeddedKafka", GivenKafka(GIVEN))
        return
    with throw_away_kafka() as broker:
        yield broker
