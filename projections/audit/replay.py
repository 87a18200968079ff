"""Replay: what happened to a thing, and what it was at any moment of recorded time."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from domain.envelope import RecordedEvent
from domain.kernel import Aggregate, PydanticMapper, Value, replay


class HistoryEntry(Value):
    """One event as an auditor reads it: what, by whom, because of which command, and when."""

    position: int
    organization_seq: int
    aggregate_id: UUID
    version: int
    event: str
    facts: dict[str, Any]
    actor_id: UUID
    actor_role: str
    on_behalf_of: UUID | None
    command: str
    command_id: UUID
    occurred_at: datetime
    effective_at: datetime
    recorded_at: datetime
    chain_hash: str


class StateAt(Value):
    """An aggregate as it was known at a moment: its kind, its version and everything later decisions rested on."""

    aggregate: str
    aggregate_id: UUID
    version: int
    position: int
    recorded_at: datetime
    state: dict[str, Any]


def history(events: Iterable[RecordedEvent], mapper: PydanticMapper) -> Iterator[HistoryEntry]:
    """Tells the events in the order of their positions, with the payload of the newest class version."""
    for event in events:
        envelope = event.envelope
        yield HistoryEntry(
            position=event.position,
            organization_seq=event.organization_seq,
            aggregate_id=event.originator_id,
            version=event.originator_version,
            event=event.topic.removeprefix("seatledger."),
            facts=mapper.to_domain_event(event).model_dump(mode="json", exclude=mapper.ENVELOPE | {"originator_topic"}),
            actor_id=envelope.actor_id,
            actor_role=envelope.actor_role,
            on_behalf_of=envelope.on_behalf_of,
            command=envelope.command,
            command_id=envelope.command_id,
            occurred_at=envelope.occurred_at,
            effective_at=envelope.effective_at,
            recorded_at=event.recorded_time,
            chain_hash=event.chain_hash.hex(),
        )


def state_at(events: Iterable[RecordedEvent], mapper: PydanticMapper, at: int | datetime) -> StateAt | None:
    """Folds one aggregate's events up to a position or a recording time, that one included; None before its birth."""
    known = [event for event in events if is_known(event, at)]
    aggregate: Aggregate | None = replay(mapper.to_domain_event(event) for event in known)
    if aggregate is None:
        return None
    return StateAt(
        aggregate=type(aggregate).__name__,
        aggregate_id=aggregate.id,
        version=aggregate.version,
        position=known[-1].position,
        recorded_at=known[-1].recorded_time,
        state=aggregate.state().model_dump(mode="json"),
    )


def is_known(event: RecordedEvent, at: int | datetime) -> bool:
    """Whether the event stood in history at a position or at a recording time."""
    return event.position <= at if isinstance(at, int) else event.recorded_time <= at
