"""One event, one read table, one snapshot and one message are changed; the audit names these and no other."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import psycopg
import pytest

from adapters.embedded.postgres import EmbeddedPostgres
from adapters.embedded.throw_away import throw_away_kafka
from adapters.kafka.relay import open_producer
from adapters.kafka.topic import read_topic
from adapters.kafka.topic_settings import Topics, ensure_topics
from adapters.postgres.ledger import directory_of, open_ledger
from adapters.postgres.migrate import migrate
from adapters.postgres.projector import Projector
from adapters.workers.relay import RelaySettings, run
from domain.license_pool import LicensePool
from projections.read_models import READ_MODELS
from services.ledger import snapshot_of
from services.resize_licenses import ResizeLicenses
from tests.examples import PURCHASED_AT
from tests.services.contoso import Clock, Contoso
from tests.services.on_sale import import_power_bi

ROOT = Path(__file__).parents[2]
KEY = "5a" * 32
# Within the name of the command: neither a fold nor a message shows it, the chain does.
AN_EVENT = """
UPDATE ledger.events SET metadata = set_byte(metadata, 13, get_byte(metadata, 13) # 1)
 WHERE organization_id = %(organization)s AND organization_seq = 2
"""
A_CELL = "UPDATE projections.purchases_b1 SET licenses_total = 99 WHERE subscription_id = %(subscription)s"
A_SNAPSHOT = """
UPDATE ledger.snapshots SET state = replace(convert_from(state, 'UTF8'), '"total":5', '"total":9')::bytea
 WHERE organization_id = %(organization)s
"""
UNALTERED = Topics("before.events", "before.position")


class Story(NamedTuple):
    """What was told, and where it stands."""

    url: str
    bootstrap: str
    organization_id: UUID
    subscription_id: UUID
    pool_id: UUID
    resized: int  # the position of the event that says the total


@pytest.fixture
def story(postgres: EmbeddedPostgres) -> Iterator[Story]:
    with psycopg.connect(postgres.url, autocommit=True) as server:
        server.execute("CREATE DATABASE tampering")
    url = postgres.url_as("postgres", "tampering")
    migrate(url)
    key = bytes.fromhex(KEY)
    with (
        open_ledger(url, pool_size=2, clock=Clock(PURCHASED_AT), fingerprint_key=key) as ledger,
        throw_away_kafka() as kafka,
    ):
        import_power_bi(ledger)
        contoso = Contoso.founded(ledger, directory_of(ledger), Clock(PURCHASED_AT))
        bought = contoso.buys(licenses=3)
        contoso.assigns(bought, contoso.ben, contoso.david)
        contoso.run(contoso.command(ResizeLicenses, contoso.buyer, subscription_id=bought, total=5))
        last = contoso.position
        [resized] = [one.position for one in contoso.history() if one.topic == LicensePool.LicensesResized.TOPIC]
        pool = contoso.pool(bought)
        ledger.history.keep_snapshot(contoso.organization_id, pool.id, snapshot_of(pool))
        with Projector(url) as projector:
            projector.catch_up([model.name for model in READ_MODELS], last, timeout_s=20)
        relay_everything(url, kafka.bootstrap, last)
        yield Story(url, kafka.bootstrap, contoso.organization_id, bought, pool.id, resized)


def relay_everything(url: str, bootstrap: str, last: int) -> None:
    stop = threading.Event()
    relay = threading.Thread(target=run, args=(RelaySettings(url, bootstrap, UNALTERED, show_s=0), stop))
    relay.start()
    deadline = time.monotonic() + 30
    with psycopg.connect(url, autocommit=True) as connection:
        while connection.execute("SELECT max(position) FROM relay.position").fetchone() != (last,):
            assert time.monotonic() < deadline, "the relay takes too long"
            time.sleep(0.05)
    stop.set()
    relay.join()


def copy_topic(bootstrap: str, *, alter_at: int) -> None:
    """Everything that was relayed into the topic that is audited, one byte of one message changed."""
    topics = Topics()
    ensure_topics(bootstrap, topics)
    producer = open_producer(bootstrap, topics)
    producer.init_transactions()
    producer.begin_transaction()
    for before, after in ((UNALTERED.events, topics.events), (UNALTERED.position, topics.position)):
        for message in read_topic(bootstrap, before):
            value = message.value
            if message.position == alter_at and before == UNALTERED.events:
                value = value.replace(b'"total":5', b'"total":6')
                assert value != message.value
            headers = [(name, text.encode()) for name, text in message.headers.items()]
            partition = message.partition
            producer.send(
                after,
                key=message.key,
                value=value,
                headers=headers,
                partition=partition,
                timestamp_ms=message.timestamp_ms,
            )
    producer.flush(timeout=20)
    producer.commit_transaction()
    producer.close()


def audit(story: Story, home: Path) -> tuple[int, dict[str, Any]]:
    """What the console says, as whoever runs it gets it."""
    done = subprocess.run(
        [sys.executable, "-m", "adapters.cli.app", "audit", "verify", "--topic", "--json"],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "SEATLEDGER_DATABASE_URL": story.url,
            "SEATLEDGER_KAFKA_BOOTSTRAP": story.bootstrap,
            "SEATLEDGER_FINGERPRINT_KEY": KEY,
            "SEATLEDGER_HOME": str(home),
        },
    )
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


@pytest.mark.kafka
@pytest.mark.timeout(240)
def test_each_change_is_found_and_named(story: Story, tmp_path: Path) -> None:
    with psycopg.connect(story.url, autocommit=True) as owner:
        mine = {"organization": story.organization_id, "subscription": story.subscription_id}
        owner.execute("ALTER TABLE ledger.events DISABLE TRIGGER ALL")
        for statement in (AN_EVENT, A_CELL, A_SNAPSHOT):
            assert owner.execute(statement.encode(), mine).rowcount == 1
    copy_topic(story.bootstrap, alter_at=story.resized)

    code, said = audit(story, tmp_path)
    assert code == 1
    assert said["verified"] is False
    found = {(one["check"], one["key"]): one["what"] for one in said["differences"]}
    assert found.pop(("chain", f"{story.organization_id} #2")) == "the stored bytes do not give the stored chain hash"
    purchase = f"purchases purchases {story.organization_id} {story.subscription_id}"
    assert found.pop(("read tables", purchase)) == "licenses_total is 99 and history gives 5"
    assert found.pop(("snapshots", f"snapshot of {story.pool_id}")) == "total differ from the replay"
    assert "another value" in found.pop(("topic", f"position {story.resized}"))
    assert {check for check, _ in found} <= {"payload", "topic"}  # of the event whose metadata cannot be read any more
    assert len(found) <= 2, found
