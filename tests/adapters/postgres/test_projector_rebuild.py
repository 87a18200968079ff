"""Rebuilds beside the live tables: parity finds what differs, the pointer flips under readers."""

import threading
import time
from collections.abc import Iterator
from typing import Any
from uuid import uuid5

import pytest

from adapters.embedded.postgres import EmbeddedPostgres
from adapters.postgres.projector import Projector
from adapters.postgres.projector_rebuild import parity, rebuild
from adapters.workers.projector import run
from domain.envelope import RecordedEvent
from projections.projection import Rows
from projections.purchases import PURCHASES, Purchases
from projections.read_models import READ_MODELS
from services.ports_reads import PurchaseFilter
from tests.adapters.postgres.read_world import CONTOSO_ID, World, a_world

NAMES = [projection.name for projection in READ_MODELS]
ALL = PurchaseFilter()


@pytest.fixture
def world(postgres: EmbeddedPostgres) -> Iterator[World]:
    with a_world(postgres) as world:
        yield world


@pytest.fixture
def told(world: World) -> int:
    position = world.story(6)
    with Projector(world.url) as projector:
        projector.catch_up(NAMES, position, timeout_s=20)
    return position


def key(number: int) -> str:
    return f"purchases purchases {CONTOSO_ID} {uuid5(CONTOSO_ID, f'subscription {number}')}"


def damage(world: World) -> None:
    """One cell changed, one row missing, one row too many."""
    for number, statement in (
        (1, "UPDATE projections.purchases_b1 SET licenses_total = 99 WHERE subscription_id = %s"),
        (2, "DELETE FROM projections.purchases_b1 WHERE subscription_id = %s"),
    ):
        world.execute(statement, uuid5(CONTOSO_ID, f"subscription {number}"))
    columns = ", ".join(PURCHASES.columns)
    copied = columns.replace("subscription_id", "%s", 1)
    copy = f"INSERT INTO projections.purchases_b1 ({columns}) SELECT {copied} FROM projections.purchases_b1 LIMIT 1"  # noqa: S608
    world.execute(copy, uuid5(CONTOSO_ID, "subscription 77"))


@pytest.mark.usefixtures("told")
def test_parity_names_a_changed_cell_a_missing_and_an_extra_row(world: World) -> None:
    damage(world)
    found = {difference.key: difference.what for difference in parity(world.url, "purchases")}
    assert found == {
        key(1): "licenses_total is 99 and history gives 6",
        key(2): "the row is missing",
        key(77): "history does not give this row",
    }
    assert [build.state for build in world.models.builds()] == ["live"] * len(NAMES)  # nothing is left of it


def test_a_rebuild_that_differs_replaces_the_live_build_only_to_repair_it(world: World, told: int) -> None:
    damage(world)
    refused = rebuild(world.url, "purchases")
    assert (refused.build, len(refused.differences)) == (None, 3)
    assert parity(world.url, "purchases")
    repaired = rebuild(world.url, "purchases", repair=True)
    assert (repaired.build, len(repaired.differences)) == (2, 3)
    assert parity(world.url, "purchases") == []
    assert len(world.purchases.list(CONTOSO_ID, ALL, at_least=told).rows) == 6


def test_readers_notice_no_flip(world: World, told: int) -> None:
    """Three readers and a writer who reads his own writes, while purchases are rebuilt again and again."""
    stop = threading.Event()
    failures: list[BaseException] = []
    read = [0]

    def guarded(work: Any) -> threading.Thread:
        def body() -> None:
            try:
                work()
            except BaseException as failure:  # noqa: BLE001 - the test's own thread asserts
                failures.append(failure)

        thread = threading.Thread(target=body)
        thread.start()
        return thread

    def reader() -> None:
        position = told
        while not stop.is_set():
            page = world.purchases.list(CONTOSO_ID, ALL, at_least=position)
            latest = max(row.last_position for row in page.rows)
            assert len(page.rows) >= 6
            assert latest >= position  # never back to an older state
            position = latest
            read[0] += 1

    def writer() -> None:
        number = 100
        while not stop.is_set():
            subscription, _, position = world.buy(number)
            assert world.purchases.one(CONTOSO_ID, subscription.id, at_least=position)
            number += 1

    threads = [guarded(lambda: run(world.url, stop)), *(guarded(reader) for _ in range(3)), guarded(writer)]
    try:
        rebuilt = [rebuild(world.url, "purchases") for _ in range(4)]
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert failures == []
    assert [(result.build is not None, result.differences) for result in rebuilt] == [(True, [])] * 4
    assert read[0] > 20


class Shouting(Purchases):
    """The same tables with another content: the next release's."""

    version = Purchases.version + 1

    def fold(self, rows: Rows, recorded: RecordedEvent, event: Any) -> None:
        super().fold(rows, recorded, event)
        key = (recorded.organization_id, getattr(event, "subscription_id", event.originator_id))
        if row := rows.get(PURCHASES, key):
            rows.put(PURCHASES, row._replace(product_name=row.product_name.upper()))


def names(world: World, at_least: int = 0) -> set[str]:
    return {row.product_name for row in world.purchases.list(CONTOSO_ID, ALL, at_least=at_least).rows}


@pytest.mark.usefixtures("told")
def test_a_newer_version_is_built_while_queries_follow_the_older_one(world: World) -> None:
    with Projector(world.url) as older, Projector(world.url, [Shouting()]) as newer:
        older.adopt()
        newer.adopt()
        assert names(world) == {"Power BI Pro"}
        builds = [(b.build, b.version, b.state) for b in world.models.builds() if b.projection == "purchases"]
        assert builds == [(1, Purchases.version, "live"), (2, Shouting.version, "building")]
        later = world.story(2, first=50)
        older.catch_up(NAMES, later, timeout_s=5)  # the older release goes on until then
        assert len(world.purchases.list(CONTOSO_ID, ALL, at_least=later).rows) == 8
        newer.catch_up(["purchases"], later, timeout_s=5)
        # Who asks for no position may see the older one a moment longer.
        assert names(world, at_least=later) == {"POWER BI PRO"}
        older.adopt()
        assert [fold.projection.name for fold in older.folds] == [name for name in NAMES if name != "purchases"]
        newer.adopt()
        older.adopt()  # an older release never makes its own build again
        builds = [(b.build, b.version, b.state) for b in world.models.builds() if b.projection == "purchases"]
        assert builds == [(2, Shouting.version, "live")]


@pytest.mark.usefixtures("told")
def test_a_comparison_that_was_killed_leaves_nothing(world: World) -> None:
    with Projector(world.url) as killed:
        killed.scratch("purchases")
        with Projector(world.url) as other:
            other.adopt()
            assert [b.state for b in world.models.builds() if b.projection == "purchases"] == ["live", "scratch"]
    with Projector(world.url) as next_one:
        deadline = time.monotonic() + 10  # the server ends the killed one's session a little later than it is closed
        while len(builds := [b.state for b in world.models.builds() if b.projection == "purchases"]) > 1:
            assert time.monotonic() < deadline
            next_one.adopt()
        assert builds == ["live"]
    assert world.execute("SELECT to_regclass('projections.purchases_b2')") == [(None,)]
