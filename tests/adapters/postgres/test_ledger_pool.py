"""The pool: never more connections than it may have, none kept that is broken, and a busy one says so."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from adapters.postgres.pool import Pool
from adapters.postgres.session import APP, session
from services.ports import LedgerUnavailable
from tests.adapters.postgres.conftest import Admin
from tests.adapters.postgres.writers import at_once

PID = "SELECT pg_backend_pid()"


@pytest.fixture
def pool(url: str) -> Iterator[Pool]:
    with Pool(session(url, role=APP), size=3, wait_s=5) as pool:
        yield pool


def pid(pool: Pool) -> int:
    with pool.connection() as connection:
        (number,) = connection.execute(PID).fetchone() or (0,)
    return int(number)


def test_twenty_threads_share_three_connections(pool: Pool, admin: Admin) -> None:
    def use(_: int) -> int:
        with pool.connection() as connection:
            connection.execute("SELECT pg_sleep(0.02)")
            return connection.info.backend_pid

    assert len(set(at_once(20, use))) == 3
    assert admin.execute("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'seatledger'").fetchone() == (
        3,
    )


def test_who_finds_all_busy_for_too_long_is_told(url: str) -> None:
    with (
        Pool(session(url, role=APP), size=1, wait_s=0.05) as pool,
        pool.connection(),
        pytest.raises(LedgerUnavailable, match="all 1 connections to the database are busy"),
        pool.connection(),
    ):
        pass


def test_one_that_was_left_in_a_transaction_or_closed_is_not_lent_again(pool: Pool) -> None:
    first = pid(pool)
    assert pid(pool) == first
    with pool.connection() as connection:
        connection.execute("BEGIN")
    second = pid(pool)
    assert second != first
    with pytest.raises(psycopg.errors.DivisionByZero), pool.connection() as connection:
        connection.execute("SELECT 1 / 0")
    assert pid(pool) == second  # an error is no reason to throw it away
    with pool.connection() as connection:
        connection.close()
    assert pid(pool) != second


def test_a_server_that_is_not_there_is_told_at_once_and_takes_no_place(tmp_path: Path) -> None:
    pool = Pool(session(f"postgresql://x@/x?host={tmp_path}", role=APP), size=1, wait_s=5)
    before = time.monotonic()
    for _ in range(3):
        with pytest.raises(LedgerUnavailable, match="cannot be reached"), pool.connection():
            pass
    assert time.monotonic() - before < 5


def test_a_closed_pool_keeps_nothing(pool: Pool, admin: Admin) -> None:
    with pool.connection():
        pid(pool)
        pool.close()
    count = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'seatledger'"
    while admin.execute(count).fetchone() != (0,):
        time.sleep(0.01)
