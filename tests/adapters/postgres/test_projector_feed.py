"""Feeds that read ahead: in batches of three, and when what is asked for changes in between."""

import time
from collections.abc import Iterator
from contextlib import closing

import pytest

from adapters.embedded.postgres import EmbeddedPostgres
from adapters.postgres.projector import Projector
from adapters.postgres.projector_fold import Batch, Feed, Fold
from adapters.postgres.projector_rebuild import parity
from adapters.postgres.read_tables import Build
from domain.kernel import PydanticJSON, PydanticMapper
from projections.due_work import DueWork
from projections.projection import Projection
from projections.purchases import Purchases
from projections.read_models import READ_MODELS
from tests.adapters.postgres.read_world import World, a_world

NAMES = [projection.name for projection in READ_MODELS]
MAPPER = PydanticMapper(PydanticJSON())
TOLD = "SELECT position FROM ledger.events WHERE position > %s AND topic = ANY(%s) ORDER BY position"


@pytest.fixture
def world(postgres: EmbeddedPostgres) -> Iterator[World]:
    with a_world(postgres) as world:
        yield world


def a_fold(projection: Projection) -> Fold:
    return Fold(projection, Build(projection.name, 1, projection.version, "live", 0, []))


def first_batch(feed: Feed) -> Batch:
    """The first three events, once they are settled."""
    while not (batch := feed.read(3, None)):
        time.sleep(0.01)
    feed.position = batch.position
    return batch


def rest(feed: Feed) -> list[int]:
    seen: list[int] = []
    while not feed.drained:
        if batch := feed.read(3, None):
            seen += [recorded.position for recorded in batch.events]
            feed.position = batch.position
    return seen


def test_history_in_small_batches_gives_the_same_rows(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    position = world.story(10)
    with monkeypatch.context() as small:
        for name in ("SMALLEST", "FIRST", "LARGEST"):
            small.setattr(f"adapters.postgres.projector.{name}", 3)
        with Projector(world.url) as projector:
            projector.catch_up(NAMES, position, timeout_s=20)
            assert {fold.build.position for fold in projector.folds} == {position}
    assert [difference for name in NAMES for difference in parity(world.url, name)] == []


def test_a_fold_that_joins_misses_nothing_of_what_was_read_ahead(world: World) -> None:
    world.story(10)
    with closing(Feed(world.url, 0, MAPPER.to_domain_event)) as feed:
        feed.folds = [a_fold(DueWork())]
        first = first_batch(feed)
        assert not feed.drained
        joins = a_fold(Purchases())
        feed.folds.append(joins)
        seen = rest(feed)
    assert seen == sorted(set(seen))
    told = {position for (position,) in world.execute(TOLD, first.position, sorted(joins.topics))}
    assert told <= set(seen)
    assert len(told) > 30


def test_what_was_read_ahead_is_not_handed_out_behind_a_bound_and_comes_after_it(world: World) -> None:
    last = world.story(10)
    with closing(Feed(world.url, 0, MAPPER.to_domain_event)) as feed:
        fold = a_fold(Purchases())
        feed.folds = [fold]
        first = first_batch(feed)
        assert len(feed.read(3, first.position)) == 0
        assert not feed.drained
        seen = rest(feed)
    told = [position for (position,) in world.execute(TOLD, first.position, sorted(fold.topics))]
    assert [position for position in seen if position in told] == told
    assert seen[-1] == last
