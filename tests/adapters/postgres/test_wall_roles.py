"""What the API's role may do in the database, and that every read table stands behind the wall: old, new or rebuilt."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING
from uuid import uuid4

import psycopg
import pytest

from adapters.postgres import migrate as migrate_module
from adapters.postgres.errors import StartRefused
from adapters.postgres.migrate import migrate, migrations
from adapters.postgres.projector_rebuild import parity, rebuild
from adapters.postgres.reads import ReadModels
from adapters.postgres.reads_purchases import PurchaseReads
from adapters.postgres.session import API, APP, PROJECTOR, session
from adapters.postgres.wall import SETTING, within
from projections.read_models import READ_MODELS
from services.ports_reads import PurchaseFilter
from tests.adapters.postgres.read_world import CONTOSO_ID, FABRIKAM_ID, World, a_world
from tests.adapters.postgres.writers import a_pool, ledger_at, save

if TYPE_CHECKING:
    from adapters.embedded.postgres import EmbeddedPostgres

SCHEMAS = ["ledger", "projections", "relay", "api", "proof"]
GRANTED = """
WITH ours AS (SELECT oid, nspacl FROM pg_namespace WHERE nspname = ANY(%s)),
granted AS (
  SELECT c.relkind::text AS what, acl.* FROM ours JOIN pg_class c ON relnamespace = ours.oid, aclexplode(relacl) AS acl
  UNION ALL SELECT 'column', acl.* FROM ours JOIN pg_class c ON relnamespace = ours.oid
    JOIN pg_attribute ON attrelid = c.oid, aclexplode(attacl) AS acl
  UNION ALL SELECT 'schema', acl.* FROM ours, aclexplode(nspacl) AS acl)
