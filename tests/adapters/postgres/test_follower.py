"""Followers see every event once, in order, and none before those in front of it."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID, uuid4

import psycopg
import pytest

from adapters.postgres.follower import Follower, Source
from adapters.postgres.session import APP, session
from domain.envelope import RecordedEvent
from domain.license_pool import LicensePool
from services.ledger import Ledger
from services.ports import LedgerUnavailable
from tests.adapters.postgres.conftest import Admin
from tests.adapters.postgres.writers import a_pool, save, write_many
from tests.examples import THE_SAME_DAY, resized_to

LAST_XID = "SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint"
APPEND_ONE = (
    "SELECT * FROM ledger.append(%s, %s, '', 'f', ARRAY[%s]::uuid[], ARRAY[1]::bigint[], ARRAY['t'],"
    " ARRAY['{}'::bytea], ARRAY['{}'::bytea], '{}', '{}', NULL)"
)


@pytest.fixture
def follower(url: str) -> Iterator[Follower]:
    with Follower(url) as follower:
        yield follower


def one(admin: Admin, query: str) -> int:
    (number,) = admin.execute(query).fetchone() or (0,)
    return int(number)


def read(follower: Follower, events: int, limit: int = 1000) -> list[RecordedEvent]:
    """So many events; a test that gets fewer runs into its time limit."""
    found: list[RecordedEvent] = []
    while len(found) < events:
        found += follower.poll(limit)
    return found


def settled(follower: Follower, until: int) -> None:
    """Waits until the follower may hand out everything up to a position, without taking any of it."""
    while follower.settled < until:
        assert follower.poll(0) == []


def drained(follower: Follower, admin: Admin) -> list[RecordedEvent]:
    """All that is left when nobody writes any more."""
    found: list[RecordedEvent] = []
    drawn = one(admin, "SELECT last_value FROM ledger.position")
    while follower.settled < drawn or not follower.drained:
        found += follower.poll()
    return found


def test_four_writing_processes_and_a_tailing_follower_miss_nothing(url: str, admin: Admin, follower: Follower) -> None:
    spawn = multiprocessing.get_context("spawn")
    writers = [spawn.Process(target=write_many, args=(url, seed, 500)) for seed in range(4)]
    for writer in writers:
        writer.start()
    seen: list[RecordedEvent] = []
    while any(writer.is_alive() for writer in writers):
        if batch := follower.poll(500):
            seen += batch
        else:
            time.sleep(0.002)
    assert [writer.exitcode for writer in writers] == [0] * 4
    seen += drained(follower, admin)
    stored = [position for (position,) in admin.execute("SELECT position FROM ledger.events ORDER BY position")]
    assert [event.position for event in seen] == stored
    assert len(stored) > 2_400
    gaps, inverted, unordered, organizations = admin.execute(
        "SELECT count(*) FILTER (WHERE organization_seq <> coalesce(s, 0) + 1),"
        " count(*) FILTER (WHERE recorded_at < r), count(*) FILTER (WHERE position <= p),"
        " count(DISTINCT organization_id)"
        " FROM (SELECT *, lag(organization_seq) OVER w s, lag(recorded_at) OVER w r, lag(position) OVER w p"
        " FROM ledger.events WINDOW w AS (PARTITION BY organization_id ORDER BY organization_seq)) streams"
    ).fetchone() or (1, 1, 1, 0)
    assert (gaps, inverted, unordered) == (0, 0, 0)
    assert organizations > 700


def test_it_hands_out_in_batches_and_remembers_what_it_handed_out(ledger: Ledger, follower: Follower, url: str) -> None:
    organization_id = uuid4()
    for _ in range(7):
        save(ledger, a_pool(), organization_id=organization_id)
    first = read(follower, 3, limit=3)
    assert ([event.organization_seq for event in first], follower.after, follower.drained) == ([1, 2, 3], 3, False)
    with Follower(url, after=follower.after) as next_one:
        assert [event.organization_seq for event in read(next_one, 4)] == [4, 5, 6, 7]
    batches = follower.batches(limit=2, idle_s=0.001)
    assert [[event.organization_seq for event in next(batches)] for _ in range(2)] == [[4, 5], [6, 7]]
    assert (follower.after, follower.settled, follower.drained) == (7, 7, True)


def test_asked_for_some_topics_it_moves_on_over_the_others(ledger: Ledger, follower: Follower) -> None:
    """Resizes at 2, 4 and 6 among births, and a last birth at 7: the place to go on from is always that of an event."""
    organization_id = uuid4()
    for _ in range(3):
        pool = a_pool()
        resized_to(7, THE_SAME_DAY)(pool)
        save(ledger, pool, organization_id=organization_id)
    save(ledger, a_pool(), organization_id=organization_id)
    settled(follower, 7)
    resized = [LicensePool.LicensesResized.TOPIC]
    seen = [([event.position for event in follower.poll(3, topics=resized)], follower.drained) for _ in range(4)]
    assert seen == [([2, 3], False), ([4, 6], False), ([7], True), ([], True)]
    assert (follower.after, follower.settled) == (7, 7)


def test_topics_may_change_between_batches_and_nothing_comes_after_the_bound(
    ledger: Ledger, follower: Follower
) -> None:
    for _ in range(6):
        save(ledger, a_pool(), organization_id=uuid4())
    settled(follower, 6)
    assert [event.position for event in follower.poll(until=3, topics=["none such"])] == [3]
    assert (follower.poll(until=3), follower.drained) == ([], False)
    assert [event.position for event in follower.poll(until=5)] == [4, 5]
    assert [event.position for event in follower.poll(topics=[LicensePool.LicensePoolOpened.TOPIC])] == [6]
    assert (follower.poll(), follower.after, follower.drained) == ([], 6, True)


def test_an_idle_follower_takes_no_transaction_id(ledger: Ledger, admin: Admin, follower: Follower) -> None:
    save(ledger, a_pool(), organization_id=uuid4())
    read(follower, 1)
    before = one(admin, LAST_XID)
    assert [follower.poll() for _ in range(100)] == [[]] * 100
    assert one(admin, LAST_XID) == before


def test_it_waits_for_a_position_that_is_drawn_and_not_committed(url: str, ledger: Ledger, follower: Follower) -> None:
    with psycopg.connect(session(url, role=APP)) as slow:
        slow.execute(APPEND_ONE, (uuid4(), uuid4(), uuid4()))
        save(ledger, a_pool(), organization_id=uuid4())
        assert [follower.poll() for _ in range(20)] == [[]] * 20
        assert follower.settled_age_s > 0
        writer = follower.oldest_writer()
        assert writer is not None
        assert writer.pid == slow.info.backend_pid
        assert writer.age_s is not None
        slow.commit()
        assert [event.position for event in read(follower, 2)] == [1, 2]
    assert (follower.settled_age_s, follower.oldest_writer()) == (0.0, None)


def test_who_waits_for_a_busy_organization_holds_no_follower_up(
    url: str, admin: Admin, ledger: Ledger, follower: Follower
) -> None:
    """A transaction id is taken only under the organization's lock."""
    busy = uuid4()
    with psycopg.connect(session(url, role=APP)) as holder, ThreadPoolExecutor() as threads:
        holder.execute("SELECT pg_advisory_xact_lock(uuid_hash_extended(%s, 0))", (busy,))
        waiter = threads.submit(save, ledger, a_pool(), organization_id=busy)
        while not one(admin, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"):
            time.sleep(0.005)
        save(ledger, a_pool(), organization_id=uuid4())
        assert len(read(follower, 1)) == 1
        assert follower.oldest_writer() is None
        holder.rollback()
        assert waiter.result().organization_seq == 1


def test_numbers_of_a_rolled_back_save_are_gaps_that_hold_nothing_up(
    url: str, ledger: Ledger, follower: Follower
) -> None:
    with psycopg.connect(session(url, role=APP)) as lost:
        lost.execute(APPEND_ONE, (uuid4(), uuid4(), uuid4()))
        lost.rollback()
    save(ledger, a_pool(), organization_id=uuid4())
    assert [event.position for event in read(follower, 1)] == [2]


def test_a_follower_whose_connection_is_lost_says_so_and_the_next_goes_on(
    url: str, ledger: Ledger, admin: Admin, follower: Follower
) -> None:
    organization_id = uuid4()
    save(ledger, a_pool(), organization_id=organization_id)
    read(follower, 1)
    admin.execute(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = 'seatledger follower'"
    )
    save(ledger, a_pool(), organization_id=organization_id)
    with pytest.raises(LedgerUnavailable, match="cannot be reached"):
        read(follower, 1)
    with Follower(url, after=follower.after) as next_one:
        assert [event.organization_seq for event in read(next_one, 1)] == [2]


def test_it_knows_which_history_it_reads(admin: Admin, follower: Follower) -> None:
    ledger_id, epoch = admin.execute("SELECT ledger_id, epoch FROM ledger.source").fetchone() or (UUID(int=0), 0)
    assert follower.source() == Source(ledger_id, epoch)
    assert epoch == 1
    with pytest.raises(psycopg.errors.UniqueViolation):
        admin.execute("INSERT INTO ledger.source DEFAULT VALUES")
