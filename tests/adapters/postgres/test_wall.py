"""The wall: with it at one organization, no query and no command reaches another, whatever it asks for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import psycopg
import pytest

from adapters.composition import House
from adapters.postgres import directory, reads, recorder
from adapters.postgres.session import API, session
from adapters.postgres.wall import SETTING, outside, within
from adapters.settings import Settings
from domain.organization import CATALOG
from domain.product import Product
from services.ledger import snapshot_of
from services.ports import Recorder
from tests.adapters.postgres.read_world import CONTOSO_ID, FABRIKAM_ID
from tests.adapters.postgres.walled import DOORS, Asked, Walled, a_walled_world, fact_of, pool_of
from tests.adapters.postgres.writers import a_change, a_pool, change_pool, ledger_at, save
from tests.services.recorder_contract import PROMISES, Promise

if TYPE_CHECKING:
    from adapters.embedded.postgres import EmbeddedPostgres

WRITING = {"append", "keep_snapshot", "keep_milestone", "turn"}
EVERY_DOOR = {f"{kind.__name__}.{name}": asked for kind, calls in DOORS.items() for name, asked in calls.items()}
WHAT_API_READS = """
SELECT c.oid::regclass::text, EXISTS (
         SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'organization_id' AND NOT attisdropped)
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname IN ('ledger', 'projections', 'relay', 'api') AND c.relkind IN ('r', 'v', 'm', 'p', 'f')
   AND has_table_privilege('seatledger_api', c.oid, 'SELECT')
"""
OF_THE_HOUSE = {"ledger.source", "ledger.migrations", "projections.builds", "api.keys"}
CATALOG_S = {"ledger.events", "ledger.snapshots", "ledger.milestones"}


@pytest.fixture(scope="module")
def walled(postgres: EmbeddedPostgres) -> Iterator[Walled]:
    """For tests that change nothing, or are refused."""
    with a_walled_world(postgres) as walled:
        yield walled


# Reads.


@pytest.mark.parametrize("asked", EVERY_DOOR.values(), ids=EVERY_DOOR.keys())
def test_every_query_answers_within_the_wall_and_is_empty_beyond_it(walled: Walled, asked: Asked) -> None:
    with within(FABRIKAM_ID):
        assert asked(walled, FABRIKAM_ID), "the question is wrong: it has no answer anyway"
    for wall in (within(CONTOSO_ID), within(uuid4()), within(CATALOG), outside()):
        with wall:
            assert not asked(walled, FABRIKAM_ID)
    assert not asked(walled, FABRIKAM_ID)


def test_every_query_is_asked_here() -> None:
    for kind, calls in DOORS.items():
        public = Recorder if issubclass(kind, recorder.LedgerRecorder) else kind
        names = {name for name, value in vars(public).items() if callable(value) and not name.startswith("_")}
        assert calls.keys() == names - WRITING - {"head"}, kind.__name__


def raw(walled: Walled, setting: str | None) -> Mapping[str, list[dict[str, Any]]]:
    """Every row of everything that the API's role may read, by table."""
    rows = psycopg.rows.dict_row
    with psycopg.connect(session(walled.world.url, role=API), autocommit=True, row_factory=rows) as connection:
        if setting is None:
            connection.execute(f"RESET {SETTING}".encode())
        else:
            connection.execute("SELECT set_config(%s, %s, false)", (SETTING, setting))
        names = [name for name, _ in walled.world.execute(WHAT_API_READS)]
        return {name: connection.execute(f"TABLE {name}".encode()).fetchall() for name in names}


def owners(rows: list[dict[str, Any]]) -> set[UUID]:
    return {row["organization_id"] for row in rows}


