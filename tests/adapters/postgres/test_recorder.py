"""Who may do what to history, what the library's doors answer, and how trouble with the database is told."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from eventsourcing.persistence import StoredEvent

from adapters.postgres import errors
from adapters.postgres.session import APP, session
from services.ledger import Ledger
from services.ports import LedgerUnavailable, VersionConflict
from tests.adapters.postgres.conftest import Admin
from tests.adapters.postgres.writers import a_change, a_pool, change_pool, ledger_at, save

# Who may do what.


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO ledger.events SELECT * FROM ledger.events",
        "UPDATE ledger.events SET topic = 'x'",
        "DELETE FROM ledger.events",
        "TRUNCATE ledger.events",
        "UPDATE ledger.commands SET step = 'x'",
        "DELETE FROM ledger.commands",
        "INSERT INTO ledger.personal_facts SELECT * FROM ledger.personal_facts",
        "UPDATE ledger.personal_facts SET value = 'x'",
        "DELETE FROM ledger.personal_facts",
        "UPDATE ledger.snapshots SET version = 1",
        "DELETE FROM ledger.snapshots",
        "UPDATE ledger.source SET epoch = 2",
        "INSERT INTO ledger.migrations VALUES ('x', 'x')",
        "SELECT nextval('ledger.position')",
        "SELECT setval('ledger.position', 1)",
        "ALTER TABLE ledger.events DISABLE TRIGGER ALL",
        "SELECT ledger.keep_facts(NULL, 0, NULL)",
        "SELECT ledger.refuse_moved(NULL, NULL, 0)",
        "LOCK TABLE ledger.events IN SHARE MODE",
        "CREATE TABLE ledger.mine (x int)",
        "SET ROLE seatledger_owner",
    ],
)
@pytest.mark.parametrize("role", [APP, "seatledger_projector"])
def test_the_services_can_only_append_and_read(shared: str, statement: str, role: str) -> None:
    with psycopg.connect(shared) as connection:
        connection.execute(f"SET SESSION AUTHORIZATION {role}")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(statement)


def test_the_projector_sees_no_personal_facts_and_appends_nothing(url: str) -> None:
    with psycopg.connect(session(url, role="seatledger_projector"), autocommit=True) as connection:
        connection.execute("SELECT FROM ledger.events, ledger.position")
        for forbidden in ("SELECT FROM ledger.personal_facts", "SELECT ledger.keep_snapshot(%s, %s, 1, '', '', '', 1)"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(forbidden, (uuid4(), uuid4()) if "%s" in forbidden else None)


def test_a_superuser_s_login_acts_in_the_application_s_role(ledger: Ledger) -> None:
    with ledger.recorder.datastore.get_connection() as connection:  # type: ignore[attr-defined]
        assert connection.execute("SELECT current_user, session_user").fetchone() == (APP, "postgres")
        assert connection.execute("SHOW transaction_isolation").fetchone() == ("read committed",)


@pytest.mark.parametrize("role", ["postgres", "seatledger_owner"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET recorded_at = 0", "DELETE FROM {}", "TRUNCATE {}"])
@pytest.mark.parametrize("table", ["events", "commands"])
def test_even_owner_and_superuser_are_refused_also_as_a_replica(
    shared: str, role: str, statement: str, table: str
) -> None:
    with psycopg.connect(shared, autocommit=True) as admin:
        for replica in ("origin", "replica"):
            admin.execute(f"RESET ROLE; SET session_replication_role = {replica}; SET ROLE {role}")
            with pytest.raises(psycopg.errors.RaiseException, match="history only grows"):
                admin.execute(statement.format(f"ledger.{table}"))


def test_a_personal_fact_may_be_erased_by_the_owner_and_never_changed(admin: Admin) -> None:
    admin.execute("SET ROLE seatledger_owner")
    for forbidden in ("UPDATE ledger.personal_facts SET value = 'x'", "TRUNCATE ledger.personal_facts"):
        with pytest.raises(psycopg.errors.RaiseException, match="history only grows"):
            admin.execute(forbidden)
    admin.execute("DELETE FROM ledger.personal_facts")


# The library's doors.


@pytest.mark.parametrize(
    ("door", "says"),
    [
        (lambda ledger: ledger.recorder.insert_events([StoredEvent(uuid4(), 1, "t", b"{}")]), "because=command"),
        (lambda ledger: ledger.events.put([]), "because=command"),
        (lambda ledger: ledger.repository.get(uuid4()), "organization"),
        (lambda ledger: ledger.recorder.select_events(uuid4()), "organization"),
        (lambda ledger: ledger.recorder.select_notifications(1, 10), "Follower"),
        (lambda ledger: ledger.notification_log.select(1, 10), "Follower"),
        (lambda ledger: ledger.recorder.max_notification_id(), "Follower"),
        (lambda ledger: ledger.recorder.subscribe(), "Follower"),
        (lambda ledger: ledger.recorder.create_table(), "seatledger migrate"),
    ],
)
def test_the_library_s_doors_are_shut_and_name_the_right_one(
    ledger: Ledger, door: Callable[[Any], object], says: str
) -> None:
    with pytest.raises(NotImplementedError, match=says):
        door(ledger)


def test_no_variable_of_the_process_changes_what_is_stored(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("COMPRESSOR_TOPIC", "SEATLEDGER_COMPRESSOR_TOPIC"):
        monkeypatch.setenv(name, "zlib")
    with ledger_at(url) as ledger:
        organization_id, pool = uuid4(), a_pool()
        save(ledger, pool, organization_id=organization_id)
        (event,) = ledger.history.load_events(organization_id, pool.id)
    assert event.state.startswith(b'{"originator_topic":"seatledger.LicensePool"')


# Trouble.


def fail_with(admin: Admin, sqlstate: str) -> None:
    """Every append fails with this SQLSTATE at its last step, with the row in the error's detail."""
    admin.execute(
        "CREATE OR REPLACE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION USING"
        f" ERRCODE = '{sqlstate}', MESSAGE = 'it failed', DETAIL = 'Failing row contains (Chris Green)'; END $$"
    )
    admin.execute("DROP TRIGGER IF EXISTS fail ON ledger.commands")
    admin.execute("CREATE TRIGGER fail BEFORE INSERT ON ledger.commands EXECUTE FUNCTION fail()")


