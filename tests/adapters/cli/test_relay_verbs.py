"""The relay's verbs as operators type them, on an Apache Kafka of their own."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import psycopg
import pytest
from pydantic import SecretStr

from adapters.embedded.throw_away import throw_away_kafka
from adapters.settings import Settings
from tests.adapters.cli.conftest import Console, Said
from tests.adapters.kafka.conftest import ROOT, Relayed, relayed, until
from tests.adapters.kafka.test_relay_refusals import rewrite_history

if TYPE_CHECKING:
    from adapters.embedded.postgres import EmbeddedPostgres

pytestmark = pytest.mark.kafka
KEY = "5a" * 32


@pytest.fixture(scope="module")
def bootstrap() -> Iterator[str]:
    with throw_away_kafka() as broker:
        yield broker.bootstrap


@pytest.fixture(scope="module")
def here(postgres: EmbeddedPostgres, bootstrap: str) -> Iterator[Relayed]:
    """One story, which the tests go on with in their order: the topics have the names that the product gives them."""
    with relayed(postgres, bootstrap) as ready:
        yield ready


@pytest.fixture(scope="module")
def settings(here: Relayed, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return Settings(
        database_url=SecretStr(here.url),
        kafka_bootstrap=here.bootstrap,
        kafka_replication=1,
        fingerprint_key=SecretStr(KEY),
        home=tmp_path_factory.mktemp("home"),
    )


@pytest.fixture
def console(settings: Settings) -> Console:
    return Console(settings)


@contextmanager
def relaying(here: Relayed, home: Path, **more: str) -> Iterator[subprocess.Popen[str]]:
    """`seatledger relay` as a process; its log is read by who ends it."""
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "SEATLEDGER_HOME": str(home),
        "SEATLEDGER_DATABASE_URL": here.url,
        "SEATLEDGER_KAFKA_BOOTSTRAP": here.bootstrap,
        "SEATLEDGER_FINGERPRINT_KEY": KEY,
        **more,
    }
    command = [sys.executable, "-m", "adapters.cli.app", "relay", "--parent", str(os.getpid())]
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def measured(port: int, name: str) -> float:
    text = httpx.get(f"http://127.0.0.1:{port}/metrics").text
    (value,) = re.findall(rf'^{name}{{topic="seatledger.events.v1"}} (\S+)$', text, re.MULTILINE)
    return float(value)


def refused(said: Said) -> str:
    assert said.code == 1, said
    return str(said.data["error"]["message"])


def test_on_brokers_of_ones_own_the_relay_wants_three_and_says_which_setting_says_otherwise(
    here: Relayed, tmp_path: Path
) -> None:
    here.write(members=3)
    with relaying(here, tmp_path) as relay:
        _, said = relay.communicate(timeout=60)
    assert relay.returncode == 65
    assert "SEATLEDGER_KAFKA_REPLICATION" in said


def test_a_relay_tells_prometheus_and_status_where_it_stands_and_stops_in_good_order(
    here: Relayed, console: Console, settings: Settings
) -> None:
    last, port = here.write(members=4), free_port()
    one = {"SEATLEDGER_KAFKA_REPLICATION": "1", "SEATLEDGER_RELAY_METRICS_PORT": str(port)}
    with relaying(here, settings.home, **one) as relay:
        until(lambda: here.shown == last)
        until(lambda: measured(port, "seatledger_relay_lag") == 0)
        assert measured(port, "seatledger_relay_leads") == 1
        assert measured(port, "seatledger_relay_position") == last
        assert measured(port, "seatledger_relay_events_total") == here.count("SELECT count(*) FROM ledger.events")
        assert measured(port, "seatledger_relay_batch_seconds_count") >= 1
        status = console.done("relay", "status")
        assert (status["leader"]["process_id"], status["leader"]["host"]) == (relay.pid, socket.gethostname())
        assert status["leader"]["application_name"] == "seatledger relay"
        assert status["leader"]["since"]
        assert status["committed"]["position"] == status["copy"]["position"] == status["last_position"] == last
        assert status["lag"] == 0
        found = {(one["topic"], one["name"]): one for one in status["committed"]["settings"]}
        assert all(one["holds"] for one in found.values())
        assert found["seatledger.events.v1", "retention.ms"]["promised"] == "-1"
        assert found["seatledger.events.v1", "replicas"]["found"] == "1"
        assert f"process {relay.pid} on" in console.plain("relay", "status").out
        relay.send_signal(signal.SIGTERM)
        _, said = relay.communicate(timeout=30)
    assert relay.returncode == 0, said
    after = console.done("relay", "status")
    assert after["leader"] is None
    assert after["last_error"]["ending"] == "halted"  # of the test before


def test_the_topic_is_verified_alone_with_progress(console: Console, here: Relayed) -> None:
    verified = console.done("relay", "verify")
    assert (verified["verified"], verified["differences"]) == (True, [])
    rewrite_history(here, "UPDATE ledger.events SET recorded_at = recorded_at + 1000000 WHERE position = %s")
    said = console("relay", "verify")
    assert said.code == 1
    (difference,) = said.data["differences"]
    assert difference["key"] == f"position {here.last}"
    assert "another timestamp" in difference["what"]
    rewrite_history(here, "UPDATE ledger.events SET recorded_at = recorded_at - 1000000 WHERE position = %s")


def test_an_event_that_cannot_go_out_is_skipped_where_the_relay_has_halted_and_the_audit_tells(
    here: Relayed, console: Console, settings: Settings
) -> None:
    here.write(members=1)
    stuck = here.last
    rewrite_history(here, "UPDATE ledger.events SET topic = 'seatledger.Later.Thing' WHERE position = %s")
    last = here.write(members=1)
    one = {"SEATLEDGER_KAFKA_REPLICATION": "1"}
    with relaying(here, settings.home, **one) as relay:
        assert relay.wait(60) == 65
    assert f"position {stuck}" in console.done("relay", "status")["last_error"]["why"]
    assert f"does not stand at {last}" in refused(console("relay", "skip", str(last), "--why", "a mistake"))
    assert console("relay", "skip", str(stuck), "--why", " ").code == 2
    skipped = console.done("relay", "skip", str(stuck), "--why", "of a version that was taken back")
    assert (skipped["position"], skipped["new"]) == (stuck, True)
    assert console.done("relay", "skip", str(stuck), "--why", "twice")["new"] is False
    with relaying(here, settings.home, **one) as relay:
        until(lambda: here.shown == last)
        relay.terminate()
        relay.wait(30)
    assert console.done("relay", "verify")["verified"]
    audit: dict[str, Any] = console("audit", "verify", "--topic").data
    assert audit["skipped"] == [{"edition": 1, "position": stuck, "why": "of a version that was taken back"}]
    assert audit["checks"]["topic"] == 0


def test_a_fork_says_what_it_does_before_it_does_it(here: Relayed, console: Console, settings: Settings) -> None:
    asked = console("ledger", "fork", "--why", "restored from last night")
    assert asked.code == 2
    assert "epoch 2" in asked.data["error"]["message"]
    assert here.count("SELECT epoch FROM ledger.source") == 1
    with psycopg.connect(here.url) as owner:  # of an epoch that a restore took back
        owner.execute(
            "INSERT INTO relay.position SELECT format('/seatledger/%s/3', ledger_id), topic, position, chain_hash"
            " FROM relay.position, ledger.source"
        )
    assert console("ledger", "fork", "--why", "x", "--epoch", "3", "--yes").code == 2
    forked = console.done("ledger", "fork", "--why", "restored from last night", "--yes")
    assert (forked["from_epoch"], forked["to_epoch"]) == (1, 4)
    assert "forked" in console.plain("relay", "status").out
    with relaying(here, settings.home, SEATLEDGER_KAFKA_REPLICATION="1") as relay:
        until(lambda: here.shown == here.last)
        relay.terminate()
        relay.wait(30)
    assert console.done("relay", "verify")["verified"]