def test_sql_without_any_condition_finds_one_organization(walled: Walled) -> None:
    tables = dict(walled.world.execute(WHAT_API_READS))
    assert {name for name, has_organization in tables.items() if not has_organization} == OF_THE_HOUSE
    assert {name for name in tables if name.startswith("ledger.")} == {
        *("ledger.events", "ledger.commands", "ledger.snapshots", "ledger.milestones"),
        *("ledger.source", "ledger.migrations", "ledger.personal_facts", "ledger.personal_facts_within"),
    }
    assert sum(name.startswith("projections.") for name in tables) == 1 + len(
        walled.world.execute("SELECT unnest(tables) FROM projections.builds")
    )
    found = raw(walled, str(CONTOSO_ID))
    for name in tables.keys() - OF_THE_HOUSE:
        assert owners(found[name]) - ({CATALOG} if name in CATALOG_S else set()) <= {CONTOSO_ID}, name
        if walled.world.execute(f"SELECT FROM {name} WHERE organization_id = %s", CONTOSO_ID):
            assert CONTOSO_ID in owners(found[name]), name


@pytest.mark.parametrize(
    "setting", ["none", None, "", "'", "%", "null", "NONE; x", str(CONTOSO_ID)[:-1], f"{CONTOSO_ID},{FABRIKAM_ID}"]
)
def test_what_is_no_organization_s_id_shows_the_catalog_and_nothing_else(walled: Walled, setting: str | None) -> None:
    for name, rows in raw(walled, setting).items():
        if name not in OF_THE_HOUSE:
            assert owners(rows) <= ({CATALOG} if name in CATALOG_S else set()), name


def test_the_catalog_s_offers_are_everybody_s_and_its_personal_facts_nobody_s(walled: Walled) -> None:
    ((product_id,),) = walled.world.execute(
        "SELECT DISTINCT originator_id FROM ledger.events WHERE organization_id = %s AND topic = %s",
        CATALOG,
        Product.ProductListed.TOPIC,
    )
    for wall in (within(CONTOSO_ID), within(FABRIKAM_ID), outside()):
        with wall:
            assert walled.ledger.find(Product, CATALOG, product_id) is not None
            assert walled.directory.facts(CATALOG, [fact_of(CATALOG).fact_id]) == {}
    with within(CATALOG):
        assert len(walled.directory.facts(CATALOG, [fact_of(CATALOG).fact_id])) == 1


def test_the_head_is_the_one_organization_s(walled: Walled) -> None:
    last = dict(walled.world.execute("SELECT organization_id, max(position) FROM ledger.events GROUP BY 1"))
    for organization_id in (CONTOSO_ID, FABRIKAM_ID, CATALOG):
        with within(organization_id):
            assert walled.models.head() == last[organization_id]
    assert walled.models.head() == 0
    assert walled.world.models.head() == max(last.values())


@pytest.mark.parametrize(
    ("query", "parameters", "conditions"),
    [
        (
            recorder.LOAD,
            {"organization": CONTOSO_ID, "originator": pool_of(CONTOSO_ID)},
            ["originator_version > GREATEST"],
        ),
        (
            recorder.LOAD_SEVERAL,
            {"organization": CONTOSO_ID, "originators": [pool_of(CONTOSO_ID)]},
            ["originator_id = asked.id", "originator_version > GREATEST"],
        ),
        (recorder.VERSIONS, [[pool_of(CONTOSO_ID)], CONTOSO_ID], ["originator_id = "]),
        (
            recorder.LOAD_PAGE,
            [[pool_of(CONTOSO_ID)], [0], CONTOSO_ID, [], 9, 9],
            ["originator_id = ", "originator_version > "],
        ),
        (recorder.TOLD, [CONTOSO_ID, 3, 5], ["organization_seq <="]),
        (recorder.RECORDED, [CONTOSO_ID, uuid4(), ""], ["command_id ="]),
        (directory.MEMBER_IDS, [["chris@contoso.example"], CONTOSO_ID], ["THEN"]),
        (directory.SEARCH, [CONTOSO_ID, "chris", 5], ["THEN"]),
        (reads.HEAD_WITHIN, [], ["organization_id ="]),
    ],
)
def test_the_wall_is_asked_once_and_leaves_the_index_its_conditions(
    walled: Walled, query: str, parameters: Any, conditions: list[str]
) -> None:
    asked = query.replace("%b", "%s").replace(")b", ")s").replace(directory.ALL, directory.WITHIN)
    with psycopg.connect(session(walled.world.url, role=API, enable_seqscan="off"), autocommit=True) as connection:
        plan = [line.strip() for (line,) in connection.execute(b"EXPLAIN (COSTS OFF) " + asked.encode(), parameters)]
    index = " ".join(line for line in plan if line.startswith("Index Cond"))
    assert all(condition in index for condition in conditions), plan
    assert not any("current_setting" in line for line in plan if "Filter" in line or "Cond" in line), plan
    assert any(line.startswith("InitPlan") for line in plan)


