"""The ledger starts only where it cannot lose events, and several can start at once."""

from __future__ import annotations

import multiprocessing
from collections.abc import Sequence
from uuid import uuid4

import pytest

from adapters.embedded.postgres import EmbeddedPostgres
from adapters.embedded.throw_away import throw_away_home
from adapters.postgres.errors import StartRefused
from adapters.postgres.migrate import migrate
from tests.adapters.postgres.conftest import Admin
from tests.adapters.postgres.writers import a_pool, ledger_at, save


def start_and_save(url: str) -> int:
    with ledger_at(url) as ledger:
        return save(ledger, a_pool(), organization_id=uuid4()).events


def test_four_processes_start_at_once(url: str) -> None:
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        assert pool.map(start_and_save, [url] * 4, chunksize=1) == [1] * 4


def test_an_unmigrated_database_is_refused(postgres: EmbeddedPostgres) -> None:
    with pytest.raises(StartRefused, match="run `seatledger migrate`"):
        ledger_at(postgres.url)


def test_a_database_with_a_migration_left_to_do_is_refused(admin: Admin, url: str) -> None:
    admin.execute("DELETE FROM ledger.migrations WHERE name = (SELECT max(name) FROM ledger.migrations)")
    with pytest.raises(StartRefused, match="run `seatledger migrate`"):
        ledger_at(url)


def test_a_position_sequence_with_a_cache_is_refused(admin: Admin, url: str) -> None:
    admin.execute("ALTER SEQUENCE ledger.position CACHE 20")
    with pytest.raises(StartRefused, match="CACHE 20: set it to 1"):
        ledger_at(url)


def test_commits_that_do_not_wait_for_the_disk_are_refused(admin: Admin, url: str) -> None:
    admin.execute(f'ALTER DATABASE "{admin.info.dbname}" SET synchronous_commit = off')
    with pytest.raises(StartRefused, match="synchronous_commit is off: turn it on"):
        ledger_at(url)


def test_the_library_s_database_functions_are_refused(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POSTGRES_ENABLE_DB_FUNCTIONS", "y")
    with pytest.raises(StartRefused, match="unset it"):
        ledger_at(url)


def test_another_default_isolation_is_not_taken_over(admin: Admin, url: str) -> None:
    admin.execute(f"ALTER DATABASE \"{admin.info.dbname}\" SET default_transaction_isolation = 'serializable'")
    with ledger_at(url) as ledger, ledger.recorder.datastore.get_connection() as connection:  # type: ignore[attr-defined]
        assert connection.execute("SHOW transaction_isolation").fetchone() == ("read committed",)


class WithPreparedTransactions(EmbeddedPostgres):
    """As somebody else's server may be configured."""

    def _command(self) -> Sequence[str]:
        return [*super()._command(), "-c", "max_prepared_transactions=5"]


def test_prepared_transactions_are_refused() -> None:
    with throw_away_home() as home, WithPreparedTransactions(home) as server:
        migrate(server.url)
        with pytest.raises(StartRefused, match="max_prepared_transactions is 5: set it to 0"):
            ledger_at(server.url)
