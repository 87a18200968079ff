"""LicensePool: how many licenses a subscription has, and who holds them."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import ClassVar, Literal
from uuid import UUID

from eventsourcing.domain import event
from pydantic import AwareDatetime, Field

from domain.calendar import CHANGE_WINDOW, Period
from domain.holders import Holders
from domain.kernel import Aggregate, AggregateBorn, Value
from domain.member import Member
from domain.offer import PriceFacts
from domain.refusals import (
    LicensesStillAssigned,
    NotEnoughLicenses,
    RemovalWindowPassed,
    StaleVersion,
    SubscriptionNotActive,
    TooFewLicenses,
    TooManyLicenses,
    TooManyUsersAtOnce,
    UserNotInOrganization,
)

USERS_AT_ONCE = 20
EXCESS_AT_ONCE = 1_000
FIRST_BATCH = 1

ResizeReason = Literal["increase", "decrease", "renewal", "take_over"]
UnassignReason = Literal["requested", "member_removed", "over_assigned", "users_moved"]
CloseReason = Literal["cancelled", "ended", "taken_over", "reactivated"]

OVER_ASSIGNED_DAYS = 90  # or the term, if that is shorter: how long more may be assigned than there are


class Batch(Value):
    """Licenses that came together: by a purchase, an increase or a renewal. Its window is when they can go back."""

    number: int = Field(ge=1)  # within the pool, rising
    licenses: int = Field(ge=0)  # what is left of it
    opened_at: AwareDatetime

    @property
    def removable_until(self) -> datetime:
        return self.opened_at + CHANGE_WINDOW


class Charge(Value):
    """Where the money of licenses stands: a line of an invoice, for a batch or, at a cycle's start, for all."""

    invoice_id: UUID
    line: int
    batch: int
    cycle: Period


