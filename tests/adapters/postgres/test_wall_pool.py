"""What a connection shows is what its borrower may see: whoever had it before, and whatever went wrong."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import cast
from uuid import UUID, uuid4

import psycopg
import pytest

from adapters.postgres import wall
from adapters.postgres.pool import Connection, Pool
from adapters.postgres.recorder import LedgerRecorder
from adapters.postgres.session import API, APP, session
from adapters.postgres.wall import outside, visible, within
from tests.adapters.postgres.writers import a_pool, at_once, ledger_at, save

SHOWN = "SELECT current_setting('seatledger.organization', true)"
ONE, OTHER = UUID(int=1), UUID(int=2)


@pytest.fixture
def pool(shared: str) -> Iterator[Pool]:
    with Pool(session(shared, role=API), size=1, wait_s=5, walled=True) as pool:
        yield pool


def shown(pool: Pool) -> str | None:
    with pool.connection() as connection:
        return of(connection)


def of(connection: Connection) -> str | None:
    (setting,) = connection.execute(SHOWN).fetchone() or (None,)
    return cast("str | None", setting)


def test_a_connection_shows_what_the_context_may_see(pool: Pool) -> None:
    assert shown(pool) == "none"
    with within(ONE):
        assert shown(pool) == str(ONE)
        with within(OTHER):
            assert shown(pool) == str(OTHER)
            with outside():
                assert shown(pool) == "none"
        assert shown(pool) == str(ONE)
    assert shown(pool) == "none"


def test_the_server_is_told_only_what_changes(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    monkeypatch.setattr(wall, "show", lambda _, organization: told.append(organization))
    shown(pool)
    for organization_id in (ONE, ONE, ONE, OTHER, OTHER, ONE):
        with within(organization_id):
            shown(pool)
    assert told == [str(ONE), str(OTHER), str(ONE)]


def test_one_that_cannot_be_told_is_lent_to_nobody(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    with within(ONE), pool.connection() as connection:
        first = connection.info.backend_pid
    with monkeypatch.context() as patch:
        patch.setattr(wall, "SHOW", "SELECT set_config('seatledger.organization', %s, false), 1 / 0")
        with within(OTHER), pytest.raises(psycopg.errors.DivisionByZero):
            shown(pool)
    with within(ONE), pool.connection() as connection:
        assert connection.info.backend_pid != first
        assert of(connection) == str(ONE)


def test_what_a_borrower_rolled_back_or_left_open_changes_nothing(pool: Pool) -> None:
    with within(ONE):
        with pool.connection() as connection, connection.transaction(force_rollback=True):
            connection.execute("SELECT 1")
        assert shown(pool) == str(ONE)
        with pool.connection() as connection:
            connection.execute("BEGIN")
    with within(OTHER):
        assert shown(pool) == str(OTHER)


def test_a_new_thread_stands_outside_and_one_with_the_context_within() -> None:
    with within(ONE), ThreadPoolExecutor(1) as threads:
        assert threads.submit(visible).result() == "none"
        assert threads.submit(copy_context().run, visible).result() == str(ONE)


def test_requests_that_are_served_at_once_do_not_see_each_other_s() -> None:
    async def request(organization_id: UUID) -> bool:
        with within(organization_id):
            for _ in range(20):
                await asyncio.sleep(0)
                if visible() != str(organization_id) or await asyncio.to_thread(visible) != str(organization_id):
                    return False
        return visible() == "none"

    async def serve() -> list[bool]:
        return await asyncio.gather(*[request(uuid4()) for _ in range(20)])

    assert all(asyncio.run(serve()))


def test_pools_without_a_wall_are_told_nothing(shared: str) -> None:
    with Pool(session(shared, role=APP), size=1, wait_s=5) as pool, within(ONE):
        assert shown(pool) is None


def test_eight_threads_on_two_connections_never_see_a_wrong_row(url: str) -> None:
    owned = {uuid4(): a_pool(), uuid4(): a_pool()}
    with ledger_at(url) as ledger:
        for organization_id, opened in owned.items():
            save(ledger, opened, organization_id=organization_id)
    with ledger_at(url, pool_size=2, walled=True) as ledger:
        datastore = cast("LedgerRecorder", ledger.recorder).datastore

        def work(number: int) -> int:
            chance, wrong = random.Random(number), 0  # noqa: S311 - not a secret
            for _ in range(150):
                mine, others = chance.sample(list(owned), 2)
                with within(mine):
                    with datastore.get_connection() as connection:
                        found = connection.execute("SELECT organization_id FROM ledger.commands").fetchall()
                    wrong += found != [(mine,)]
                    wrong += ledger.history.versions(mine, [owned[mine].id]) != {owned[mine].id: 1}
                    wrong += ledger.history.load_events(others, owned[others].id) != []
            return wrong

        assert at_once(8, work) == [0] * 8
