"""Somebody with every right changes what is stored, triggers off; the audit names what and where."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from psycopg.sql import SQL, Identifier

from adapters.embedded.postgres import EmbeddedPostgres
from adapters.postgres.history_reads import HistoryReads
from adapters.postgres.ledger import directory_of, open_ledger
from adapters.postgres.migrate import migrate
from adapters.verification import verify_history, verify_read_models
from domain.organization import CATALOG
from services.assign_licenses import AssignLicenses
from services.cancel_subscription import CancelSubscription
from services.import_catalog import ImportCatalog, OfferRow, import_catalog
from services.ledger import Ledger, snapshot_of
from services.resize_licenses import ResizeLicenses
from tests.examples import POWER_BI_PRO_PRODUCT
from tests.services.contoso import MONTHLY, OPERATOR, Clock, Contoso

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
pytestmark = pytest.mark.enable_socket


class Stored(NamedTuple):
    """A ledger with a story, its owner's connection, and Contoso in it."""

    url: str
    owner: psycopg.Connection
    contoso: Contoso
    pool_id: UUID

    def found(self) -> list[str]:
        with HistoryReads(self.url) as reads:
            return [f"{found.check}: {found.key}: {found.what}" for found in verify_history(reads)]

    def tamper(self, statement: str) -> None:
        for table in ("events", "commands", "personal_facts"):
            self.owner.execute(SQL("ALTER TABLE ledger.{} DISABLE TRIGGER ALL").format(Identifier(table)))
        changed = self.owner.execute(statement.encode(), {"organization": self.contoso.organization_id})
        assert changed.rowcount > 0, "the test changed nothing"

    def key(self, seq: int) -> str:
        return f"{self.contoso.organization_id} #{seq}"


@pytest.fixture
def stored(postgres: EmbeddedPostgres) -> Iterator[Stored]:
    name = f"audit_{uuid4().hex}"
    with psycopg.connect(postgres.url, autocommit=True) as admin:
        admin.execute(SQL("CREATE DATABASE {}").format(Identifier(name)))
    url = make_conninfo(postgres.url, dbname=name)
    migrate(url)
    ledger = open_ledger(url, pool_size=2, clock=Clock(NOW), fingerprint_key=b"of the tests")
    owner = psycopg.connect(url, autocommit=True)
    try:
        yield tell_story(url, owner, ledger)
    finally:
        owner.close()
        ledger.close()
        with psycopg.connect(postgres.url, autocommit=True) as admin:
            admin.execute(SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(name)))


def tell_story(url: str, owner: psycopg.Connection, ledger: Ledger) -> Stored:
    row = OfferRow(terms=MONTHLY, unit_price_minor=1_400)
    catalog = ImportCatalog(
        organization_id=CATALOG, command_id=uuid4(), actor=OPERATOR, products=(POWER_BI_PRO_PRODUCT,), offers=(row,)
    )
    import_catalog(ledger, catalog)
    contoso = Contoso.founded(ledger, directory_of(ledger), Clock(NOW))
    bought = contoso.buys(licenses=3)
    contoso.run(contoso.command(ResizeLicenses, contoso.buyer, subscription_id=bought, total=5))
    users = (contoso.ben, contoso.david)
    contoso.run(contoso.command(AssignLicenses, contoso.buyer, subscription_id=bought, user_ids=users))
    pool = contoso.pool(bought)
    ledger.history.keep_snapshot(contoso.organization_id, pool.id, snapshot_of(pool))
    contoso.run(
        contoso.command(
            CancelSubscription,
            contoso.buyer,
            subscription_id=bought,
            when="term_end",
            reason="other",
            feedback="Thank you",
        )
    )
    return Stored(url, owner, contoso, pool.id)


def test_an_untouched_ledger_has_no_differences(stored: Stored) -> None:
    assert stored.found() == []


@pytest.mark.parametrize(
    ("column", "change"),
    [
        ("state", "set_byte(state, 20, get_byte(state, 20) # 1)"),
        ("metadata", "set_byte(metadata, 15, get_byte(metadata, 15) # 1)"),
        ("topic", "'seatledger.LicensePool.LicensePoolClosed'"),
        ("recorded_at", "recorded_at + 1"),
        ("position", "position + 1000000"),
        ("originator_version", "originator_version + 1000"),
        ("originator_id", "gen_random_uuid()"),
        ("chain_hash", "set_byte(chain_hash, 0, get_byte(chain_hash, 0) # 1)"),
    ],
)
def test_one_changed_column_of_an_event_is_named(stored: Stored, column: str, change: str) -> None:
    fifth = "WHERE organization_id = %(organization)s AND organization_seq = 5"
    stored.tamper(f"UPDATE ledger.events SET {column} = {change} {fifth}")  # noqa: S608 - the words stand above
    chain = [found for found in stored.found() if found.startswith("chain")]
    assert chain[0] == f"chain: {stored.key(5)}: the stored bytes do not give the stored chain hash"