class LicensePool(Aggregate):
    """Opened with its subscription, closed with it. `assigned <= total`, but for a decrease at renewal."""

    TOPIC: ClassVar[str] = "seatledger.LicensePool"

    class LicensePoolOpened(Aggregate.Event, AggregateBorn):
        TOPIC: ClassVar[str] = "seatledger.LicensePool.LicensePoolOpened"
        subscription_id: UUID
        product_id: str
        offer_id: UUID
        total: int
        price: PriceFacts
        batch: Batch
        removable_until: AwareDatetime  # the batch's window ends
        charge: Charge
        document_id: UUID  # the invoice

    class LicensesResized(Aggregate.Event):
        TOPIC: ClassVar[str] = "seatledger.LicensePool.LicensesResized"
        subscription_id: UUID
        product_id: str
        offer_id: UUID
        total: int
        total_before: int  # a reader must not need the previous event to read this one
        reason: ResizeReason
        price: PriceFacts
        batches: tuple[
            Batch, ...
        ]  # as they are now: the opened one, which at a renewal is the only one, or those taken from
        removable_until: AwareDatetime | None  # of the opened batch; none for a decrease
        charge: Charge | None  # for the opened batch; none for a decrease
        document_id: UUID | None  # the invoice; none for a decrease
        credit_note_ids: tuple[UUID, ...]  # of a decrease: one for each invoice that it amends
        over_assigned_until: date | None  # since a renewal with fewer than are assigned: when the newest lose theirs

    class LicensesCharged(Aggregate.Event):
        TOPIC: ClassVar[str] = "seatledger.LicensePool.LicensesCharged"
        subscription_id: UUID
        product_id: str
        total: int
        charge: Charge
        document_id: UUID

    class LicenseAssigned(Aggregate.Event):
        TOPIC: ClassVar[str] = "seatledger.LicensePool.LicenseAssigned"
        subscription_id: UUID
        product_id: str
        member_id: UUID
        assigned: int  # with this one
        total: int

    class LicenseUnassigned(Aggregate.Event):
        TOPIC: ClassVar[str] = "seatledger.LicensePool.LicenseUnassigned"
        subscription_id: UUID
        product_id: str
        member_id: UUID
        assigned: int  # without this one
        total: int
        reason: UnassignReason

    class LicensePoolClosed(Aggregate.Event):
        TOPIC: ClassVar[str] = "seatledger.LicensePool.LicensePoolClosed"
        subscription_id: UUID
        product_id: str
        total: int
        assignments_ended: int
        reason: CloseReason

    class State(Aggregate.State):
        subscription_id: UUID
        product_id: str
        offer_id: UUID
        total: int
        batches: list[Batch]
        last_batch: int
        charges: list[Charge]
        over_assigned_until: date | None
        holders: Holders
        former_holders: Holders
        closed: bool

    @classmethod
    def open(
        cls,
        *,
        id: UUID,  # noqa: A002 - the library's word
        subscription_id: UUID,
        total: int,
        price: PriceFacts,
        invoice_id: UUID,
        cycle: Period,
        at: datetime,
    ) -> "LicensePool":
        refuse_total(total, price)
        batch = Batch(number=FIRST_BATCH, licenses=total, opened_at=at)
        return cls.born(
            cls.LicensePoolOpened,
            id=id,
            subscription_id=subscription_id,
            product_id=price.product_id,
            offer_id=price.offer_id,
            total=total,
            price=price,
            batch=batch,
            removable_until=batch.removable_until,
            charge=Charge(invoice_id=invoice_id, line=1, batch=batch.number, cycle=cycle),
            document_id=invoice_id,
        )

    # What may be asked.

    @property
    def assigned(self) -> int:
        return len(self.holders)

    @property
    def free(self) -> int:
        return 0 if self.closed else max(0, self.total - self.assigned)

    @property
    def charged_until(self) -> date:
        """The first day that no charge covers: the start of the next cycle."""
        return self.charges[-1].cycle.end

    @property
    def cycle(self) -> Period:
        """The cycle that was charged last."""
        return self.charges[-1].cycle

    @property
    def excess(self) -> int:
        """How many more are assigned than there are."""
        return 0 if self.closed else max(0, self.assigned - self.total)

    def removable(self, at: datetime) -> list[Batch]:
        """The batches whose window is open, newest first."""
        return [batch for batch in reversed(self.batches) if at < batch.removable_until]

    def removable_now(self, at: datetime) -> int:
        return sum(batch.licenses for batch in self.removable(at))

    def refuse_unexpected(self, expected_total: int | None) -> None:
        """The caller decided on another total than there is."""
        if expected_total is not None and expected_total != self.total:
            raise StaleVersion(expected=expected_total, actual=self.total)

    # Commands decide. Repeating one tells nothing.

    def increase(self, total: int, price: PriceFacts, *, invoice_id: UUID, at: datetime) -> None:
        """Opens a batch, at the price of the term; charged with an invoice of its own."""
        self.refuse_increase(total, price)
        if total == self.total:
            return
        batch = Batch(number=self.last_batch + 1, licenses=total - self.total, opened_at=at)
        charge = Charge(invoice_id=invoice_id, line=1, batch=batch.number, cycle=self.cycle)
        until = self.over_assigned_until if total < self.assigned else None  # a small increase does not end it
        self._tell_resized(total, "increase", price, (batch,), charge=charge, over_assigned_until=until)

    def refuse_increase(self, total: int, price: PriceFacts) -> None:
        self._refuse_when_closed()
        refuse_total(total, price)

    def decrease(self, total: int, price: PriceFacts, *, credit_note_ids: Sequence[UUID], at: datetime) -> None:
        """Takes licenses from the newest batches."""
        taken = self.taken_by(total, price, at)
        left = tuple(batch.model_copy(update={"licenses": batch.licenses - count}) for batch, count in taken)
        if left:
            self._tell_resized(total, "decrease", price, left, credit_note_ids=tuple(credit_note_ids))

    def taken_by(self, total: int, price: PriceFacts, at: datetime) -> list[tuple[Batch, int]]:
        """Which batches a decrease takes how many licenses from, newest first; whole or refused."""
        self._refuse_when_closed()
        refuse_total(total, price)
        if total < min(self.total, self.assigned):
            raise LicensesStillAssigned(total=total, assigned=self.assigned)
        count = self.total - total
        open_batches = self.removable(at)
        if count > sum(batch.licenses for batch in open_batches):
            raise RemovalWindowPassed(
                asked=count,
                removable_now=self.removable_now(at),
                windows=[(batch.licenses, batch.removable_until) for batch in open_batches if batch.licenses],
            )
        taken = []
        for batch in open_batches:
            here = min(count, batch.licenses)
            if here:
                taken.append((batch, here))
            count -= here
        return taken

    def all_batches(self) -> list[tuple[Batch, int]]:
        """Everything there is, newest first: what a cancellation takes."""
        return [(batch, batch.licenses) for batch in reversed(self.batches)]

    def renew(
        self, total: int, price: PriceFacts, *, invoice_id: UUID, line: int, cycle: Period, term: Period, at: datetime
    ) -> None:
        """Opens a batch of all licenses and closes the others; the scheduled total may be below what is assigned."""
        batch = Batch(number=self.last_batch + 1, licenses=total, opened_at=at)
        resolved_on = min(term.start + timedelta(days=OVER_ASSIGNED_DAYS), term.end)
        self._tell_resized(
            total,
            "renewal",
            price,
            (batch,),
            charge=Charge(invoice_id=invoice_id, line=line, batch=batch.number, cycle=cycle),
            over_assigned_until=resolved_on if total < self.assigned else None,
        )

    def charge(self, *, invoice_id: UUID, line: int, cycle: Period) -> None:
        """A cycle within the term: charged for all licenses; opens no batch."""
        self.tell(
            self.LicensesCharged,
            charge=Charge(invoice_id=invoice_id, line=line, batch=self.last_batch, cycle=cycle),
            document_id=invoice_id,
            **self._whose(),
        )

    def unassign_excess(self) -> None:
        """The newest assignments above the total end, as many at a time as one save has room for."""
        self.unassign(self.holders.newest(min(self.excess, EXCESS_AT_ONCE)), reason="over_assigned")

    def assign(self, candidates: Mapping[UUID, Member | None], *, all_at_once: bool = False) -> None:
        """Gives each candidate a license, all or none; `None` is a member that does not exist.

        `all_at_once`: they come with a subscription that this one takes the place of, however many they are.
        """
        self._refuse_when_closed()
        if not all_at_once:
            refuse_many_users(len(candidates))
        wanting = {member_id: member for member_id, member in candidates.items() if member_id not in self.holders}
        reasons = {
            str(member_id): member.status if member else "unknown"
            for member_id, member in wanting.items()
            if member is None or not (member.active or (all_at_once and member.status == "deactivated"))
        }
        if reasons:
            raise UserNotInOrganization(reasons=reasons)
        if len(wanting) > self.free:
            raise NotEnoughLicenses(wanted=len(wanting), free=self.free)
        for member_id in wanting:
            self.tell(self.LicenseAssigned, member_id=member_id, assigned=self.assigned + 1, **self._whose())

    def unassign(self, member_ids: Iterable[UUID], reason: UnassignReason = "requested") -> None:
        """Takes the licenses of those that hold one; others are left alone."""
        for member_id in dict.fromkeys(member_ids):
            if member_id in self.holders:
                self.tell(
                    self.LicenseUnassigned,
                    member_id=member_id,
                    assigned=self.assigned - 1,
                    reason=reason,
                    **self._whose(),
                )

    def close(self, reason: CloseReason) -> None:
        """Ends every assignment with one event."""
        if not self.closed:
            self.tell(self.LicensePoolClosed, assignments_ended=self.assigned, reason=reason, **self._whose())

    def _refuse_when_closed(self) -> None:
        if self.closed:
            raise SubscriptionNotActive(subscription_id=self.subscription_id, state="disabled")

    def _whose(self) -> dict[str, object]:
        return {"subscription_id": self.subscription_id, "product_id": self.product_id, "total": self.total}

    def _tell_resized(
        self,
        total: int,
        reason: ResizeReason,
        price: PriceFacts,
        batches: tuple[Batch, ...],
        *,
        charge: Charge | None = None,
        credit_note_ids: tuple[UUID, ...] = (),
        over_assigned_until: date | None = None,
    ) -> None:
        self.tell(
            self.LicensesResized,
            subscription_id=self.subscription_id,
            product_id=self.product_id,
            offer_id=price.offer_id,
            total=total,
            total_before=self.total,
            reason=reason,
            price=price,
            batches=batches,
            removable_until=batches[-1].removable_until if charge else None,
            charge=charge,
            document_id=charge.invoice_id if charge else None,
            credit_note_ids=credit_note_ids,
            over_assigned_until=over_assigned_until,
        )

    # Events apply. No rule below this line: history must always replay.

    @event(LicensePoolOpened)
    def __init__(
        self, *, subscription_id: UUID, product_id: str, offer_id: UUID, total: int, batch: Batch, charge: Charge
    ) -> None:
        self.subscription_id = subscription_id
        self.product_id = product_id
        self.offer_id = offer_id
        self.total = total
        self.batches = [batch]
        self.last_batch = batch.number
        self.charges = [charge]
        self.over_assigned_until: date | None = None
        self.holders = Holders()
        self.former_holders = Holders()
        self.closed = False

    @event(LicensesResized)
    def _resized(
        self,
        *,
        total: int,
        reason: ResizeReason,
        batches: tuple[Batch, ...],
        charge: Charge | None,
        over_assigned_until: date | None,
    ) -> None:
        self.total = total
        self.charges = with_charge(self.charges, charge)
        self.over_assigned_until = over_assigned_until
        standing = {batch.number: batch for batch in self.batches if reason != "renewal"}
        changed = standing | {batch.number: batch for batch in batches}
        self.batches = [batch for batch in changed.values() if batch.licenses]
        self.last_batch = max(self.last_batch, *changed)

    @event(LicensesCharged)
    def _charged(self, charge: Charge) -> None:
        self.charges = with_charge(self.charges, charge)

    @event(LicenseAssigned)
    def _assigned(self, member_id: UUID) -> None:
        self.holders.add(member_id)

    @event(LicenseUnassigned)
    def _unassigned(self, member_id: UUID) -> None:
        self.holders.remove(member_id)

    @event(LicensePoolClosed)
    def _closed(self) -> None:
        self.former_holders = self.holders
        self.holders = Holders()
        self.closed = True


def with_charge(charges: list[Charge], charge: Charge | None) -> list[Charge]:
    """The charges that a credit can reach: of a cycle and the one before it, and all that were made for its batch.

    A renewal that was recorded late is young with every cycle that it was charged for since.
    """
    if charge is None:
        return charges
    within_reach = [
        standing for standing in charges if standing.cycle.end >= charge.cycle.start or standing.batch == charge.batch
    ]
    return [*within_reach, charge]


def refuse_total(total: int, price: PriceFacts) -> None:
    """A total is at least 1 and at most the offer's maximum."""
    if total < 1:
        raise TooFewLicenses(total=total)
    if total > price.maximum:
        raise TooManyLicenses(total=total, maximum=price.maximum)


def refuse_many_users(users: int) -> None:
    """Licenses are assigned and unassigned for a few users at a time."""
    if users > USERS_AT_ONCE:
        raise TooManyUsersAtOnce(users=users, maximum=USERS_AT_ONCE)
