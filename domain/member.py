"""Member: a person of the organization by a pseudonymous id; names are personal facts."""

from collections.abc import Sequence
from typing import ClassVar, Literal
from uuid import UUID

from eventsourcing.domain import event

from domain.kernel import Aggregate, AggregateBorn
from domain.personal import ErasedFact, ErasureReason, FactRef, KeptFact, Purpose
from domain.refusals import GuestMayNotBuy, MemberNotActive, MemberStillActive, PersonalFactsKept

Kind = Literal["member", "guest"]
Status = Literal["active", "deactivated", "removed"]

FACTS_AT_A_TIME = 1_000  # in one event


class Member(Aggregate):
    """Active, deactivated or removed. A deactivated member keeps licenses and gets no new ones."""

    TOPIC: ClassVar[str] = "seatledger.Member"

    class MemberAdded(Aggregate.Event, AggregateBorn):
        TOPIC: ClassVar[str] = "seatledger.Member.MemberAdded"
        kind: Kind
        details: dict[Purpose, FactRef]

    class MemberDetailsChanged(Aggregate.Event):
        TOPIC: ClassVar[str] = "seatledger.Member.MemberDetailsChanged"
        details: dict[Purpose, FactRef]  # the changed ones

    class MemberDeactivated(Aggregate.Event):
        TOPIC: ClassVar[str] = "seatledger.Member.MemberDeactivated"

    class MemberReactivated(Aggregate.Event):
        TOPIC: ClassVar[str] = "seatledger.Member.MemberReactivated"

    class MemberRemoved(Aggregate.Event):
        TOPIC: ClassVar[str] = "seatledger.Member.MemberRemoved"

    class MemberRestored(Aggregate.Event):
        TOPIC: ClassVar[str] = "seatledger.Member.MemberRestored"

    class PersonalDataErased(Aggregate.Event):
        TOPIC: ClassVar[str] = "seatledger.Member.PersonalDataErased"
        reason: ErasureReason
        erased: tuple[ErasedFact, ...]
        kept: tuple[KeptFact, ...]  # what stays for now, by law
        payment_method_ids: tuple[UUID, ...]  # removed with it, for the provider to forget

    class PersonalDataExported(Aggregate.Event):
        TOPIC: ClassVar[str] = "seatledger.Member.PersonalDataExported"
        facts: int
        purposes: tuple[Purpose, ...]

    class State(Aggregate.State):
        kind: Kind
        status: Status
        details: dict[Purpose, FactRef]

    @classmethod
    def add(cls, *, id: UUID, kind: Kind, details: dict[Purpose, FactRef]) -> "Member":  # noqa: A002
        return cls.born(cls.MemberAdded, id=id, kind=kind, details=details)

    # What may be asked.

    @property
    def active(self) -> bool:
        return self.status == "active"

    def refuse_unless_active(self) -> None:
        if not self.active:
            raise MemberNotActive(member_id=self.id, status=self.status)

    def refuse_unless_purchaser(self) -> None:
        self.refuse_unless_active()
        if self.kind == "guest":
            raise GuestMayNotBuy(member_id=self.id)

    def refuse_unless_removed(self) -> None:
        if self.status != "removed":
            raise MemberStillActive(member_id=self.id)

    # Commands decide. Repeating one tells nothing.

    def change_details(self, details: dict[Purpose, FactRef]) -> None:
        """Details whose values are known to differ; the member cannot see values."""
        if details:
            self.tell(self.MemberDetailsChanged, details=details)

    def deactivate(self) -> None:
        if self.status == "removed":
            raise MemberNotActive(member_id=self.id, status=self.status)
        if self.active:
            self.tell(self.MemberDeactivated)

    def reactivate(self) -> None:
        if self.status == "removed":
            raise MemberNotActive(member_id=self.id, status=self.status)
        if not self.active:
            self.tell(self.MemberReactivated)

    def remove(self) -> None:
        if self.status != "removed":
            self.tell(self.MemberRemoved)

    def restore(self) -> None:
        if self.status == "removed":
            self.tell(self.MemberRestored)

    def erase(
        self,
        erased: Sequence[ErasedFact],
        *,
        kept: Sequence[KeptFact],
        what_may_go: bool,
        payment_method_ids: Sequence[UUID],
        reason: ErasureReason,
    ) -> None:
        """Of who has left: everything or, where something must be kept, on demand what may go."""
        self.refuse_unless_removed()
        if kept and not what_may_go:
            raise PersonalFactsKept(member_id=self.id, kept=kept, erasable=len(erased))
        if not erased and not payment_method_ids:
            return
        for start in range(0, max(len(erased), 1), FACTS_AT_A_TIME):
            self.tell(
                self.PersonalDataErased,
                reason=reason,
                erased=tuple(erased[start : start + FACTS_AT_A_TIME]),
                kept=tuple(kept) if start == 0 else (),
                payment_method_ids=tuple(payment_method_ids) if start == 0 else (),
            )

    def export(self, *, facts: int, purposes: Sequence[Purpose]) -> None:
        """Somebody gets everything that is known of the member, each time that they ask."""
        self.tell(self.PersonalDataExported, facts=facts, purposes=tuple(purposes))

    # Events apply. No rule below this line: history must always replay.

    @event(MemberAdded)
    def __init__(self, kind: Kind, details: dict[Purpose, FactRef]) -> None:
        self.kind: Kind = kind
        self.status: Status = "active"
        self.details = details

    @event(MemberDetailsChanged)
    def _details_changed(self, details: dict[Purpose, FactRef]) -> None:
        self.details = {**self.details, **details}

    @event(MemberDeactivated)
    def _deactivated(self) -> None:
        self.status = "deactivated"

    @event(MemberReactivated)
    def _reactivated(self) -> None:
        self.status = "active"

    @event(MemberRemoved)
    def _removed(self) -> None:
        self.status = "removed"

    @event(MemberRestored)
    def _restored(self) -> None:
        self.status = "active"

    @event(PersonalDataErased)
    def _personal_data_erased(self) -> None:
        """The facts lie beside history; what was told of the member stays."""

    @event(PersonalDataExported)
    def _personal_data_exported(self) -> None:
        """Changes nothing."""