def test_a_deleted_event_is_named(stored: Stored) -> None:
    stored.tamper("DELETE FROM ledger.events WHERE organization_id = %(organization)s AND organization_seq = 5")
    assert f"chain: {stored.key(6)}: events 5 to 5 are missing" in stored.found()


def test_a_lost_tail_is_named_by_the_receipts_that_answer_for_it(stored: Stored) -> None:
    stored.tamper("DELETE FROM ledger.events WHERE organization_id = %(organization)s AND organization_seq > 10")
    assert any(found.startswith("commands") and "history has 0" in found for found in stored.found())


def test_a_whole_organization_that_is_gone_is_named(stored: Stored) -> None:
    stored.tamper("DELETE FROM ledger.events WHERE organization_id = %(organization)s")
    assert sum(found.startswith("commands") for found in stored.found()) >= 5


def test_two_swapped_events_are_both_named(stored: Stored) -> None:
    mine = "WHERE organization_id = %(organization)s AND organization_seq"
    stored.tamper(f"UPDATE ledger.events SET organization_seq = -organization_seq {mine} IN (5, 6)")  # noqa: S608
    stored.tamper(f"UPDATE ledger.events SET organization_seq = 11 + organization_seq {mine} IN (-5, -6)")  # noqa: S608
    found = stored.found()
    for seq in (5, 6):
        assert any(difference.startswith(f"chain: {stored.key(seq)}") for difference in found)


def test_a_deleted_receipt_is_named(stored: Stored) -> None:
    stored.tamper("DELETE FROM ledger.commands WHERE organization_id = %(organization)s AND events = 2")
    assert any("has no receipt" in found for found in stored.found())


def test_a_changed_receipt_is_named(stored: Stored) -> None:
    stored.tamper("UPDATE ledger.commands SET events = 3 WHERE organization_id = %(organization)s AND events = 2")
    assert any("its receipt names 3 events" in found for found in stored.found())


def test_a_changed_personal_fact_is_named_and_never_quoted(stored: Stored) -> None:
    stored.tamper(
        "UPDATE ledger.personal_facts SET value = 'Canary' WHERE organization_id = %(organization)s"
        " AND purpose = 'feedback'"
    )
    (found,) = stored.found()
    assert found.startswith("facts: fact ")
    assert found.endswith("its value is not the one that history committed to")
    assert "Canary" not in found


def test_an_erased_personal_fact_is_no_difference(stored: Stored) -> None:
    stored.tamper("DELETE FROM ledger.personal_facts WHERE organization_id = %(organization)s AND purpose = 'feedback'")
    assert stored.found() == []


def test_a_personal_fact_that_history_does_not_know_is_named(stored: Stored) -> None:
    stored.tamper(
        "INSERT INTO ledger.personal_facts SELECT organization_id, gen_random_uuid(), subject_id, purpose, value, salt,"
        " keep_until, organization_seq FROM ledger.personal_facts"
        " WHERE organization_id = %(organization)s AND purpose = 'feedback'"
    )
    (found,) = stored.found()
    assert found.endswith("no event refers to it")


def test_a_changed_snapshot_is_named_with_its_fields(stored: Stored) -> None:
    stored.tamper(
        "UPDATE ledger.snapshots SET state = replace(convert_from(state, 'UTF8'), '\"total\":5', '\"total\":9')::bytea"
        " WHERE organization_id = %(organization)s"
    )
    assert stored.found() == [f"snapshots: snapshot of {stored.pool_id}: total differ from the replay"]


def test_a_snapshot_of_a_version_that_history_does_not_have_is_named(stored: Stored) -> None:
    stored.tamper("UPDATE ledger.snapshots SET version = 99 WHERE organization_id = %(organization)s")
    assert stored.found() == [f"snapshots: snapshot of {stored.pool_id}: history has no version 99 of it"]


def test_one_changed_cell_of_a_read_table_is_named(stored: Stored) -> None:
    assert list(verify_read_models(stored.url)) == []
    stored.tamper("UPDATE projections.purchases_b1 SET licenses_total = 7 WHERE organization_id = %(organization)s")
    (found,) = verify_read_models(stored.url)
    assert found.check == "read tables"
    assert found.what == "licenses_total is 7 and history gives 5"


def test_personal_facts_of_an_organization_without_a_history_are_named(stored: Stored) -> None:
    for table in ("events", "commands", "snapshots"):
        stored.tamper(f"DELETE FROM ledger.{table} WHERE organization_id = %(organization)s")  # noqa: S608
    assert stored.found()
    assert all(found.endswith("no event refers to it") for found in stored.found())
