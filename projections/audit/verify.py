"""Verify: recomputes what one organization's history says of itself, and names every difference by key."""

from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from typing import Any, NamedTuple
from uuid import UUID

from eventsourcing.utils import resolve_topic
from pydantic_core import from_json

from domain.envelope import RecordedEvent
from domain.kernel import Aggregate, PydanticMapper, Value, replay
from domain.personal import TAG
from projections.audit.chain import genesis, link


class Difference(Value):
    """Something that is not as history says: in which check, of what, and how it differs."""

    check: str
    key: str
    what: str


class CommandRow(NamedTuple):
    """A receipt as it is stored."""

    command_id: UUID
    step: str
    organization_seq: int
    events: int


class FactRow(NamedTuple):
    """A personal fact that was not erased."""

    fact_id: UUID
    value: str
    salt: bytes


class SnapshotRow(NamedTuple):
    """A snapshot as it is stored."""

    originator_id: UUID
    version: int
    topic: str
    shape: bytes
    state: bytes


def check_chain(organization_id: UUID, events: Iterable[RecordedEvent]) -> Iterator[Difference]:
    """Density, order and hashes, in one pass; after a difference it goes on from what is stored, to name the others."""
    previous, expected, position, recorded_at = genesis(organization_id), 1, 0, 0
    for event in events:
        key = f"{organization_id} #{event.organization_seq}"
        if event.organization_seq != expected:
            yield Difference(check="chain", key=key, what=f"events {expected} to {event.organization_seq - 1} are missing")
        elif link(previous, event) != event.chain_hash:
            yield Difference(check="chain", key=key, what="the stored bytes do not give the stored chain hash")
        if event.position <= position:
            yield Difference(check="chain", key=key, what=f"position {event.position} does not rise above {position}")
        if event.recorded_at < recorded_at:
            yield Difference(check="chain", key=key, what="it was recorded before the event in front of it")
        previous, expected = event.chain_hash, event.organization_seq + 1
        position, recorded_at = event.position, event.recorded_at


def check_payloads(events: Iterable[RecordedEvent], mapper: PydanticMapper) -> Iterator[Difference]:
    """Every event can be read, and the versions of each aggregate are 1, 2, 3, …"""
    versions: dict[UUID, int] = {}
    for event in events:
        key = f"{event.organization_id} #{event.organization_seq}"
        version = versions.get(event.originator_id, 0) + 1
        if event.originator_version != version:
            what = f"aggregate {event.originator_id} goes from version {version - 1} to {event.originator_version}"
            yield Difference(check="payload", key=key, what=what)
        versions[event.originator_id] = event.originator_version
        try:
            mapper.to_domain_event(event)
            event.envelope  # noqa: B018 - reading it is the check
        except Exception as unreadable:  # noqa: BLE001 - whatever a damaged event raises is the finding
            what = f"{event.topic} cannot be read: {type(unreadable).__name__}"
            yield Difference(check="payload", key=key, what=what)


def check_commands(events: Iterable[RecordedEvent], commands: Iterable[CommandRow]) -> Iterator[Difference]:
    """Each event has the receipt of its command, and each receipt the number of events that it answers for."""
    told: dict[tuple[UUID, str], list[int]] = {}
    for event in events:
        said = from_json(event.metadata)
        told.setdefault((UUID(said["command_id"]), said["step"]), []).append(event.organization_seq)
    for command in commands:
        sequence = told.pop((command.command_id, command.step), [])
        last = command.organization_seq
        if sequence != list(range(last - command.events + 1, last + 1))[: command.events]:
            key = f"command {command.command_id} {command.step}".rstrip()
            what = f"its receipt names {command.events} events up to #{last}, and history has {len(sequence)}"
            yield Difference(check="commands", key=key, what=what)
    for (command_id, step), sequence in told.items():
        key = f"command {command_id} {step}".rstrip()
        yield Difference(check="commands", key=key, what=f"it told {len(sequence)} events and has no receipt")


def check_facts(events: Iterable[RecordedEvent], facts: Iterable[FactRow]) -> Iterator[Difference]:
    """Each personal fact that is still there is the one that history committed to; an erased one is no difference."""
    commitments = {ref["fact_id"]: ref["commitment"] for event in events for ref in refs_in(from_json(event.state))}
    for fact in facts:
        commitment = sha256(TAG + fact.salt + fact.fact_id.bytes + fact.value.encode()).hexdigest()
        committed = commitments.get(str(fact.fact_id))
        if committed is None:
            yield Difference(check="facts", key=f"fact {fact.fact_id}", what="no event refers to it")
        elif committed != commitment:
            yield Difference(check="facts", key=f"fact {fact.fact_id}", what="its value is not the one committed to")


def refs_in(payload: Any) -> Iterator[Mapping[str, str]]:
    """The references to personal facts anywhere in a payload."""
    if isinstance(payload, dict):
        if payload.keys() == {"fact_id", "commitment"}:
            yield payload
        for value in payload.values():
            yield from refs_in(value)
    elif isinstance(payload, list):
        for value in payload:
            yield from refs_in(value)


def check_snapshot(
    snapshot: SnapshotRow, events: Iterable[RecordedEvent], mapper: PydanticMapper
) -> Iterator[Difference]:
    """A snapshot of today's shape equals the replay of its aggregate's events up to its version."""
    kind: type[Aggregate] = resolve_topic(snapshot.topic)
    if snapshot.shape != kind.shape():
        return  # of another shape: no load uses it
    key = f"snapshot of {snapshot.originator_id}"
    upto = (event for event in events if event.originator_version <= snapshot.version)
    replayed = replay(mapper.to_domain_event(event) for event in upto)
    if replayed is None or replayed.version != snapshot.version:
        yield Difference(check="snapshots", key=key, what=f"history has no version {snapshot.version} of it")
        return
    try:
        kept = kind.State.model_validate_json(snapshot.state)
    except ValueError:
        yield Difference(check="snapshots", key=key, what="it cannot be read")
        return
    differing = [name for name in kind.State.model_fields if getattr(kept, name) != getattr(replayed, name)]
    if differing:
        yield Difference(check="snapshots", key=key, what=f"{', '.join(differing)} differ from the replay")
