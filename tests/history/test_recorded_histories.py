"""Histories that a release has recorded replay for ever: into the same states, to the cent."""

import json
from collections import defaultdict
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from adapters.payments.limits import limits_of
from domain.envelope import RecordedEvent
from domain.kernel import PydanticJSON, PydanticMapper, replay
from projections.audit.derive import differences

RECORDED = sorted(Path(__file__).parent.glob("[0-9]*.json"))
MAPPER = PydanticMapper(PydanticJSON())


@cache
def recorded(path: Path) -> dict[str, Any]:
    return dict(json.loads(path.read_text(encoding="utf-8")))


def events_of(path: Path) -> list[RecordedEvent]:
    """The events as they were stored; JSON of pydantic has no spaces, so the bytes are the same."""
    return [
        RecordedEvent(
            originator_id=UUID(told["stream"]),
            originator_version=told["version"],
            topic=told["topic"],
            state=dumped(told["state"]),
            organization_id=UUID(recorded(path)["organization_id"]),
            organization_seq=told["seq"],
            position=told["position"],
            recorded_at=told["recorded_at"],
            metadata=dumped(told["metadata"]),
            chain_hash=b"",
        )
        for told in recorded(path)["events"]
    ]


def dumped(content: Any) -> bytes:
    return json.dumps(content, separators=(",", ":"), ensure_ascii=False).encode()


def test_every_release_has_recorded_one() -> None:
    assert [path.stem for path in RECORDED] == ["0.1.0"]


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_it_replays_into_the_states_that_it_had(path: Path) -> None:
    """A state may gain what later releases remember; what was remembered then stays as it was."""
    streams: defaultdict[UUID, list[Any]] = defaultdict(list)
    for event in events_of(path):
        streams[event.originator_id].append(MAPPER.to_domain_event(event))
    states = recorded(path)["states"]
    assert len(streams) == len(states) > 50
    for stream, told in streams.items():
        aggregate = replay(told)
        assert aggregate is not None
        now = json.loads(aggregate.freeze())
        assert {name: now[name] for name in states[str(stream)]} == states[str(stream)]


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_its_amounts_are_derived_again(path: Path) -> None:
    assert list(differences(events_of(path), limits_of)) == []
