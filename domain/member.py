"""Member: a person of the organization by a pseudonymous id; names are personal facts."""

from typing import ClassVar, Literal
from uuid import UUID

from eventsourcing.domain import event

from domain.kernel import Aggregate, AggregateBorn
from domain.personal import FactRef, Purpose
from domain.refusals import GuestMayNotBuy, MemberNotActive

Kind = Literal["member", "guest"]
Status = Literal["active", "deactivated", "removed"]


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
