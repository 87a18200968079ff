"""Events to stored bytes and back, and what is refused on the way: `domain.kernel`."""

import json
from typing import Any, ClassVar

import pytest
from eventsourcing.domain import event
from eventsourcing.persistence import StoredEvent
from pydantic import ValidationError

from domain.kernel import Aggregate, AggregateBorn, PydanticJSON, Value, replay
from domain.license_pool import LicensePool
from tests.examples import A_POOL_OF_THREE, CHRIS, CHRIS_HOLDS_ONE, POOL, TODAY, an_id
from tests.scenario import MAPPER, stored_and_back
from tests.tidy.topics import built, load, named_events

EVENTS = named_events()


class Shelf(Aggregate):
    """An aggregate whose events have had three shapes, and are read in all of them."""

    TOPIC: ClassVar[str] = "tests.Shelf"

    class ShelfBuilt(Aggregate.Event, AggregateBorn):
        TOPIC: ClassVar[str] = "tests.Shelf.ShelfBuilt"
        class_version: ClassVar[int] = 3
        boards: int
        wood: str
        width_mm: int

        @staticmethod
        def upcast_v1_v2(state: dict[str, Any]) -> None:
            state["wood"] = "unknown"

        @staticmethod
        def upcast_v2_v3(state: dict[str, Any]) -> None:
            state["width_mm"] = state.pop("width_cm") * 10

    class State(Aggregate.State):
        boards: int

    @event(ShelfBuilt)
    def __init__(self, boards: int) -> None:
        self.boards = boards


def stored(**state: Any) -> StoredEvent:
    return StoredEvent(
        an_id(31), 1, Shelf.ShelfBuilt.TOPIC, json.dumps({"originator_topic": Shelf.TOPIC, **state}).encode()
    )


# Every event of the domain.


@pytest.mark.parametrize("topic", EVENTS)
def test_an_event_is_stored_and_back_the_same(topic: str) -> None:
    for state in built(topic, EVENTS[topic]):
        told = load(topic, state)
        assert type(told) is EVENTS[topic]
        assert stored_and_back([told]) == [told]


@pytest.mark.parametrize("topic", EVENTS)
def test_stored_bytes_hold_business_fields_alone(topic: str) -> None:
    for state in built(topic, EVENTS[topic]):
        row = MAPPER.to_stored_event(load(topic, state))
        assert row.topic == topic
        assert not {"timestamp", "originator_id", "originator_version"} & json.loads(row.state).keys()


@pytest.mark.parametrize("topic", EVENTS)
def test_an_unknown_field_in_history_is_refused(topic: str) -> None:
    for state in built(topic, EVENTS[topic]):
        with pytest.raises(ValidationError):
            load(topic, {**state, "colour": "blue"})


def test_an_event_that_is_told_with_an_unknown_fact_is_refused() -> None:
    pool = A_POOL_OF_THREE()
    before = pool.freeze()
    with pytest.raises(ValidationError):
        pool.tell(LicensePool.LicenseUnassigned, member_id=CHRIS, colour="blue")
    assert pool.freeze() == before
    assert len(pool.pending_events) == 1


def test_what_was_told_cannot_be_changed() -> None:
    [opened] = A_POOL_OF_THREE().pending_events
    with pytest.raises(ValidationError):
        opened.total = 5  # type: ignore[attr-defined]


def test_events_know_their_place_and_no_time() -> None:
    pool = A_POOL_OF_THREE()
    CHRIS_HOLDS_ONE(pool)
    assert [(told.originator_id, told.originator_version) for told in pool.pending_events] == [(POOL, 1), (POOL, 2)]
    assert [getattr(told, "timestamp", "none") for told in pool.pending_events] == [None, None]
    assert pool.occurred_at is None


# Older shapes.


@pytest.mark.parametrize(
    "state",
    [
        {"boards": 4, "width_cm": 80},
        {"class_version": 2, "boards": 4, "width_cm": 80, "wood": "unknown"},
        {"class_version": 3, "boards": 4, "width_mm": 800, "wood": "unknown"},
    ],
    ids=["v1", "v2", "v3"],
)
def test_an_older_shape_is_lifted_to_todays(state: dict[str, Any]) -> None:
    told = MAPPER.to_domain_event(stored(**state))
    assert told == Shelf.ShelfBuilt(
        originator_id=an_id(31),
        originator_version=1,
        originator_topic=Shelf.TOPIC,
        boards=4,
        wood="unknown",
        width_mm=800,
    )


def test_a_later_shape_says_its_version_in_the_stored_bytes() -> None:
    told = MAPPER.to_domain_event(stored(boards=4, width_cm=80))
    assert json.loads(MAPPER.to_stored_event(told).state) == {
        "class_version": 3,
        "originator_topic": "tests.Shelf",
        "boards": 4,
        "wood": "unknown",
        "width_mm": 800,
    }


def test_a_first_shape_says_none() -> None:
    [opened] = A_POOL_OF_THREE().pending_events
    assert "class_version" not in json.loads(MAPPER.to_stored_event(opened).state)


def test_a_shape_from_the_future_is_refused() -> None:
    with pytest.raises(ValueError, match="ShelfBuilt is stored as version 4"):
        MAPPER.to_domain_event(stored(class_version=4, boards=4, width_mm=800, wood="unknown"))


# Folding.


def test_nothing_told_makes_no_aggregate() -> None:
    assert replay([]) is None


def test_events_fold_onto_a_start() -> None:
    pool = A_POOL_OF_THREE()
    CHRIS_HOLDS_ONE(pool)
    first, second = pool.collect_events()
    assert replay([second], replay([first])) == pool


def test_a_value_refuses_unknown_fields_and_stays_as_it_is() -> None:
    class Board(Value):
        width_mm: int

    with pytest.raises(ValidationError):
        Board.model_validate({"width_mm": 800, "wood": "oak"})
    with pytest.raises(ValidationError):
        Board(width_mm=800).width_mm = 900  # type: ignore[misc]


def test_what_the_library_transcodes_is_plain_json() -> None:
    transcoder = PydanticJSON()
    assert transcoder.encode({"on": TODAY, "n": [1, None]}) == b'{"on":"2025-01-31","n":[1,null]}'
    assert transcoder.decode(b'{"n":[1,null]}') == {"n": [1, None]}
