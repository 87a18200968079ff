"""History in memory, for tests of many histories: keeps the promises of `services.ports.Recorder`, and no chain.

`recorder_contract` says what is promised, for this one and for the one on PostgreSQL.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import deepcopy
from datetime import datetime
from typing import Any, NoReturn, cast
from uuid import UUID

from eventsourcing.persistence import InfrastructureFactory, StoredEvent

from domain.as_of import AsOf
from domain.envelope import RecordedEvent
from domain.holders import Holders
from domain.kernel import Aggregate
from domain.personal import PersonalFact, Purpose
from services.import_members import folded
from services.ledger import Ledger
from services.ports import AlreadyRecorded, Receipt, Snapshot, VersionConflict

NO_CHAIN = bytes(32)
Key = tuple[UUID, UUID]  # organization and aggregate


class MemoryRecorder:
    """One process, one thread: nobody comes between, unless a test does."""

    def __init__(self) -> None:
        self.streams: dict[Key, list[RecordedEvent]] = {}
        self.organizations: dict[UUID, list[RecordedEvent]] = defaultdict(list)
        self.commands: dict[tuple[UUID, UUID, str], Receipt] = {}
        self.snapshots: dict[Key, Snapshot] = {}
        self.facts: dict[UUID, list[PersonalFact]] = defaultdict(list)  # by organization
        self.position = 0

    def __deepcopy__(self, memo: Any) -> "MemoryRecorder":
        """A history of its own; what is recorded never changes, so that both may hold it."""
        other = MemoryRecorder()
        other.streams = {key: list(events) for key, events in self.streams.items()}
        other.organizations.update({key: list(events) for key, events in self.organizations.items()})
        other.commands, other.snapshots = dict(self.commands), dict(self.snapshots)
        other.facts.update({key: list(facts) for key, facts in self.facts.items()})
        other.position = self.position
        return other

    # Writes.

    def append(
        self,
        events: Sequence[StoredEvent],
        *,
        organization_id: UUID,
        command_id: UUID,
        step: str,
        fingerprint: bytes,
        metadata: Sequence[bytes],
        seen: Sequence[tuple[UUID, int]],
        facts: Sequence[PersonalFact],
        erasing: Sequence[UUID] = (),
    ) -> Receipt:
        told = self.organizations[organization_id]
        if recorded := self.recorded(organization_id, command_id, step):
            raise AlreadyRecorded(recorded)
        self._refuse_moved(organization_id, events, seen)
        self._refuse_taken_names(organization_id, facts)
        recorded_at = told[-1].recorded_at + 1 if told else 1
        for event, envelope in zip(events, metadata, strict=True):
            self.position += 1
            stored = RecordedEvent(
                originator_id=cast("UUID", event.originator_id),
                originator_version=event.originator_version,
                topic=event.topic,
                state=event.state,
                organization_id=organization_id,
                organization_seq=len(told) + 1,
                position=self.position,
                recorded_at=recorded_at,
                metadata=envelope,
                chain_hash=NO_CHAIN,
            )
            told.append(stored)
            self.streams.setdefault((organization_id, stored.originator_id), []).append(stored)
        self.facts[organization_id].extend(facts)
        self.facts[organization_id] = [one for one in self.facts[organization_id] if one.fact_id not in erasing]
        at = (told[-1].position, told[-1].organization_seq) if told else (0, 0)
        receipt = Receipt(fingerprint, *at, len(events), recorded_at if events or not told else told[-1].recorded_at)
        self.commands[organization_id, command_id, step] = receipt
        return receipt

    def _refuse_moved(
        self, organization_id: UUID, events: Sequence[StoredEvent], seen: Sequence[tuple[UUID, int]]
    ) -> None:
        expected: dict[UUID, int] = {}
        for event in events:
            originator_id = cast("UUID", event.originator_id)
            version = expected.get(originator_id, self._version(organization_id, originator_id))
            if version != event.originator_version - 1:
                raise VersionConflict(f"{originator_id} is at version {version}", originator_id)
            expected[originator_id] = event.originator_version
        for originator_id, seen_version in seen:
            if self._version(organization_id, originator_id) != seen_version:
                raise VersionConflict(f"{originator_id} is not at version {seen_version}", originator_id)

    def _refuse_taken_names(self, organization_id: UUID, facts: Sequence[PersonalFact]) -> None:
        wanted = [fact for fact in facts if fact.purpose == "user_name"]
        named = self.names(organization_id) if wanted else {}
        for fact in wanted:
            if named.get(folded(fact.value), fact.subject_id) != fact.subject_id:
                raise VersionConflict("the user name belongs to another member", named[folded(fact.value)])

    def _version(self, organization_id: UUID, originator_id: UUID) -> int:
        stream = self.streams.get((organization_id, originator_id))
        return stream[-1].originator_version if stream else 0

    def keep_snapshot(self, organization_id: UUID, originator_id: UUID, snapshot: Snapshot) -> None:
        key = organization_id, originator_id
        kept = self.snapshots.get(key)
        if snapshot.version <= self._version(*key) and (kept is None or kept.version <= snapshot.version):
            self.snapshots[key] = snapshot

    def keep_milestone(self, organization_id: UUID, originator_id: UUID, snapshot: Snapshot) -> None:
        """Keeps none: questions about the past are answered from the first event."""

    @contextmanager
    def turn(self, organization_id: UUID, originator_id: UUID) -> Iterator[None]:  # noqa: ARG002 - the port's
        yield

    # Reads.

    def recorded(self, organization_id: UUID, command_id: UUID, step: str) -> Receipt | None:
        return self.commands.get((organization_id, command_id, step))

    def load(self, organization_id: UUID, originator_id: UUID) -> tuple[Snapshot | None, list[RecordedEvent]]:
        events = self.streams.get((organization_id, originator_id), [])
        snapshot = self.snapshots.get((organization_id, originator_id))
        return snapshot, events[snapshot.version :] if snapshot else list(events)

    def load_several(
        self, organization_id: UUID, originator_ids: Sequence[UUID]
    ) -> Mapping[UUID, tuple[Snapshot | None, list[RecordedEvent]]]:
        existing = [one for one in originator_ids if (organization_id, one) in self.streams]
        return {one: self.load(organization_id, one) for one in existing}

    def versions(self, organization_id: UUID, originator_ids: Sequence[UUID]) -> Mapping[UUID, int]:
        found = {one: self._version(organization_id, one) for one in originator_ids}
        return {one: version for one, version in found.items() if version}

    def load_events(self, organization_id: UUID, originator_id: UUID) -> list[RecordedEvent]:
        return list(self.streams.get((organization_id, originator_id), []))

    def load_many(self, organization_id: UUID, originator_ids: Sequence[UUID]) -> list[RecordedEvent]:
        return [event for one in dict.fromkeys(originator_ids) for event in self.load_events(organization_id, one)]

    def load_page(
        self, organization_id: UUID, after: Mapping[UUID, int], limit: int, *, without: Sequence[str] = ()
    ) -> list[RecordedEvent]:
        behind = [event for one in after for event in self.load_events(organization_id, one)[after[one] :]]
        found = [event for event in behind if event.topic not in without]
        return sorted(found, key=lambda event: event.organization_seq)[:limit]

    def load_as_of(
        self, organization_id: UUID, originator_id: UUID, as_of: AsOf
    ) -> tuple[Snapshot | None, list[RecordedEvent]]:
        return None, [event for event in self.load_events(organization_id, originator_id) if as_of.knows(event)]

    def aggregates(self, organization_id: UUID, *, after: UUID | None, limit: int) -> Sequence[UUID]:
        found = sorted(one for organization, one in self.streams if organization == organization_id)
        return [one for one in found if after is None or one > after][:limit]

    def told(self, organization_id: UUID, *, after: int, until: int) -> list[RecordedEvent]:
        return self.organizations[organization_id][after:until]

    def mentioning(self, organization_id: UUID, text: str) -> list[RecordedEvent]:
        return [event for event in self.organizations[organization_id] if text.encode() in event.state]

    def names(self, organization_id: UUID) -> dict[str, UUID]:
        """Who has which user name."""
        named = (fact for fact in self.facts[organization_id] if fact.purpose == "user_name")
        return {folded(fact.value): fact.subject_id for fact in named}

    def max_notification_id(self) -> NoReturn:
        raise NotImplementedError("history is read by organization")


class MemoryDirectory:
    """The personal facts beside a history in memory."""

    def __init__(self, recorder: MemoryRecorder) -> None:
        self.recorder = recorder

    def member_ids(self, organization_id: UUID, user_names: Sequence[str]) -> Mapping[str, UUID]:
        named = self.recorder.names(organization_id)
        return {name: named[folded(name)] for name in user_names if folded(name) in named}

    def details(self, organization_id: UUID, member_ids: Sequence[UUID]) -> Mapping[UUID, Mapping[Purpose, str]]:
        details: dict[UUID, dict[Purpose, str]] = defaultdict(dict)
        for fact in self.recorder.facts[organization_id]:
            if fact.subject_id in member_ids:
                details[fact.subject_id][fact.purpose] = fact.value
        return details

    def facts(self, organization_id: UUID, fact_ids: Sequence[UUID]) -> Mapping[UUID, str]:
        return {fact.fact_id: fact.value for fact in self.recorder.facts[organization_id] if fact.fact_id in fact_ids}


class RememberingLedger(Ledger):
    """Reads each event once, and replays only what is new: most of the time of a long history is in reading it again.

    Loads are copies, each with lists and dictionaries of its own; whether thawing and replaying are right is for other
    tests to say.
    """

    def __init__(self, env: Mapping[str, str], *, clock: Callable[[], datetime], fingerprint_key: bytes) -> None:
        super().__init__(env, clock=clock, fingerprint_key=fingerprint_key)
        self.known: dict[UUID, tuple[RecordedEvent, Aggregate]] = {}

    def _replayed(self, events: Sequence[RecordedEvent], start: Aggregate | None = None) -> Aggregate | None:
        if start is not None or not events:
            return super()._replayed(events, start)
        last, known = self.known.get(events[0].originator_id, (None, None))
        if last is not None and last.originator_version <= len(events) and events[last.originator_version - 1] is last:
            known = own_copy(cast("Aggregate", known))
            if new := events[last.originator_version :]:
                known = super()._replayed(new, known)
        else:
            known = super()._replayed(events)
        self.known[events[0].originator_id] = events[-1], own_copy(cast("Aggregate", known))
        return known


def own_copy(aggregate: Aggregate) -> Aggregate:
    """Another aggregate of the same state."""
    other = type(aggregate).__new__(type(aggregate))
    other.__dict__.update({name: own(value) for name, value in aggregate.__dict__.items()})
    return other


def own(value: Any) -> Any:
    """Values are shared, containers are not."""
    match value:
        case list():
            return [own(each) for each in value]
        case dict():
            return {key: own(each) for key, each in value.items()}
        case Holders():
            return deepcopy(value)
        case _:
            return value


class MemoryFactory(InfrastructureFactory[Any]):
    """Builds what the library's `Application` asks for."""

    def application_recorder(self) -> Any:
        return MemoryRecorder()

    def aggregate_recorder(self, purpose: str = "events") -> NoReturn:
        raise NotImplementedError(purpose)

    def process_recorder(self) -> NoReturn:
        raise NotImplementedError

    def tracking_recorder(self, tracking_recorder_class: Any = None) -> NoReturn:
        raise NotImplementedError(tracking_recorder_class)


def memory_ledger(clock: Callable[[], datetime], copied_from: RememberingLedger | None = None) -> RememberingLedger:
    """A ledger whose history is in memory: a new one, or one that goes on from another's."""
    env = {
        "PERSISTENCE_MODULE": "tests.services.memory_recorder:MemoryFactory",
        "MAPPER_TOPIC": "domain.kernel:PydanticMapper",
        "TRANSCODER_TOPIC": "domain.kernel:PydanticJSON",
    }
    ledger = RememberingLedger(env, clock=clock, fingerprint_key=b"of the tests")
    if copied_from is not None:
        ledger.history = ledger.recorder = deepcopy(copied_from.recorder)  # type: ignore[assignment]
        ledger.known = dict(copied_from.known)
    return ledger
