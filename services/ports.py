"""What the services need from the world, as protocols; the adapters provide it."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Protocol
from uuid import UUID

from eventsourcing.persistence import StoredEvent

from domain.as_of import AsOf
from domain.envelope import RecordedEvent
from domain.personal import PersonalFact, Purpose


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a save left behind: enough to answer the same command again."""

    fingerprint: bytes
    position: int  # of the last event; of the organization's last one if the command told nothing
    organization_seq: int  # likewise
    events: int
    recorded_at: int  # microseconds since 1970
    repeated: bool = field(default=False, compare=False)  # the answer of an earlier time; it is the same answer

    def again(self) -> "Receipt":
        """The same receipt, as the answer to a repeat."""
        return replace(self, repeated=True)


class AlreadyRecorded(Exception):
    """Says that this step of this command is in the ledger; its receipt is the answer."""

    def __init__(self, receipt: Receipt) -> None:
        super().__init__(f"recorded at organization_seq {receipt.organization_seq}")
        self.receipt = receipt


class VersionConflict(Exception):
    """An aggregate that was written or seen has moved on: load again and decide again."""

    def __init__(self, message: str, originator_id: UUID) -> None:
        super().__init__(message)
        self.originator_id = originator_id


class LedgerUnavailable(Exception):
    """The database cannot take the command now; nothing is half done, and the same command may be sent again."""


@dataclass(frozen=True)
class Snapshot:
    """The packed state of an aggregate at a version."""

    topic: str  # of the aggregate
    version: int
    shape: bytes  # fingerprint of the state's types
    state: bytes
    occurred_at: datetime


class Recorder(Protocol):
    """The door to the stored history. Every call is for one organization."""

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
        """Records all events or none; raises AlreadyRecorded, VersionConflict or LedgerUnavailable.

        The facts of the ids `erasing` go with them, or stay with them.
        """

    def recorded(self, organization_id: UUID, command_id: UUID, step: str) -> Receipt | None:
        """The receipt of a step of a command, if it was recorded."""

    def load(self, organization_id: UUID, originator_id: UUID) -> tuple[Snapshot | None, list[RecordedEvent]]:
        """The snapshot of an aggregate, if there is one, and the events after it, in one round trip."""

    def load_events(self, organization_id: UUID, originator_id: UUID) -> list[RecordedEvent]:
        """All events of an aggregate, oldest first."""

    def load_several(
        self, organization_id: UUID, originator_ids: Sequence[UUID]
    ) -> Mapping[UUID, tuple[Snapshot | None, list[RecordedEvent]]]:
        """What `load` answers, for several aggregates in one round trip; those that do not exist are left out."""

    def versions(self, organization_id: UUID, originator_ids: Sequence[UUID]) -> Mapping[UUID, int]:
        """The newest version of each of these aggregates; those that do not exist are left out."""

    def load_many(self, organization_id: UUID, originator_ids: Sequence[UUID]) -> list[RecordedEvent]:
        """All events of several aggregates, each oldest first, in one round trip; no snapshots."""

    def load_page(
        self, organization_id: UUID, after: Mapping[UUID, int], limit: int, *, without: Sequence[str] = ()
    ) -> list[RecordedEvent]:
        """The next events of these aggregates, each after a version of it, in the order they were recorded.

        Those of the topics `without` are left out.
        """

    def told(self, organization_id: UUID, *, after: int, until: int) -> list[RecordedEvent]:
        """The organization's events with after < organization_seq <= until, in order."""

    def mentioning(self, organization_id: UUID, text: str) -> list[RecordedEvent]:
        """The organization's events in whose payload a text stands, in order; it reads all of them."""

    def keep_snapshot(self, organization_id: UUID, originator_id: UUID, snapshot: Snapshot) -> None:
        """Keeps the newest snapshot of an aggregate; a failure to keep it is not an error."""

    def load_as_of(
        self, organization_id: UUID, originator_id: UUID, as_of: AsOf
    ) -> tuple[Snapshot | None, list[RecordedEvent]]:
        """A milestone up to which everything counted then, if one is kept; its own event, and what may count after it.

        All of the events, oldest first, were known; some that certainly took effect later are left out.
        """

    def keep_milestone(self, organization_id: UUID, originator_id: UUID, snapshot: Snapshot) -> None:
        """Keeps what an aggregate was at a version, unless one close in front of it is kept; failing is no error."""

    def aggregates(self, organization_id: UUID, *, after: UUID | None, limit: int) -> Sequence[UUID]:
        """The next aggregates that the organization has, in the order of their ids."""

    def turn(self, organization_id: UUID, originator_id: UUID) -> AbstractContextManager[None]:
        """A queue for those who conflicted over one aggregate: one at a time, across processes."""


class Directory(Protocol):
    """The personal facts, for as long as they are not erased."""

    def member_ids(self, organization_id: UUID, user_names: Sequence[str]) -> Mapping[str, UUID]:
        """Who has these user names, regardless of case, by the name as asked; unknown ones are left out."""

    def details(self, organization_id: UUID, member_ids: Sequence[UUID]) -> Mapping[UUID, Mapping[Purpose, str]]:
        """The current details of these members; erased ones are left out."""

    def facts(self, organization_id: UUID, fact_ids: Sequence[UUID]) -> Mapping[UUID, str]:
        """The values of these personal facts; erased ones are left out."""


class Holdings(Protocol):
    """Which pools a member holds a license of: a reading of history that may lag, so it is asked for a position."""

    def pools_of(self, organization_id: UUID, member_id: UUID, *, at_least: int) -> Sequence[UUID]:
        """The pools in which the member holds a license, read at `at_least` this position or later."""
