"""AuditorAccess: what an auditor may know of people, by grants with a purpose and an end; and what they have read."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import ClassVar, Literal
from uuid import UUID, uuid5

from eventsourcing.domain import event
from pydantic import AwareDatetime

from domain.kernel import Aggregate, AggregateBorn, Value
from domain.personal import Purpose
from domain.refusals import AccessPeriodUnusable, NotFound

AccessPurpose = Literal["financial_audit", "tax_audit", "legal_claim", "security_incident", "privacy_audit"]

LONGEST = timedelta(days=366)
SUBJECTS_AT_A_TIME = 1_000  # in one event


class Grant(Value):
    """Opens the personal facts of one member, or of all, until an instant."""

    purpose: AccessPurpose
    ends_at: AwareDatetime
    subject_id: UUID | None  # none: everybody
    revoked: bool = False

    def opens(self, subject_id: UUID, at: datetime) -> bool:
        return not self.revoked and at < self.ends_at and self.subject_id in {None, subject_id}


class AuditorAccess(Aggregate):
    """Of one auditor of an organization. Without a grant that holds now, people are ids."""

    TOPIC: ClassVar[str] = "seatledger.AuditorAccess"

    class AuditorAccessOpened(Aggregate.Event, AggregateBorn):
        TOPIC: ClassVar[str] = "seatledger.AuditorAccess.AuditorAccessOpened"
        auditor_id: UUID

    class AccessGranted(Aggregate.Event):
        TOPIC: ClassVar[str] = "seatledger.AuditorAccess.AccessGranted"
        grant_id: UUID
        purpose: AccessPurpose
        ends_at: AwareDatetime
        subject_id: UUID | None

    class AccessRevoked(Aggregate.Event):
        TOPIC: ClassVar[str] = "seatledger.AuditorAccess.AccessRevoked"
        grant_id: UUID

    class PersonalDataRead(Aggregate.Event):
        TOPIC: ClassVar[str] = "seatledger.AuditorAccess.PersonalDataRead"
        grant_id: UUID
        operation: str
        subject_ids: tuple[UUID, ...]
        purposes: tuple[Purpose, ...]

    class State(Aggregate.State):
        auditor_id: UUID
        grants: dict[UUID, Grant]

    @classmethod
    def open(cls, *, id: UUID, auditor_id: UUID) -> "AuditorAccess":  # noqa: A002 - the library's word
        return cls.born(cls.AuditorAccessOpened, id=id, auditor_id=auditor_id)

    # What may be asked.

    def opening(self, subject_id: UUID, at: datetime) -> UUID | None:
        """The grant that opens a member's facts now, the narrowest first; None: they are closed."""
        found = [(grant.subject_id is None, one) for one, grant in self.grants.items() if grant.opens(subject_id, at)]
        return min(found)[1] if found else None

    # Commands decide. Repeating one tells nothing.

    def grant(
        self, grant_id: UUID, *, purpose: AccessPurpose, ends_at: datetime, subject_id: UUID | None, at: datetime
    ) -> None:
        if grant_id in self.grants:
            return
        if not at < ends_at <= at + LONGEST:
            raise AccessPeriodUnusable(ends_at=ends_at, now=at, most_days=LONGEST.days)
        self.tell(self.AccessGranted, grant_id=grant_id, purpose=purpose, ends_at=ends_at, subject_id=subject_id)

    def revoke(self, grant_id: UUID) -> None:
        if grant_id not in self.grants:
            raise NotFound(what="grant", key=grant_id)
        if not self.grants[grant_id].revoked:
            self.tell(self.AccessRevoked, grant_id=grant_id)

    def revoke_all(self) -> None:
        """What ends with the role of auditor, for good."""
        for grant_id in self.grants:
            self.revoke(grant_id)

    def read(self, grant_id: UUID, *, operation: str, subject_ids: Sequence[UUID], purposes: Sequence[Purpose]) -> None:
        """Facts of these purposes, of these members, are about to be told."""
        for start in range(0, len(subject_ids), SUBJECTS_AT_A_TIME):
            self.tell(
                self.PersonalDataRead,
                grant_id=grant_id,
                operation=operation,
                subject_ids=tuple(subject_ids[start : start + SUBJECTS_AT_A_TIME]),
                purposes=tuple(purposes),
            )

    # Events apply. No rule below this line: history must always replay.

    @event(AuditorAccessOpened)
    def __init__(self, auditor_id: UUID) -> None:
        self.auditor_id = auditor_id
        self.grants: dict[UUID, Grant] = {}

    @event(AccessGranted)
    def _granted(self, grant_id: UUID, purpose: AccessPurpose, ends_at: datetime, subject_id: UUID | None) -> None:
        self.grants[grant_id] = Grant(purpose=purpose, ends_at=ends_at, subject_id=subject_id)

    @event(AccessRevoked)
    def _revoked(self, grant_id: UUID) -> None:
        self.grants[grant_id] = self.grants[grant_id].model_copy(update={"revoked": True})

    @event(PersonalDataRead)
    def _read(self) -> None:
        """Changes nothing."""


def access_id_of(organization_id: UUID, auditor_id: UUID) -> UUID:
    """The stream of an auditor's access: the auditor decides."""
    return uuid5(organization_id, f"access:{auditor_id}")
