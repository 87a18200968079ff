"""Verify: recomputes what one organization's history says of itself, and names every difference by key."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import islice
from typing import Any, NamedTuple, Protocol
from uuid import UUID

from eventsourcing.utils import resolve_topic
from pydantic_core import from_json

from domain.envelope import RecordedEvent
from domain.kernel import Aggregate, PydanticMapper, Value, replay
from domain.personal import commitment_of
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
    """A snapshot or a milestone as it is stored."""

    originator_id: UUID
    version: int
    topic: str
    shape: bytes
    state: bytes
    what: str  # snapshot, or milestone and its version


class Check(Protocol):
    """Reads one organization's events in order, and says what is not as it should be."""

    def see(self, event: RecordedEvent) -> Iterator[Difference]:
        """What is wrong with this event."""

    def end(self) -> Iterator[Difference]:
        """What is wrong with the whole."""


def examine(events: Iterable[RecordedEvent], checks: Sequence[Check]) -> Iterator[Difference]:
    """Every difference that the checks find, in one pass."""
    for event in events:
        for check in checks:
            yield from check.see(event)
    for check in checks:
        yield from check.end()


class ChainCheck:
    """Density, order and hashes; after a difference it goes on from what is stored, to name the others too."""

    def __init__(self, organization_id: UUID) -> None:
        self.previous, self.expected, self.position, self.recorded_at = genesis(organization_id), 1, 0, 0

    def see(self, event: RecordedEvent) -> Iterator[Difference]:
        differs = partial(Difference, check="chain", key=key_of(event))
        if event.organization_seq != self.expected:
            yield differs(what=f"events {self.expected} to {event.organization_seq - 1} are missing")
        elif link(self.previous, event) != event.chain_hash:
            yield differs(what="the stored bytes do not give the stored chain hash")
        if event.position <= self.position:
            yield differs(what=f"position {event.position} does not rise above {self.position}")
        if event.recorded_at < self.recorded_at:
            yield differs(what="it was recorded before the event in front of it")
        self.previous, self.expected = event.chain_hash, event.organization_seq + 1
        self.position, self.recorded_at = event.position, event.recorded_at

    def end(self) -> Iterator[Difference]:
        yield from ()  # what was cut off the end shows against a hash that was published


class PayloadCheck:
    """Every event can be read, and the versions of each aggregate count from 1 without a gap."""

    def __init__(self, mapper: PydanticMapper) -> None:
        self.mapper = mapper
        self.versions: dict[UUID, int] = {}

    def see(self, event: RecordedEvent) -> Iterator[Difference]:
        before = self.versions.get(event.originator_id, 0)
        if event.originator_version != before + 1:
            what = f"aggregate {event.originator_id} goes from version {before} to {event.originator_version}"
            yield Difference(check="payload", key=key_of(event), what=what)
        self.versions[event.originator_id] = event.originator_version
        try:
            self.mapper.to_domain_event(event)
            _ = event.envelope
        except Exception as unreadable:  # noqa: BLE001 - whatever a damaged event raises is the finding
            what = f"{event.topic} cannot be read: {type(unreadable).__name__}"
            yield Difference(check="payload", key=key_of(event), what=what)

    def end(self) -> Iterator[Difference]:
        yield from ()


class CommandCheck:
    """Each event has the receipt of its command, and each receipt the events that it answers for."""

    def __init__(self, commands: Iterable[CommandRow]) -> None:
        self.commands = commands
        self.told: dict[tuple[str, str], list[int]] = {}

    def see(self, event: RecordedEvent) -> Iterator[Difference]:
        try:
            said = from_json(event.metadata)
            command = (str(said["command_id"]), str(said["step"]))
        except (ValueError, KeyError, TypeError):
            return  # that it cannot be read, the other check says
        self.told.setdefault(command, []).append(event.organization_seq)
        yield from ()

    def end(self) -> Iterator[Difference]:
        for command in self.commands:
            sequence = self.told.pop((str(command.command_id), command.step), [])
            last = command.organization_seq
            if sequence != list(range(last - command.events + 1, last + 1)):
                key = f"command {command.command_id} {command.step}".rstrip()
                what = f"its receipt names {command.events} events up to #{last}, and history has {len(sequence)}"
                yield Difference(check="commands", key=key, what=what)
        for (command_id, step), sequence in self.told.items():
            what = f"it told {len(sequence)} events and has no receipt"
            yield Difference(check="commands", key=f"command {command_id} {step}".rstrip(), what=what)


class FactCheck:
    """Each personal fact that is still there is the one that history committed to; an erased one is no difference."""

    def __init__(self, facts: Iterable[FactRow]) -> None:
        self.facts = {fact.fact_id: fact for fact in facts}

    def see(self, event: RecordedEvent) -> Iterator[Difference]:
        if not self.facts or b'"commitment"' not in event.state:
            return
        try:
            refs = list(refs_in(from_json(event.state)))
        except ValueError:
            return  # that it cannot be read, the other check says
        for ref in refs:
            fact = self.facts.pop(UUID(ref["fact_id"]), None)
            if fact and commitment_of(fact_id=fact.fact_id, salt=fact.salt, value=fact.value) != ref["commitment"]:
                what = "its value is not the one that history committed to"
                yield Difference(check="facts", key=f"fact {fact.fact_id}", what=what)

    def end(self) -> Iterator[Difference]:
        for fact_id in self.facts:
            yield Difference(check="facts", key=f"fact {fact_id}", what="no event refers to it")


def key_of(event: RecordedEvent) -> str:
    return f"{event.organization_id} #{event.organization_seq}"


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


def check_snapshots(
    snapshots: Iterable[SnapshotRow], events: Iterable[RecordedEvent], mapper: PydanticMapper
) -> Iterator[Difference]:
    """Those of today's shape equal the replay of their aggregate up to their version; of one aggregate, in order."""
    told = iter(events)
    replayed: Aggregate | None = None
    for snapshot in snapshots:
        kind: type[Aggregate] = resolve_topic(snapshot.topic)
        if snapshot.shape != kind.shape():
            continue  # of another shape: no load uses it
        left = snapshot.version - (replayed.version if replayed else 0)
        replayed = replay((mapper.to_domain_event(event) for event in islice(told, left)), replayed)
        yield from compared_with(replayed, snapshot, kind)


def compared_with(replayed: Aggregate | None, snapshot: SnapshotRow, kind: type[Aggregate]) -> Iterator[Difference]:
    """How a snapshot differs from what history gives."""
    key = f"{snapshot.what} of {snapshot.originator_id}"
    if replayed is None or replayed.version != snapshot.version:
        yield Difference(check="snapshots", key=key, what=f"history has no version {snapshot.version} of it")
        return
    try:
        kept = kind.State.model_validate_json(snapshot.state)
    except ValueError:
        yield Difference(check="snapshots", key=key, what="it cannot be read")
        return
    differing = [name for name in kind.State.model_fields if getattr(kept, name) != getattr(replayed, name, None)]
    if differing:
        yield Difference(check="snapshots", key=key, what=f"{', '.join(differing)} differ from the replay")
