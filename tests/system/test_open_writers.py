"""Writers that are stopped at the worst moment: what followers and repeats make of it does not depend on luck."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from uuid import uuid4

import psycopg
import pytest

from adapters.embedded.postgres import EmbeddedPostgres
from adapters.postgres.follower import Follower
from adapters.postgres.migrate import migrate
from domain.envelope import RecordedEvent
from services.ledger import Ledger
from services.ports import AlreadyRecorded, Receipt
from tests.adapters.postgres.writers import a_change, a_pool, ledger_at, save

STOP = 4711  # the advisory lock at which a writer is stopped
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'advisory'"
STOPPED_WRITER = """
CREATE FUNCTION stop() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF new.organization_id = '{organization_id}' THEN PERFORM pg_advisory_xact_lock_shared({stop}); END IF;
  RETURN new;
END $$;
CREATE TRIGGER stop {moment} INSERT ON ledger.events FOR EACH ROW EXECUTE FUNCTION stop();
"""


@pytest.fixture
def url(postgres: EmbeddedPostgres) -> Iterator[str]:
    name = f"open_{uuid4().hex}"
    with psycopg.connect(postgres.url, autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}".encode())
        url = postgres.url_as("postgres", name)
        migrate(url)
        yield url
        server.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@pytest.fixture
def ledger(url: str) -> Iterator[Ledger]:
    with ledger_at(url) as ledger:
        yield ledger


@contextmanager
def locked(url: str, lock: str, *, waiting: int) -> Iterator[Callable[[], None]]:
    """Holds a lock; what is given waits until so many wait for it."""
    with psycopg.connect(url, autocommit=True) as holder, psycopg.connect(url, autocommit=True) as looker:
        holder.execute(f"SELECT pg_advisory_lock({lock})".encode())

        def until_they_wait() -> None:
            deadline = time.monotonic() + 8
            while looker.execute(WAITING).fetchone() != (waiting,):
                assert time.monotonic() < deadline, "nobody came to wait"
                time.sleep(0.01)

        yield until_they_wait


def in_thread(save_it: Callable[[], Receipt]) -> Future[Receipt]:
    with_one = ThreadPoolExecutor(1)
    future = with_one.submit(save_it)
    with_one.shutdown(wait=False)
    return future


def stopped_writer_is_waited_for(url: str, ledger: Ledger, moment: str) -> None:
    # For the first of 32 numbers nextval takes a transaction id itself, to log them: that would hide the fault.
    before, slow, quick = uuid4(), uuid4(), uuid4()
    save(ledger, a_pool(), organization_id=before)
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute(STOPPED_WRITER.format(organization_id=slow, stop=STOP, moment=moment).encode())
    with Follower(url) as follower:
        assert [event.organization_id for event in settled(follower, 1)] == [before]
        with locked(url, str(STOP), waiting=1) as until_it_waits:
            stopped = in_thread(lambda: save(ledger, a_pool(), organization_id=slow))
            until_it_waits()
            later = save(ledger, a_pool(), organization_id=quick)
            for _ in range(5):
                assert follower.poll() == [], "an event was handed out while one before it can still appear"
                time.sleep(0.01)
        earlier = stopped.result(10)
        assert earlier.position < later.position
        assert [event.organization_id for event in settled(follower, 2)] == [slow, quick]


def settled(follower: Follower, count: int) -> list[RecordedEvent]:
    """The next events, as many as there should be."""
    events: list[RecordedEvent] = []
    deadline = time.monotonic() + 10
    while len(events) < count and time.monotonic() < deadline:
        events.extend(follower.poll())
    return events


def test_a_writer_that_has_written_and_not_committed_holds_followers_back(url: str, ledger: Ledger) -> None:
    stopped_writer_is_waited_for(url, ledger, "AFTER")


def test_a_writer_that_has_a_position_and_has_written_nothing_holds_followers_back(url: str, ledger: Ledger) -> None:
    stopped_writer_is_waited_for(url, ledger, "BEFORE")


def test_positions_of_two_sessions_rise_in_the_order_of_their_saves(url: str) -> None:
    """A session that draws numbers in advance uses them when a follower has long passed by."""
    with ledger_at(url, pool_size=1) as one, ledger_at(url, pool_size=1) as other, Follower(url) as follower:
        for ledger in (one, other, one, other, other, one):
            receipt = save(ledger, a_pool(), organization_id=uuid4())
            assert [event.position for event in settled(follower, 1)] == [receipt.position]


def test_repeats_that_queue_for_one_organization_are_recorded_once(url: str, ledger: Ledger) -> None:
    organization_id = uuid4()
    pool = a_pool()
    save(ledger, pool, organization_id=organization_id)
    nothing_to_tell = a_change(organization_id, pool, pool.total)
    answers: list[str] = []

    def ask() -> None:
        mine = ledger.license_pool(organization_id, pool.id)
        try:
            save(ledger, mine, organization_id=organization_id, because=nothing_to_tell)
            answers.append("recorded")
        except AlreadyRecorded:
            answers.append("already recorded")
        except Exception as error:  # noqa: BLE001 - an answer that must not be
            answers.append(type(error).__name__)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    with locked(url, f"uuid_hash_extended('{organization_id}', 0)", waiting=4) as until_they_wait:
        for thread in threads:
            thread.start()
        until_they_wait()
    for thread in threads:
        thread.join()
    assert sorted(answers) == ["already recorded"] * 3 + ["recorded"]
