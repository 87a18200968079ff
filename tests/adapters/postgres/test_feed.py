"""The feed hands out every settled event once to each who goes on from the last, over one connection for all."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from uuid import uuid4

import psycopg
import pytest

from adapters.postgres.feed import EventFeed
from adapters.postgres.session import APP, session
from services.follow_events import Seen
from services.ledger import Ledger
from services.ports import LedgerUnavailable
from tests.adapters.postgres.conftest import Admin
from tests.adapters.postgres.test_follower import APPEND_ONE
from tests.adapters.postgres.writers import a_pool, save

MINE = "FROM pg_stat_activity WHERE application_name = 'seatledger feed' AND datname = current_database()"


@dataclass
class Clock:
    now: float = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def feed(url: str, clock: Clock) -> Iterator[EventFeed]:
    feed = EventFeed(url, clock=clock)
    yield feed
    feed.close()


def all_of(feed: EventFeed, limit: int, until: int) -> list[int]:
    """The positions that one consumer gets who goes on from the last one, up to a position."""
    found: list[int] = []
    while not found or found[-1] < until:
        found += [event.position for event in feed.after(found[-1] if found else 0, limit).events]
    return found


def test_each_consumer_gets_everything_in_order(ledger: Ledger, admin: Admin, feed: EventFeed) -> None:
    def write(number: int) -> None:
        for _ in range(40 + number):
            save(ledger, a_pool(), organization_id=uuid4())

    with ThreadPoolExecutor() as threads:
        writers = [threads.submit(write, number) for number in range(3)]
        consumers = [threads.submit(all_of, feed, limit, 123) for limit in (1, 7, 1000)]
        for writer in writers:
            writer.result()
        got = [consumer.result() for consumer in consumers]
    stored = [position for (position,) in admin.execute("SELECT position FROM ledger.events ORDER BY position")]
    assert got == [stored] * 3
    assert admin.execute(f"SELECT count(*) {MINE}").fetchone() == (1,)


def test_what_is_not_settled_is_not_there(url: str, ledger: Ledger, feed: EventFeed) -> None:
    with psycopg.connect(session(url, role=APP)) as slow:
        slow.execute(APPEND_ONE, (uuid4(), uuid4(), uuid4()))
        save(ledger, a_pool(), organization_id=uuid4())
        for after in (0, 1, 2, 3, 10**9):
            assert feed.after(after, 10).events == []
        before = feed.seen()
        slow.commit()
    while feed.seen() == before:
        pass
    assert feed.seen() > before
    assert [event.position for event in feed.after(0, 10).events] == [1, 2]
    assert [event.position for event in feed.after(1, 10).events] == [2]
    for after in (2, 3, 10**9):
        assert feed.after(after, 10)[:2] == ([], Seen(1, 2))


def test_positions_that_nobody_used_are_passed_over(url: str, ledger: Ledger, feed: EventFeed) -> None:
    with psycopg.connect(session(url, role=APP)) as lost:
        lost.execute(APPEND_ONE, (uuid4(), uuid4(), uuid4()))
        lost.rollback()
    save(ledger, a_pool(), organization_id=uuid4())
    assert all_of(feed, 10, 2) == [2]
    assert [event.position for event in feed.after(1, 10).events] == [2]


def test_a_lost_connection_is_told_and_made_again_after_a_second(
    ledger: Ledger, admin: Admin, feed: EventFeed, clock: Clock
) -> None:
    save(ledger, a_pool(), organization_id=uuid4())
    assert all_of(feed, 10, 1) == [1]
    first = feed.seen()
    admin.execute(f"SELECT pg_terminate_backend(pid, 5000) {MINE}")
    save(ledger, a_pool(), organization_id=uuid4())
    for _ in range(3):
        with pytest.raises(LedgerUnavailable, match="cannot be reached"):
            feed.after(1, 10)
    assert admin.execute(f"SELECT count(*) {MINE}").fetchone() == (0,)
    clock.now += 1
    assert [event.position for event in feed.after(1, 10).events] == [2]
    assert feed.seen() > first


def test_nobody_queues_behind_others_who_cannot_connect(clock: Clock) -> None:
    feed = EventFeed("postgresql://127.0.0.1:1/nowhere", clock=clock)
    started = time.monotonic()
    for _ in range(1_000):
        with pytest.raises(LedgerUnavailable):
            feed.seen()
    assert time.monotonic() - started < 5
