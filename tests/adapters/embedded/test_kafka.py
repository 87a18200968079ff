"""The embedded Apache Kafka: shared like PostgreSQL, and nothing is lost when it is killed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import NewTopic

import adapters.embedded.broker
from adapters.embedded.kafka import TOOLS, EmbeddedKafka
from adapters.embedded.throw_away import throw_away_home, throw_away_kafka
from tests.adapters.embedded.conftest import NewUser

pytestmark = pytest.mark.kafka
ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def broker() -> Iterator[EmbeddedKafka]:
    """A broker of this module's own, for it is killed."""
    with throw_away_kafka() as broker:
        yield broker


def create(bootstrap: str, topic: str) -> None:
    client = KafkaAdminClient(bootstrap_servers=bootstrap)
    client.create_topics([NewTopic(topic, num_partitions=1, replication_factor=1)])
    client.close()


def produce(bootstrap: str, topic: str, numbers: range, transactional_id: str | None = None) -> None:
    producer = KafkaProducer(bootstrap_servers=bootstrap, transactional_id=transactional_id, acks="all")
    try:
        if transactional_id:
            producer.init_transactions()
            producer.begin_transaction()
        sent = [producer.send(topic, str(number).encode()) for number in numbers]
        producer.flush(timeout=30)
        for one in sent:
            one.get(timeout=30)
        if transactional_id:
            producer.commit_transaction()
    finally:
        producer.close(timeout=5)


def consume(bootstrap: str, topic: str) -> list[int]:
    partition = TopicPartition(topic, 0)
    consumer = KafkaConsumer(bootstrap_servers=bootstrap, isolation_level="read_committed", enable_auto_commit=False)
    try:
        consumer.assign([partition])
        consumer.seek_to_beginning(partition)
        end = consumer.end_offsets([partition])[partition]
        found: list[int] = []
        deadline = time.monotonic() + 30
        while consumer.position(partition) < end and time.monotonic() < deadline:
            found += [int(message.value) for message in consumer.poll(timeout_ms=200).get(partition, [])]
        return found
    finally:
        consumer.close()


def test_it_is_apache_kafka_on_loopback_only(broker: EmbeddedKafka) -> None:
    assert broker.kind == "Apache Kafka 4.1.1"
    assert broker.bootstrap.startswith("127.0.0.1:")
    sockets = psutil.Process(broker.pid).net_connections(kind="inet")
    listening = {(one.laddr.ip, one.laddr.port) for one in sockets if one.status == psutil.CONN_LISTEN}
    assert {port for _, port in listening} == set(broker._ports())
    assert {address.removeprefix("::ffff:") for address, _ in listening} == {"127.0.0.1"}


def test_what_was_committed_survives_kill_and_restart_at_the_same_address(broker: EmbeddedKafka) -> None:
    bootstrap = broker.bootstrap
    create(bootstrap, "kept")
    produce(bootstrap, "kept", range(100))
    produce(bootstrap, "kept", range(100, 200), transactional_id="writer")
    broker.kill9()
    assert not broker.alive
    broker.start()
    assert broker.bootstrap == bootstrap
    assert consume(bootstrap, "kept") == list(range(200))
    produce(bootstrap, "kept", range(200, 300), transactional_id="writer")
    broker.restart()
    assert broker.bootstrap == bootstrap
    assert consume(bootstrap, "kept") == list(range(300))


def test_a_paused_broker_goes_on_where_it_was(broker: EmbeddedKafka) -> None:
    create(broker.bootstrap, "paused")
    broker.pause()
    producing = threading.Thread(target=produce, args=(broker.bootstrap, "paused", range(10)))
    producing.start()
    producing.join(timeout=1.5)
    assert producing.is_alive()
    broker.resume()
    producing.join(timeout=60)
    assert not producing.is_alive()
    assert consume(broker.bootstrap, "paused") == list(range(10))


def test_processes_share_it_and_one_that_is_killed_leaves_it_for_the_next(home: Path, new_user: NewUser) -> None:
    killed = new_user("EmbeddedKafka")
    pid = killed.is_in()
    killed.is_killed()
    broker = EmbeddedKafka(home)
    second = new_user("EmbeddedKafka")
    assert second.is_in() == pid == broker.pid
    second.leaves()
    assert not broker.alive


def test_a_port_that_somebody_took_meanwhile_is_exchanged_for_another(monkeypatch: pytest.MonkeyPatch) -> None:
    with throw_away_kafka() as first, throw_away_home() as home:
        taken = first._ports()
        free_ports = adapters.embedded.broker.free_ports
        choices = iter([taken, free_ports(2)])
        monkeypatch.setattr(adapters.embedded.broker, "free_ports", lambda _: next(choices))
        with EmbeddedKafka(home) as second:
            assert set(second._ports()).isdisjoint(taken)
            assert "Address already in use" in second.log.read_text(encoding="utf-8")


def test_a_folder_with_comma_space_and_other_letters_works() -> None:
    with throw_away_home() as place:
        home = place / "a folder, with späces" / ".seatledger"
        home.parent.mkdir()
        try:
            with EmbeddedKafka(home) as broker:
                create(broker.bootstrap, "topic")
            assert (home / "kafka" / "data" / "topic-0").is_dir()
        finally:
            EmbeddedKafka(home).delete()


def test_fetching_jars_that_are_there_does_nothing() -> None:
    before = {jar: jar.stat().st_mtime_ns for jar in (TOOLS / "target" / "libs").iterdir()}
    done = subprocess.run([sys.executable, str(TOOLS / "fetch.py")], check=True, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("", "")
    assert {jar: jar.stat().st_mtime_ns for jar in (TOOLS / "target" / "libs").iterdir()} == before


@pytest.mark.timeout(240)
def test_three_brokers_keep_what_was_committed_while_each_is_killed_in_turn() -> None:
    """As a process of its own: kafka-python leaves sockets open where a broker is down, and says so at the end."""
    program = Path(__file__).with_name("three_brokers.py")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, str(program)], check=False, capture_output=True, text=True, cwd=ROOT, env=environment
    )
    assert done.stdout == "kept 300\n", done.stderr


def test_ports_are_remembered(broker: EmbeddedKafka) -> None:
    remembered = json.loads((broker.folder / "ports.json").read_text(encoding="utf-8"))
    assert broker.bootstrap == f"127.0.0.1:{remembered[0]}"
    assert all(20_000 <= port < 30_000 for port in remembered)
