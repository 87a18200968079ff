"""Names in history are for ever: `make topics` adds new ones, with stored samples, to the golden file.

Nothing that stands there is ever changed or removed. Only before the first release, `--rewrite-unreleased` writes the
whole file anew.
"""

import importlib
import json
import pkgutil
import sys
import tomllib
from typing import Any, NamedTuple
from uuid import UUID

from eventsourcing.persistence import StoredEvent
from eventsourcing.utils import get_topic

import domain
from domain.kernel import Aggregate, AggregateEvent, PydanticJSON, PydanticMapper
from tests.tidy.samples import samples
from tests.tidy.source import ROOT

GOLDEN = ROOT / "tests" / "history" / "topics.json"
SOMEONE = UUID("00000000-0000-4000-8000-000000000001")
MAPPER = PydanticMapper(PydanticJSON())


class Golden(NamedTuple):
    """What history may contain: names of aggregates; per event and class version, samples of its stored state."""

    aggregates: list[str]
    events: dict[str, dict[str, list[dict[str, Any]]]]


def read() -> Golden:
    if not GOLDEN.exists():
        return Golden([], {})
    return Golden(**json.loads(GOLDEN.read_text(encoding="utf-8")))


def write(golden: Golden) -> None:
    """One sample a line, in the order of the names, so that a difference reads well."""
    events = []
    for topic, versions in sorted(golden.events.items()):
        shapes = [
            f'   "{version}": [\n    ' + ",\n    ".join(json.dumps(state) for state in states) + "\n   ]"
            for version, states in sorted(versions.items(), key=lambda item: int(item[0]))
        ]
        events.append(f'  "{topic}": {{\n' + ",\n".join(shapes) + "\n  }")
    aggregates = ",\n  ".join(json.dumps(topic) for topic in sorted(golden.aggregates))
    text = f'{{\n "aggregates": [\n  {aggregates}\n ],\n "events": {{\n' + ",\n".join(events) + "\n }\n}\n"
    GOLDEN.parent.mkdir(parents=True, exist_ok=True)
    GOLDEN.write_text(text, encoding="utf-8")


def aggregates() -> list[type[Aggregate]]:
    """Every aggregate of the domain."""
    return [
        member
        for module in pkgutil.walk_packages(domain.__path__, "domain.")
        for member in vars(importlib.import_module(module.name)).values()
        if isinstance(member, type) and issubclass(member, Aggregate) and member is not Aggregate
        if member.__module__ == module.name
    ]


def named_aggregates() -> dict[str, type[Aggregate]]:
    return {aggregate.TOPIC: aggregate for aggregate in aggregates() if hasattr(aggregate, "TOPIC")}


def named_events() -> dict[str, type[AggregateEvent]]:
    """Every event by its name; the library refuses one without a name, and two with the same."""
    return {
        get_topic(told): told
        for aggregate in aggregates()
        for name, told in vars(aggregate).items()
        if name != "Event" and isinstance(told, type) and issubclass(told, AggregateEvent)
    }


def load(topic: str, state: dict[str, Any]) -> AggregateEvent:
    """Reads a stored state the way a replay does."""
    event = MAPPER.to_domain_event(StoredEvent(SOMEONE, 1, topic, json.dumps(state).encode()))
    assert isinstance(event, AggregateEvent)
    return event


def store(event: AggregateEvent) -> dict[str, Any]:
    """What a save of the event would store."""
    return dict(json.loads(MAPPER.to_stored_event(event).state))


def built(topic: str, cls: type[AggregateEvent]) -> list[dict[str, Any]]:
    """Stored states of an event as the code writes it today, one for every choice it offers."""
    schema = cls.model_json_schema(mode="serialization")
    for name in PydanticMapper.ENVELOPE:
        schema["properties"].pop(name, None)
    fixed: dict[str, Any] = {PydanticMapper.VERSION: cls.class_version} if cls.class_version > 1 else {}
    if "originator_topic" in schema["properties"]:
        fixed["originator_topic"] = topic.rpartition(".")[0]
    return [store(load(topic, sample | fixed)) for sample in samples(schema)]


def added(golden: Golden) -> Golden:
    """The golden file with what is new in the code; what stands stays as it is."""
    events = {topic: dict(versions) for topic, versions in golden.events.items()}
    for topic, cls in named_events().items():
        version = str(cls.class_version)
        standing = events.setdefault(topic, {}).get(version, [])
        if any(store(load(topic, state)) != state for state in standing):
            msg = f"the payload of {topic} changed: raise its class_version and write an upcaster"
            raise ValueError(msg)
        events[topic][version] = [*standing, *(state for state in built(topic, cls) if state not in standing)]
    return Golden(sorted({*golden.aggregates, *named_aggregates()}), events)


def released() -> bool:
    version: str = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    return not version.startswith("0.1.0.dev")


def main() -> None:
    rewrite = "--rewrite-unreleased" in sys.argv[1:]
    if rewrite and released():
        sys.exit("names are frozen since 0.1.0: add a class_version with an upcaster, or a new event")
    before = Golden([], {}) if rewrite else read()
    try:
        after = added(before)
    except ValueError as problem:
        sys.exit(str(problem))
    write(after)
    print(f"{len(after.aggregates)} aggregates, {len(after.events)} events in {GOLDEN.relative_to(ROOT)}")  # noqa: T201


if __name__ == "__main__":
    main()
