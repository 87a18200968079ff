"""Writers and servers that die, connections that break, full disks: nothing acknowledged is lost or doubled."""

from __future__ import annotations

import multiprocessing
import os
import random
import resource
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
import pytest

from adapters.embedded.throw_away import throw_away_postgres
from adapters.postgres.follower import Follower
from adapters.postgres.migrate import migrate
from adapters.postgres.session import APP, session
from domain.license_pool import LicensePool
from projections.audit.chain import first_break
from services.ledger import Ledger
from services.ports import LedgerUnavailable, Receipt
from tests.adapters.postgres.conftest import Admin
from tests.adapters.postgres.test_follower import APPEND_ONE, read
from tests.adapters.postgres.writers import a_change, a_pool, change_pool, ledger_at, save, write_until_killed

KILLS = 5


def test_a_writer_killed_under_load_has_recorded_what_it_acknowledged_exactly_once(
    url: str, admin: Admin, ledger: Ledger, tmp_path: Path
) -> None:
    journal, organization_ids = tmp_path / "journal", [uuid4() for _ in range(40)]
    journal.touch()
    for _ in range(KILLS):
        arguments = (url, journal, organization_ids, 6)
        writer = multiprocessing.get_context("spawn").Process(target=write_until_killed, args=arguments)
        writer.start()
        before = journal.stat().st_size
        while journal.stat().st_size == before:
            assert writer.is_alive()
            time.sleep(0.005)
        time.sleep(random.uniform(0.2, 0.6))  # noqa: S311 - any moment
        assert writer.pid is not None
        os.kill(writer.pid, signal.SIGKILL)
        writer.join()
        lines = journal.read_text().split("\n")[:-1]
        started, acknowledged = ({line[2:] for line in lines if line[0] == kind} for kind in "SA")
        rows = admin.execute("SELECT organization_id, command_id FROM ledger.commands").fetchall()
        recorded = {f"{organization_id}/{command_id}" for organization_id, command_id in rows}
        assert acknowledged <= recorded <= started
    left = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'seatledger' AND state = 'active'"
    while admin.execute(left).fetchone() != (0,):
        time.sleep(0.05)  # a server process whose client died finishes its statement first
    counts = "SELECT (SELECT count(*) FROM ledger.events), (SELECT 2 * count(*) FROM ledger.commands)"
    events, twice_the_commands = admin.execute(counts).fetchone() or (0, 1)
    assert events == twice_the_commands  # each command's two events, once
    for organization_id in organization_ids:
        history = ledger.history.told(organization_id, after=0, until=2**62)
        assert first_break(organization_id, history) is None


def test_an_idle_connection_that_the_server_ended_is_replaced_before_it_is_used(ledger: Ledger, admin: Admin) -> None:
    organization_id, pool = uuid4(), a_pool()
    save(ledger, pool, organization_id=organization_id)
    for total in (6, 7, 8):
        ended = (
            "SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity WHERE application_name = 'seatledger'"
        )
        assert admin.execute(ended).fetchone() != (0,)
        assert change_pool(ledger, a_change(organization_id, pool, total)).events == 1


def test_a_connection_that_breaks_in_the_middle_of_a_save_leaves_nothing_and_is_told(
    ledger: Ledger, admin: Admin, url: str
) -> None:
    organization_id, pool = uuid4(), a_pool()
    command = a_change(organization_id)
    with psycopg.connect(session(url, role=APP)) as holder:
        holder.execute("SELECT pg_advisory_xact_lock(uuid_hash_extended(%s, 0))", (organization_id,))
        with ThreadPoolExecutor() as threads:
            waiting = threads.submit(save, ledger, pool, organization_id=organization_id, because=command)
            waiter = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
            while admin.execute(waiter).fetchone() is None:
                time.sleep(0.005)
            with pytest.raises(LedgerUnavailable, match="cannot be reached"):
                waiting.result()
    assert ledger.find(LicensePool, organization_id, pool.id) is None
    assert save(ledger, pool, organization_id=organization_id, because=command).events == 1


