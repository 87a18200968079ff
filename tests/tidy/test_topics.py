"""Names in history are for ever, and old history always loads."""

import pytest

from tests.tidy.source import ROOT
from tests.tidy.topics import aggregates, built, load, named_aggregates, named_events, read, store

GOLDEN = read()
HISTORY = [line.replace("\n  ", " ") for line in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8").split("\n- ")]
STORED = [
    pytest.param(topic, int(version), state, id=f"{topic}-v{version}-{number}")
    for topic, versions in GOLDEN.events.items()
    for version, states in versions.items()
    for number, state in enumerate(states, start=1)
]


def test_every_name_in_the_code_is_in_the_golden_file() -> None:
    new = sorted((set(named_events()) - set(GOLDEN.events)) | (set(named_aggregates()) - set(GOLDEN.aggregates)))
    assert not new, f"new names in history: run `make topics` and commit tests/history/topics.json: {new}"


def test_no_name_in_the_golden_file_vanished_from_the_code() -> None:
    gone = sorted((set(GOLDEN.events) - set(named_events())) | (set(GOLDEN.aggregates) - set(named_aggregates())))
    assert not gone, f"history with these names could not be loaded: bring the classes or their TOPIC back: {gone}"


def test_every_aggregate_has_a_name() -> None:
    bare = [aggregate.__qualname__ for aggregate in aggregates() if "TOPIC" not in vars(aggregate)]
    assert not bare, f"history would hold their module paths, which could not move any more; give a TOPIC to: {bare}"


@pytest.mark.parametrize("topic", sorted(named_events()))
def test_an_event_is_named_after_its_aggregate(topic: str) -> None:
    cls = named_events()[topic]
    assert topic == f"seatledger.{cls.__qualname__}", f"{cls.__qualname__} is told as {topic}; one of both is wrong"


@pytest.mark.parametrize(("topic", "version", "state"), STORED)
def test_stored_history_loads(topic: str, version: int, state: dict[str, object]) -> None:
    event = load(topic, dict(state))
    assert type(event) is named_events()[topic]
    if version == event.class_version:
        assert store(event) == state, f"the payload of {topic} changed: raise its class_version and write an upcaster"


@pytest.mark.parametrize("topic", sorted(GOLDEN.events))
def test_every_choice_of_an_event_has_a_sample(topic: str) -> None:
    cls = named_events()[topic]
    stored = GOLDEN.events[topic].get(str(cls.class_version), [])
    new = [state for state in built(topic, cls) if state not in stored]
    assert not new, f"{topic} can say something new: run `make topics` and commit tests/history/topics.json: {new}"


@pytest.mark.parametrize("topic", sorted(named_events()))
def test_the_changelog_names_every_event(topic: str) -> None:
    _, aggregate, event = topic.split(".")
    lines = [line for line in HISTORY if line.startswith(f"`{aggregate}`:")]  # one for each release that adds to it
    assert sum(f"`{event}`" in line for line in lines) == 1, (
        f"consumers read the section History of CHANGELOG.md: name {aggregate}.{event} there"
    )