SELECT what, privilege_type FROM granted WHERE grantee IN (0, 'seatledger_api'::regrole)
"""
ALL = PurchaseFilter()


@pytest.fixture
def world(postgres: EmbeddedPostgres) -> Iterator[World]:
    with a_world(postgres) as world:
        yield world


def fold_both(world: World) -> None:
    """Both organizations have a story, and every read model knows it."""
    for organization_id in (CONTOSO_ID, FABRIKAM_ID):
        world.story(2, of=organization_id)
    for projection in READ_MODELS:
        world.models.read([type(projection)], world.models.head(), lambda *_: None)


# The role.


def test_the_role_has_no_privilege_that_writes(world: World) -> None:
    fold_both(world)
    assert set(world.execute(GRANTED, SCHEMAS)) == {
        *(("r", "SELECT"), ("v", "SELECT"), ("schema", "USAGE")),
        ("S", "SELECT"),  # how far positions have been drawn, not to draw one
    }
    assert world.execute(
        "SELECT rolsuper OR rolbypassrls OR rolcanlogin OR rolcreaterole, EXISTS ("
        "  SELECT FROM pg_auth_members WHERE member = r.oid) FROM pg_roles r WHERE rolname = 'seatledger_api'"
    ) == [(False, False)]


def test_it_runs_these_functions_and_no_other(world: World) -> None:
    functions = world.execute(
        "SELECT proname FROM pg_proc WHERE pronamespace::regnamespace::text = ANY(%s)"
        " AND has_function_privilege('seatledger_api', oid, 'EXECUTE')",
        SCHEMAS,
    )
    assert {name for (name,) in functions} == {
        *(
            "append_within",
            "keep_snapshot_within",
            "keep_milestone_within",
            "erase_facts_within",
            "walled_organization",
        ),
        *("genesis", "link", "folded", "name_key"),  # they only compute
    }


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT ledger.append(NULL, NULL, '', '', '{}', '{}', '{}', '{}', '{}', '{}', '{}', NULL)",
        "SELECT ledger.keep_snapshot(NULL, NULL, 1, '', '', '', 1)",
        "INSERT INTO ledger.events SELECT * FROM ledger.events",
        "UPDATE ledger.events SET topic = 'x'",
        "DELETE FROM ledger.personal_facts",
        "SELECT ledger.erase_facts(NULL, '{}')",
        "SELECT ledger.follow_erasure_list(1, '')",
        "SELECT ledger.erase_facts_within(gen_random_uuid(), '{}')",
        "DELETE FROM ledger.personal_facts_within",
        "UPDATE ledger.personal_facts_within SET value = 'x'",
        "DELETE FROM ledger.snapshots",
        "TRUNCATE ledger.commands",
        "UPDATE projections.builds SET position = 0",
        "INSERT INTO relay.position VALUES ('', '', 0, '')",
        "SELECT projections.wall('ledger.events')",
        "ALTER TABLE ledger.events DISABLE ROW LEVEL SECURITY",
        "DROP POLICY wall ON ledger.events",
        "CREATE TABLE ledger.mine (x int)",
        "SELECT nextval('ledger.position')",
        "SET ROLE seatledger_app",
        "SET ROLE seatledger_owner",
    ],
)
def test_it_can_only_append_and_read(shared: str, statement: str) -> None:
    with psycopg.connect(shared) as connection:
        connection.execute(f"SET SESSION AUTHORIZATION {API}")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(statement.encode())


def test_with_row_security_off_it_is_refused_and_the_owner_sees_all(world: World) -> None:
    """As `pg_dump` reads."""
    fold_both(world)
    tables = [
        name
        for (name,) in world.execute(
            "SELECT oid::regclass::text FROM pg_class WHERE relnamespace::regnamespace::text = ANY(%s)"
            " AND relkind = 'r' AND relrowsecurity",
            SCHEMAS,
        )
    ]
    assert len(tables) == 5 + sum(len(projection.tables) for projection in READ_MODELS)
    with psycopg.connect(session(world.url, role="seatledger_owner", row_security="off")) as owner:
        for name in tables:
            assert owner.execute(f"TABLE {name}".encode()).fetchall() == world.execute(f"TABLE {name}")
    with psycopg.connect(session(world.url, role=API, row_security="off"), autocommit=True) as api:
        for name in tables:
            with pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"):
                api.execute(f"TABLE {name}".encode())


def test_the_other_roles_see_what_they_saw(world: World) -> None:
    fold_both(world)
    tables = ["events", "commands", "snapshots", "personal_facts"]
    for role, seen in ((APP, tables), (PROJECTOR, tables[:3])):
        with psycopg.connect(session(world.url, role=role)) as connection:
            for name in seen:
                assert connection.execute(f"TABLE ledger.{name}".encode()).fetchall() == world.execute(
                    f"TABLE ledger.{name}"
                )


def test_a_login_that_was_not_given_the_role_is_refused(postgres: EmbeddedPostgres, world: World) -> None:
    login = f"services_{uuid4().hex[:8]}"
    world.execute(f"CREATE ROLE {login} LOGIN IN ROLE {APP}, {PROJECTOR}")
    (database,) = world.execute("SELECT current_database()")[0]
    url = postgres.url_as(login, database)
    try:
        ledger_at(url).close()
        with pytest.raises(StartRefused, match="may not act as seatledger_api: tell `seatledger migrate`"):
            ledger_at(url, walled=True)
        migrate(world.url, app_login=login)
        position = world.story(1)
        with ledger_at(url, walled=True) as ledger, ReadModels(url, walled=True) as models, within(CONTOSO_ID):
            save(ledger, a_pool(), organization_id=CONTOSO_ID)
            assert len(PurchaseReads(models).list(CONTOSO_ID, ALL, at_least=position).rows) == 1  # folded here
    finally:
        world.execute(f"DROP ROLE {login}")


# Read tables.


def unwalled(world: World) -> list[str]:
    """Read tables without the wall."""
    found = world.execute(
        "SELECT relname FROM pg_class WHERE relnamespace = 'projections'::regnamespace AND relkind = 'r'"
        " AND relname <> 'builds' AND NOT (relrowsecurity AND ARRAY['everything', 'wall']::name[] ="
        "  ARRAY(SELECT polname FROM pg_policy WHERE polrelid = pg_class.oid ORDER BY 1))"
    )
    return [name for (name,) in found]


def purchases_seen(world: World) -> int:
    """Those of all organizations that a query without any condition sees within Contoso's wall."""
    ((name,),) = world.execute(
        "SELECT tables[1] FROM projections.builds WHERE projection = 'purchases' AND state = 'live'"
    )
    with psycopg.connect(session(world.url, role=API)) as connection:
        connection.execute("SELECT set_config(%s, %s, false)", (SETTING, str(CONTOSO_ID)))
        cursor = connection.cursor(row_factory=psycopg.rows.dict_row)
        owners = [purchase["organization_id"] for purchase in cursor.execute(f"TABLE projections.{name}".encode())]
    assert set(owners) <= {CONTOSO_ID}
    return len(owners)