@pytest.mark.parametrize(
    ("sqlstate", "says"),
    [
        ("53100", "disk is full"),
        ("53200", "out of memory"),
        ("53300", "no connection left"),
        ("53400", "a configured limit"),
        ("25006", "read-only"),
        ("55P03", "hold a lock"),
        ("57014", "took too long"),
        ("57P01", "cannot be reached"),
        ("40001", r"could not do it now \(SQLSTATE 40001\)"),
    ],
)
def test_what_is_no_fault_of_the_command_is_one_line_and_the_same_command_succeeds_later(
    ledger: Ledger, admin: Admin, sqlstate: str, says: str
) -> None:
    organization_id, pool = uuid4(), a_pool()
    save(ledger, pool, organization_id=organization_id)
    fail_with(admin, sqlstate)
    command = a_change(organization_id, pool, 7)
    with pytest.raises(LedgerUnavailable, match=says) as trouble:
        change_pool(ledger, command)
    assert "\n" not in str(trouble.value)
    assert "Chris" not in "".join(traceback.format_exception(trouble.value))
    admin.execute("DROP TRIGGER fail ON ledger.commands")
    assert change_pool(ledger, command).events == 1


@pytest.mark.parametrize("sqlstate", ["23502", "23505", "23514", "XX000", "P0001"])
def test_a_defect_keeps_its_kind_and_loses_the_row(ledger: Ledger, admin: Admin, sqlstate: str) -> None:
    fail_with(admin, sqlstate)
    with pytest.raises(psycopg.errors.lookup(sqlstate), match="it failed") as defect:
        save(ledger, a_pool(), organization_id=uuid4())
    assert defect.value.sqlstate == sqlstate
    assert "Chris" not in "".join(traceback.format_exception(defect.value))


def test_a_read_only_database_is_told_and_reads_go_on(ledger: Ledger, admin: Admin, url: str) -> None:
    organization_id, pool = uuid4(), a_pool()
    save(ledger, pool, organization_id=organization_id)
    admin.execute(f'ALTER DATABASE "{admin.info.dbname}" SET default_transaction_read_only = on')
    with ledger_at(url) as read_only:
        assert read_only.license_pool(organization_id, pool.id).total == 5
        with pytest.raises(LedgerUnavailable, match="read-only"):
            change_pool(read_only, command := a_change(organization_id, pool, 7))
    admin.execute(f'ALTER DATABASE "{admin.info.dbname}" RESET default_transaction_read_only')
    with ledger_at(url) as writable:
        assert change_pool(writable, command).events == 1


def test_the_conflict_names_the_aggregate_and_no_row(ledger: Ledger) -> None:
    organization_id, seen = uuid4(), a_pool()
    with pytest.raises(VersionConflict) as conflict:
        save(ledger, a_pool(), organization_id=organization_id, seen=[seen, resaved(ledger, organization_id)])
    assert conflict.value.__cause__ is None


def resaved(ledger: Ledger, organization_id: Any) -> Any:
    """A pool that is one version behind history."""
    pool = a_pool()
    save(ledger, pool, organization_id=organization_id)
    change_pool(ledger, a_change(organization_id, pool, 9))
    return pool


def test_every_remedy_is_one_line_that_ends_with_what_to_do() -> None:
    for remedy in errors.REMEDIES.values():
        assert remedy.endswith("then send the same command again")
        assert "\n" not in remedy
