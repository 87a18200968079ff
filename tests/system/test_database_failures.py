"""A database that cannot take a command says so in one line, and the same command succeeds when it can again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import psycopg
import pytest

from adapters.embedded.postgres import EmbeddedPostgres
from adapters.embedded.throw_away import throw_away_postgres
from adapters.postgres.ledger import directory_of, open_ledger
from adapters.postgres.migrate import migrate
from domain.license_pool import LicensePool
from services.ports import LedgerUnavailable
from services.resize_licenses import ResizeLicenses
from tests.examples import PURCHASED_AT
from tests.services.contoso import Clock, Contoso
from tests.services.on_sale import import_power_bi


class Failing(NamedTuple):
    """A server of its own, and a wish that it will not take at first."""

    server: EmbeddedPostgres
    contoso: Contoso
    resizing: ResizeLicenses

    def as_superuser(self, *statements: str) -> None:
        with psycopg.connect(self.server.url, autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement.encode())

    def is_told_and_changes_nothing(self, words: str) -> None:
        with pytest.raises(LedgerUnavailable) as told:
            self.contoso.run(self.resizing)
        assert words in str(told.value)
        assert "\n" not in str(told.value)

    def succeeds_now(self) -> None:
        """Once, as if nothing had been."""
        receipt = self.contoso.run(self.resizing)
        [resized] = [one for one in self.contoso.recorded(receipt) if one.topic == LicensePool.LicensesResized.TOPIC]
        assert resized in self.contoso.history()
        assert self.contoso.run(self.resizing) == receipt
        assert self.contoso.pool(self.resizing.subscription_id).total == 7
        assert [payment.status for payment in self.contoso.payments()] == ["captured", "captured"]


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedPostgres]:
    with throw_away_postgres() as server:
        migrate(server.url)
        yield server


@pytest.fixture
def failing(server: EmbeddedPostgres) -> Iterator[Failing]:
    with open_ledger(server.url, pool_size=2, clock=Clock(PURCHASED_AT), fingerprint_key=b"of the tests") as ledger:
        import_power_bi(ledger)
        contoso = Contoso.founded(ledger, directory_of(ledger), Clock(PURCHASED_AT))
        bought = contoso.buys(licenses=3)
        yield Failing(server, contoso, contoso.command(ResizeLicenses, contoso.buyer, subscription_id=bought, total=7))


def test_down(failing: Failing) -> None:
    failing.server.kill9()
    try:
        failing.is_told_and_changes_nothing("it runs")
    finally:
        failing.server.start()
    failing.succeeds_now()


def test_read_only(failing: Failing) -> None:
    failing.as_superuser("ALTER SYSTEM SET default_transaction_read_only = on", "SELECT pg_reload_conf()")
    try:
        failing.is_told_and_changes_nothing("read-only")
    finally:
        failing.as_superuser(
            "SET default_transaction_read_only = off",
            "ALTER SYSTEM RESET default_transaction_read_only",
            "SELECT pg_reload_conf()",
        )
    failing.succeeds_now()


def test_full_in_the_middle_of_a_save(failing: Failing) -> None:
    """The error of a full disk comes after the events were written and before the receipt: nothing of it stays."""
    failing.as_superuser(
        "CREATE FUNCTION disk_is_full() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE 'could not extend file: No space left on device' USING ERRCODE = 'disk_full'; END $$",
        "CREATE TRIGGER disk_is_full BEFORE INSERT ON ledger.commands EXECUTE FUNCTION disk_is_full()",
    )
    before = failing.contoso.history()
    failing.is_told_and_changes_nothing("disk is full")
    assert failing.contoso.history() == before
    failing.as_superuser("DROP TRIGGER disk_is_full ON ledger.commands", "DROP FUNCTION disk_is_full")
    failing.succeeds_now()