# Writes.


def sizes(walled: Walled) -> list[tuple[Any, ...]]:
    return walled.world.execute(
        "SELECT (SELECT count(*) FROM ledger.events), (SELECT count(*) FROM ledger.commands),"
        " (SELECT count(*) FROM ledger.personal_facts), (SELECT max(version) FROM ledger.snapshots)"
    )


def test_a_command_for_another_organization_is_refused_and_leaves_nothing(walled: Walled) -> None:
    before = sizes(walled)
    for wall in (within(CONTOSO_ID), within(CATALOG), outside()):
        with wall, pytest.raises(psycopg.errors.InsufficientPrivilege, match="another organization"):
            save(walled.ledger, a_pool(), organization_id=FABRIKAM_ID, facts=[fact_of(uuid4())])
    assert sizes(walled) == before


def test_one_that_was_recorded_is_not_answered_to_another_organization(walled: Walled) -> None:
    command = a_change(FABRIKAM_ID)
    with within(FABRIKAM_ID):
        save(walled.ledger, organization_id=FABRIKAM_ID, because=command)
    with within(CONTOSO_ID), pytest.raises(psycopg.errors.InsufficientPrivilege):
        save(walled.ledger, organization_id=FABRIKAM_ID, because=command)


def test_a_snapshot_of_another_organization_is_not_kept(walled: Walled) -> None:
    pool = walled.world.ledger.license_pool(FABRIKAM_ID, pool_of(FABRIKAM_ID, 2))
    kept = "SELECT count(*) FROM ledger.snapshots WHERE originator_id = %s"
    for wall in (within(CONTOSO_ID), outside()):
        with wall:
            walled.recorder.keep_snapshot(FABRIKAM_ID, pool.id, snapshot_of(pool))
    assert walled.world.execute(kept, pool.id) == [(0,)]
    with within(FABRIKAM_ID):
        walled.recorder.keep_snapshot(FABRIKAM_ID, pool.id, snapshot_of(pool))
    assert walled.world.execute(kept, pool.id) == [(1,)]


class Within:
    """A recorder whose wall stands at the organization of each call."""

    def __init__(self, inner: Recorder) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        def call(*arguments: Any, **more: Any) -> Any:
            with within(more["organization_id"] if "organization_id" in more else arguments[0]):
                return getattr(self._inner, name)(*arguments, **more)

        return call


@pytest.mark.parametrize("check", PROMISES, ids=lambda check: check.__name__)
def test_within_the_wall_the_recorder_keeps_its_promises(check: Promise, walled: Walled) -> None:
    check(Within(walled.recorder))


def test_an_operation_runs_within_the_wall(shared: str) -> None:
    organization_id, pool = uuid4(), a_pool()
    with ledger_at(shared, walled=True) as ledger, within(organization_id):
        save(ledger, pool, organization_id=organization_id)
        command = a_change(organization_id, pool, 9)
        assert change_pool(ledger, command).position == change_pool(ledger, command).position
        with ledger.history.turn(organization_id, pool.id):
            assert ledger.license_pool(organization_id, pool.id).total == 9


def test_the_house_opens_everything_behind_the_wall(walled: Walled) -> None:
    settings = Settings(database_url=walled.world.url, fingerprint_key="5a" * 32)  # type: ignore[arg-type]
    with House(settings, walled=True) as house, within(CONTOSO_ID):
        assert house.ledger.find(type(a_pool()), FABRIKAM_ID, pool_of(FABRIKAM_ID)) is None
        assert house.ledger.license_pool(CONTOSO_ID, pool_of(CONTOSO_ID)).total
        assert house.directory.facts(FABRIKAM_ID, [fact_of(FABRIKAM_ID).fact_id]) == {}
        assert house.views.one(FABRIKAM_ID, uuid4()) is None
        assert house.read_models.head() < walled.world.models.head()
