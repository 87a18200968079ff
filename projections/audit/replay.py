"""Replay: what happened to a thing, and what it was at any moment: as it was known, or as it was."""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from domain.as_of import AsOf
from domain.envelope import RecordedEvent
from domain.kernel import Aggregate, PydanticMapper, Value, replay

Leave = Callable[[Aggregate, RecordedEvent], None]


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
    correlation_id: UUID  # of everything that one request has brought about
    causation_id: UUID | None  # the command that caused this one, such as a purchase the due steps in front of it
    reason: str | None  # a code, where one was given
    occurred_at: datetime
    effective_at: datetime
    recorded_at: datetime
    chain_hash: str


class StateAt(Value):
    """An aggregate at a moment: its kind, and everything later decisions rested on."""

    aggregate: str
    aggregate_id: UUID
    version: int  # the last one that counts; so are its position and time
    position: int
    recorded_at: datetime
    state: dict[str, Any]


def history(events: Iterable[RecordedEvent], mapper: PydanticMapper) -> Iterator[HistoryEntry]:
    """Tells the events in the order of their positions, with the payload of the newest class version."""
    for event in events:
        envelope = event.envelope
        facts = mapper.to_domain_event(event).model_dump(mode="json", exclude=mapper.ENVELOPE | {"originator_topic"})
        yield HistoryEntry(
            position=event.position,
            organization_seq=event.organization_seq,
            aggregate_id=event.originator_id,
            version=event.originator_version,
            event=event.topic.removeprefix("seatledger."),
            facts=facts,
            actor_id=envelope.actor_id,
            actor_role=envelope.actor_role,
            on_behalf_of=envelope.on_behalf_of,
            command=envelope.command,
            command_id=envelope.command_id,
            correlation_id=envelope.correlation_id,
            causation_id=envelope.causation_id,
            reason=facts.get("reason") or facts.get("code"),
            occurred_at=envelope.occurred_at,
            effective_at=envelope.effective_at,
            recorded_at=event.recorded_time,
            chain_hash=event.chain_hash.hex(),
        )


def state_at(
    events: Iterable[RecordedEvent],
    mapper: PydanticMapper,
    as_of: AsOf,
    *,
    start: Aggregate | None = None,
    leave: Leave | None = None,
) -> StateAt | None:
    """Folds what counts of one aggregate's events, oldest first; None before its birth.

    `start` is what the aggregate was at a version up to which everything counts, that version's event being the first.
    `leave` hears of the states on the way, as long as everything up to them counts.
    """
    aggregate, last, whole = start, None, True
    known = start.version - 1 if start else 0  # what is left out of a load does not count either
    for event in events:
        whole = whole and event.originator_version == known + 1 and as_of.counts(event)
        known = event.originator_version
        if not as_of.counts(event):
            continue
        if start is None or event.originator_version > start.version:
            aggregate = folded(aggregate, event, mapper)
        if aggregate is not None:
            last = event
            if leave and whole:
                leave(aggregate, event)
    if aggregate is None or last is None:
        return None
    return StateAt(
        aggregate=type(aggregate).__name__,
        aggregate_id=aggregate.id,
        version=aggregate.version,
        position=last.position,
        recorded_at=last.recorded_time,
        state=aggregate.state().model_dump(mode="json"),
    )


def folded(aggregate: Aggregate | None, event: RecordedEvent, mapper: PydanticMapper) -> Aggregate | None:
    """With one event more, which need not be of the next version; None as long as nothing was born."""
    if aggregate is None:
        return replay([mapper.to_domain_event(event)]) if event.originator_version == 1 else None
    aggregate.version = event.originator_version - 1
    return replay([mapper.to_domain_event(event)], aggregate)
