"""Migrations run once, in order, whoever starts them and however often, and refuse what does not fit."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import psycopg
import pytest

from adapters.postgres import migrate as migrate_module
from adapters.postgres.errors import StartRefused
from adapters.postgres.migrate import Migration, migrate, migrations
from services.ports import LedgerUnavailable
from tests.adapters.postgres.conftest import Admin
from tests.adapters.postgres.writers import a_pool, ledger_at, save

if TYPE_CHECKING:
    from adapters.embedded.postgres import EmbeddedPostgres


@pytest.fixture
def empty(postgres: EmbeddedPostgres) -> Iterator[str]:
    """The superuser's URL of a database without anything in it."""
    name = f"empty_{uuid4().hex}"
    with psycopg.connect(postgres.url, autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}")
        yield postgres.url_as("postgres", name)
        server.execute(f"DROP DATABASE {name} WITH (FORCE)")


def test_the_second_time_there_is_nothing_to_do(empty: str) -> None:
    assert migrate(empty) == [migration.name for migration in migrations()]
    assert migrate(empty) == []


def test_four_processes_at_once_apply_each_migration_once(empty: str) -> None:
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        applied = pool.map(migrate, [empty] * 4, chunksize=1)
    assert sorted(name for names in applied for name in names) == [migration.name for migration in migrations()]
    with ledger_at(empty) as ledger:
        assert save(ledger, a_pool(), organization_id=uuid4()).organization_seq == 1


def test_their_names_say_their_order_and_no_two_have_one_number() -> None:
    names = [migration.name for migration in migrations()]
    assert names[0] == "0001_ledger.sql"
    assert all(migrate_module.FILE_NAME.fullmatch(name) for name in names)
    assert len({name[:4] for name in names}) == len(names)


def test_a_migration_that_was_changed_after_it_ran_is_refused_by_name(
    url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for migration in migrations():
        (tmp_path / migration.name).write_text(migration.sql + ("-- also this" if "0001" in migration.name else ""))
    monkeypatch.setattr(migrate_module, "FOLDER", tmp_path)
    with pytest.raises(StartRefused, match=r"0001_ledger\.sql was changed"):
        migrate(url)
    with pytest.raises(StartRefused, match=r"0001_ledger\.sql was changed"):
        ledger_at(url)


def test_a_database_of_a_newer_release_is_refused_by_name(admin: Admin, url: str) -> None:
    admin.execute("INSERT INTO ledger.migrations VALUES ('9901_later.sql', 'x')")
    with pytest.raises(StartRefused, match=r"newer seatledger .*9901_later\.sql"):
        migrate(url)
    with pytest.raises(StartRefused, match="upgrade seatledger"):
        ledger_at(url)


def test_a_migration_that_fails_leaves_nothing_of_itself_and_runs_when_it_is_mended(
    url: str, admin: Admin, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = Migration("9901_later.sql", "CREATE TABLE ledger.later (); SELECT 1 / 0")
    monkeypatch.setattr(migrate_module, "migrations", lambda: [*migrations(), broken])
    with pytest.raises(psycopg.errors.DivisionByZero):
        migrate(url)
    assert admin.execute("SELECT to_regclass('ledger.later')").fetchone() == (None,)
    mended = Migration("9901_later.sql", "CREATE TABLE ledger.later ()")
    monkeypatch.setattr(migrate_module, "migrations", lambda: [*migrations(), mended])
    assert migrate(url) == ["9901_later.sql"]


def test_what_it_makes_belongs_to_the_owner_and_nothing_is_everybody_s(admin: Admin) -> None:
    owners = admin.execute(
        "SELECT DISTINCT pg_get_userbyid(relowner) FROM pg_class WHERE relnamespace = 'ledger'::regnamespace"
        " UNION SELECT pg_get_userbyid(proowner) FROM pg_proc WHERE pronamespace = 'ledger'::regnamespace"
    ).fetchall()
    assert owners == [("seatledger_owner",)]
    public = admin.execute(
        "SELECT proname FROM pg_proc, aclexplode(coalesce(proacl, acldefault('f', proowner)))"
        " WHERE pronamespace = 'ledger'::regnamespace AND grantee = 0"
    ).fetchall()
    assert public == []


def test_a_login_that_is_no_superuser_migrates_and_another_one_works(postgres: EmbeddedPostgres, empty: str) -> None:
    migrator, services = f"migrator_{uuid4().hex[:8]}", f"services_{uuid4().hex[:8]}"
    with psycopg.connect(empty, autocommit=True) as admin:
        database = admin.info.dbname
        admin.execute(f"CREATE ROLE {migrator} LOGIN CREATEROLE; CREATE ROLE {services} LOGIN")
        # Another database of this server has made the roles; here the login gets what it would have as their maker.
        for role in ("owner", "app", "projector", "api", "sealer"):
            admin.execute(f"GRANT seatledger_{role} TO {migrator} WITH ADMIN OPTION, SET FALSE, INHERIT FALSE")
        admin.execute(f"GRANT CREATE ON DATABASE {database} TO {migrator} WITH GRANT OPTION")
    as_migrator, as_services = (postgres.url_as(role, database) for role in (migrator, services))
    try:
        with pytest.raises(StartRefused, match="seatledger migrate"):
            ledger_at(as_services)
        assert migrate(as_migrator, app_login=services)
        assert migrate(as_migrator, app_login=services) == []
        with ledger_at(as_services) as ledger:
            assert save(ledger, a_pool(), organization_id=uuid4()).events == 1
        with psycopg.connect(as_services) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("DELETE FROM ledger.personal_facts")
    finally:
        with psycopg.connect(empty, autocommit=True) as admin:
            admin.execute(f"DROP OWNED BY {migrator}, {services} CASCADE; DROP ROLE {migrator}, {services}")


def test_a_login_for_the_services_that_does_not_exist_is_refused(url: str) -> None:
    with pytest.raises(StartRefused, match="no login nobody_here"):
        migrate(url, app_login="nobody_here")


def test_a_server_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(LedgerUnavailable, match=r"cannot be reached \(No such file.*see that it runs") as down:
        migrate(f"postgresql://postgres@/x?host={tmp_path}")
    assert "\n" not in str(down.value)


def test_a_url_that_is_none_is_one_line_without_it() -> None:
    with pytest.raises(StartRefused, match="postgresql://") as refused:
        migrate("postgres//user:secret@host")
    assert "secret" not in str(refused.value)


def test_a_database_in_another_encoding_is_refused(postgres: EmbeddedPostgres) -> None:
    with psycopg.connect(postgres.url, autocommit=True) as server:
        server.execute("CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' LOCALE_PROVIDER libc TEMPLATE template0")
        try:
            with pytest.raises(StartRefused, match="encoded in LATIN1"):
                migrate(postgres.url_as("postgres", "latin"))
        finally:
            server.execute("DROP DATABASE latin")