def test_a_busy_organization_gives_its_waiters_back_after_the_lock_timeout(
    url: str, admin: Admin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(session.__globals__["LIMITS"], "lock_timeout", "300ms")
    organization_id = uuid4()
    with ledger_at(url, pool_size=2) as ledger, psycopg.connect(url) as holder:
        holder.execute("SELECT pg_advisory_xact_lock(uuid_hash_extended(%s, 0))", (organization_id,))
        with pytest.raises(LedgerUnavailable, match="hold a lock for too long"):
            save(ledger, a_pool(), organization_id=organization_id)
        assert save(ledger, a_pool(), organization_id=uuid4()).events == 1  # nobody else waits for it
    assert admin.execute("SELECT count(*) FROM ledger.commands").fetchone() == (1,)


def test_a_killed_server_forgets_no_receipt_and_a_follower_sees_the_numbers_that_are_drawn_again() -> None:
    with throw_away_postgres() as server:
        migrate(server.url)
        organization_id, pool = uuid4(), a_pool()
        command = a_change(organization_id)
        with ledger_at(server.url) as ledger, Follower(server.url) as follower:
            receipt = save(ledger, pool, organization_id=organization_id, because=command)
            assert len(read(follower, 1)) == 1
            with psycopg.connect(session(server.url, role=APP)) as lost:
                for _ in range(40):  # more than the sequence writes ahead
                    lost.execute(APPEND_ONE, (uuid4(), uuid4(), uuid4()))
                lost.rollback()
            while follower.settled < 41:
                assert follower.poll() == []
            handled = follower.after
            server.kill9()
            with pytest.raises(LedgerUnavailable):
                change_pool(ledger, a_change(organization_id, pool, 9))
            with pytest.raises(LedgerUnavailable):
                follower.poll()
            server.start()
            again = change_pool(ledger, a_change(organization_id, pool, 9))
            assert ledger.history.recorded(organization_id, command.command_id, "") == receipt
            with Follower(server.url, after=handled) as next_one:
                (event,) = read(next_one, 1)
            assert (event.position, event.organization_seq) == (again.position, 2)


class Limited:
    """The server's files may not grow beyond so many bytes: a full disk for everything that is not small."""

    def __init__(self, size: int) -> None:
        self.size = size

    def __enter__(self) -> None:
        self.before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (self.size, self.before[1]))

    def __exit__(self, *_: object) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, self.before)


def test_a_database_that_is_full_or_down_says_so_and_the_same_command_succeeds_later() -> None:
    with throw_away_postgres() as server:
        migrate(server.url)
        with Limited(17 * 1024 * 1024):  # above a segment of the write-ahead log
            server.restart()
        organization_id, pools, last = uuid4(), [a_pool()], a_change(uuid4())
        with ledger_at(server.url) as ledger:
            with pytest.raises(LedgerUnavailable, match="disk is full"):  # noqa: PT012 - it fills up in a loop
                while True:
                    last = a_change(organization_id)
                    save_large(ledger, organization_id, pools[-1], last)
                    pools.append(a_pool())
            assert len(pools) > 10
            assert ledger.license_pool(organization_id, pools[0].id).assigned == 0  # reading goes on
            server.stop()
            with pytest.raises(LedgerUnavailable, match="cannot be reached"):
                ledger.license_pool(organization_id, pools[0].id)
            server.start()  # with room
            assert save_large(ledger, organization_id, pools[-1], last).events == 1
            history = ledger.history.told(organization_id, after=0, until=2**62)
            assert len(history) == len(pools)
            assert first_break(organization_id, history) is None


def save_large(ledger: Ledger, organization_id: UUID, pool: LicensePool, command: object) -> Receipt:
    """An event of 200 KB that does not compress."""
    if len(pool.product_id) < 1000:
        event = pool.pending_events[0]
        pool.product_id = random.randbytes(100_000).hex()  # noqa: S311 - any bytes
        pool.pending_events[:] = [event.model_copy(update={"product_id": pool.product_id})]  # type: ignore[attr-defined]
    return save(ledger, pool, organization_id=organization_id, because=command)
