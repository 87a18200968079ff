"""The projector on a real PostgreSQL: raced, killed, overtaken, and equal to its rebuild."""

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest

from adapters.embedded.postgres import EmbeddedPostgres
from adapters.postgres.projector import Projector
from adapters.postgres.projector_rebuild import parity
from adapters.workers.projector import run
from domain.envelope import RecordedEvent
from projections.projection import Rows
from projections.purchases import Purchases
from projections.read_models import READ_MODELS
from services.ports_reads import PurchaseFilter
from tests.adapters.postgres.read_world import CONTOSO_ID, FABRIKAM_ID, World, a_world

NAMES = [projection.name for projection in READ_MODELS]
ALL = PurchaseFilter()


@pytest.fixture
def world(postgres: EmbeddedPostgres) -> Iterator[World]:
    with a_world(postgres) as world:
        yield world


def caught_up(projector: Projector, position: int) -> None:
    projector.catch_up(NAMES, position, timeout_s=20)
    assert [fold.build.position for fold in projector.folds] == [position] * len(NAMES)


def differences(world: World) -> list[Any]:
    return [difference for name in NAMES for difference in parity(world.url, name)]


def until(condition: Callable[[], bool], timeout_s: float = 20.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "it takes too long"
        time.sleep(0.02)


def adopts_all(projector: Projector) -> bool:
    projector.adopt()
    return len(projector.folds) == len(NAMES)


def furthest(world: World) -> int:
    return max((build.position for build in world.models.builds()), default=0)


def test_live_equals_its_rebuild(world: World) -> None:
    with Projector(world.url) as projector:
        for first in range(0, 30, 5):  # in small batches, as things happen
            caught_up(projector, world.story(5, first=first))
        caught_up(projector, world.story(5, of=FABRIKAM_ID))
    assert differences(world) == []
    assert len(world.purchases.list(CONTOSO_ID, ALL).rows) == 30


def test_all_read_models_at_one_position_share_one_feed(world: World) -> None:
    world.story(3)
    with Projector(world.url, [Purchases()]) as alone:
        alone.catch_up(["purchases"], world.purchases.head(), timeout_s=20)
    position = world.story(3, first=3)
    with Projector(world.url) as projector:
        projector.adopt()
        assert len(projector._feeds) == 2  # purchases are ahead of the new ones
        caught_up(projector, position)
        assert len(projector._feeds) == 1
    assert differences(world) == []


def test_a_projector_killed_at_any_moment_loses_and_doubles_nothing(world: World) -> None:
    stop = threading.Event()
    positions: list[int] = []

    def write() -> None:
        for first in range(0, 10_000, 4):
            if stop.is_set():
                return
            positions.append(world.story(4, first=first))

    writer = threading.Thread(target=write)
    writer.start()
    killed_at = [0]
    try:
        for wait_s in (0.0, 0.04, 0.1):
            process = world.start_projector()
            until(lambda: furthest(world) > killed_at[-1])
            time.sleep(wait_s)
            process.kill()
            process.wait()
            killed_at.append(furthest(world))
    finally:
        stop.set()
        writer.join()
    assert killed_at[-1] < positions[-1]  # it was killed at work
    with Projector(world.url) as projector:
        until(lambda: adopts_all(projector))  # once the server has noticed the death
        caught_up(projector, positions[-1])
    assert differences(world) == []


def test_of_two_projectors_one_folds_and_the_other_takes_over(world: World) -> None:
    position = world.story(2)
    with Projector(world.url) as first, Projector(world.url) as second:
        caught_up(first, position)
        second.adopt()
        assert second.folds == []
        later = world.story(2, first=2)
        assert second.step() == 0
        first.close()
        until(lambda: adopts_all(second))
        caught_up(second, later)
    assert differences(world) == []


def test_two_projectors_that_start_at_once_make_each_build_once(world: World) -> None:
    position = world.story(2)
    projectors = [Projector(world.url) for _ in range(4)]
    threads = [threading.Thread(target=p.catch_up, args=(NAMES, position), kwargs={"timeout_s": 5}) for p in projectors]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for projector in projectors:
        projector.close()
    assert [(b.build, b.state, b.position) for b in world.models.builds()] == [(1, "live", position)] * len(NAMES)


class Stumbling(Purchases):
    """Cannot fold one event."""

    stumbles = True

    def fold(self, rows: Rows, recorded: RecordedEvent, event: Any) -> None:
        if self.stumbles and recorded.topic.endswith("LicensesResized"):
            raise ValueError("a defect")
        super().fold(rows, recorded, event)


def test_a_read_model_that_cannot_fold_an_event_stops_before_it_and_the_others_go_on(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.postgres.projector.REST_S", 0.0)
    stumbling = Stumbling()
    others = [projection for projection in READ_MODELS if projection.name != stumbling.name]
    _, _, before = world.buy(100)
    with Projector(world.url, [stumbling, *others]) as projector:
        caught_up(projector, before)
        position = world.story(2)
        projector.catch_up(NAMES, position, timeout_s=1)
        at = {build.projection: build.position for build in world.models.builds()}
        assert at == {"purchases": before, **{projection.name: position for projection in others}}
        stumbling.stumbles = False  # the next release mends it
        caught_up(projector, position)
    assert differences(world) == []


def test_the_worker_outlives_lost_connections(world: World) -> None:
    stop = threading.Event()
    worker = threading.Thread(target=run, args=(world.url, stop))
    worker.start()
    try:
        for first in (0, 2, 4):
            position = world.story(2, first=first)
            world.purchases.list(CONTOSO_ID, ALL, at_least=position)
            world.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND application_name LIKE 'seatledger projector%%'"
            )
        rows = world.purchases.list(CONTOSO_ID, ALL, at_least=world.story(2, first=6)).rows
        assert len(rows) == 8
        assert worker.is_alive()
    finally:
        stop.set()
        worker.join(timeout=20)
    assert not worker.is_alive()


def test_the_application_may_read_the_tables_and_never_write_them(world: World) -> None:
    position = world.story(1)
    world.purchases.list(CONTOSO_ID, ALL, at_least=position)
    with psycopg.connect(world.url, autocommit=True) as connection:
        connection.execute("SET ROLE seatledger_app")
        assert connection.execute("SELECT count(*) FROM projections.purchases_b1").fetchone() == (1,)
        for statement in ("DELETE FROM projections.purchases_b1", "UPDATE projections.builds SET position = 0"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement.encode())
        connection.execute("SET ROLE seatledger_projector")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("SELECT * FROM ledger.personal_facts")