def test_what_a_projector_builds_stands_behind_the_wall_also_rebuilt(world: World) -> None:
    fold_both(world)
    assert unwalled(world) == []
    assert purchases_seen(world) == 2
    for projection in READ_MODELS:
        assert rebuild(world.url, projection.name).build == 2
    assert unwalled(world) == []
    assert purchases_seen(world) == 2
    with ReadModels(world.url, walled=True) as models, within(CONTOSO_ID):
        assert len(PurchaseReads(models).list(CONTOSO_ID, ALL).rows) == 2
        assert PurchaseReads(models).list(FABRIKAM_ID, ALL).rows == []


AS_IN_0_1_0 = """
CREATE FUNCTION projections.wall(read_table regclass) RETURNS void LANGUAGE plpgsql AS $$
BEGIN EXECUTE format('GRANT SELECT ON %%s TO seatledger_app', read_table); END $$;
"""


def test_a_database_of_0_1_0_gets_the_wall_around_what_it_has(
    postgres: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    first_three = migrations()[:3]
    assert [migration.name for migration in first_three] == [
        "0001_ledger.sql",
        "0100_read_tables.sql",
        "0200_relay.sql",
    ]
    with monkeypatch.context() as patch:
        patch.setattr(migrate_module, "migrations", lambda: first_three)
        with a_world(postgres) as world:
            world.execute(AS_IN_0_1_0)  # a read table was made so
            fold_both(world)
            world.execute("DROP FUNCTION projections.wall")
            assert len(unwalled(world)) == sum(len(projection.tables) for projection in READ_MODELS)
            before = {name: world.execute(f"TABLE projections.{name}") for name in unwalled(world)}
            patch.undo()

            assert migrate(world.url)[0] == "0300_api.sql"
            assert unwalled(world) == []
            assert purchases_seen(world) == 2
            assert {name: world.execute(f"TABLE projections.{name}") for name in before} == before
            position = world.story(1, first=2)  # the same build goes on
            with ReadModels(world.url, walled=True) as models, within(CONTOSO_ID):
                assert len(PurchaseReads(models).list(CONTOSO_ID, ALL, at_least=position).rows) == 3
                assert PurchaseReads(models).list(FABRIKAM_ID, ALL).rows == []
            assert [parity(world.url, projection.name) for projection in READ_MODELS] == [[] for _ in READ_MODELS]


def test_a_migrator_that_is_no_superuser_walls_the_tables_that_the_projector_made(
    postgres: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrator = f"migrator_{uuid4().hex[:8]}"
    with monkeypatch.context() as patch:
        patch.setattr(migrate_module, "migrations", lambda: migrations()[:3])
        with a_world(postgres) as world:
            world.execute(AS_IN_0_1_0)
            fold_both(world)
            world.execute("DROP FUNCTION projections.wall")
            (database,) = world.execute("SELECT current_database()")[0]
            world.execute(f"CREATE ROLE {migrator} LOGIN CREATEROLE")
            for role in ("owner", "app", "projector", "api", "sealer"):
                world.execute(f"GRANT seatledger_{role} TO {migrator} WITH ADMIN OPTION, SET FALSE, INHERIT FALSE")
            world.execute(f"GRANT CREATE ON DATABASE {database} TO {migrator} WITH GRANT OPTION")
            patch.undo()
            try:
                assert "0300_api.sql" in migrate(postgres.url_as(migrator, database))
                assert unwalled(world) == []
                assert purchases_seen(world) == 2
            finally:
                world.execute(f"DROP OWNED BY {migrator} CASCADE")
                world.execute(f"DROP ROLE {migrator}")
