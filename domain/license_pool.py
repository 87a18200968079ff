"""LicensePool: how many licenses a subscription has, and who holds them."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import ClassVar, Literal
from uuid import UUID

from eventsourcing.domain import event
from pydantic import AwareDatetime, Field

from domain.calendar import CHANGE_WINDOW
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

ResizeReason = Literal["increase", "decrease", "renewal", "take_over"]
UnassignReason = Literal["requested", "member_removed", "over_assigned", "users_moved"]
CloseReason = Literal["cancelled", "ended", "taken_over"]


class Batch(Value):
    """Licenses that came together: by a purchase, an increase or a renewal. Its window is when they can go back."""

    number: int = Field(ge=1)  # within the pool, rising
    licenses: int = Field(ge=0)  # what is left of it
    opened_at: AwareDatetime

    @property
    def removable_until(self) -> datetime:
        return self.opened_at + CHANGE_WINDOW


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

    class LicensesResized(Aggregate.Event):
        TOPIC: ClassVar[str] = "seatledger.LicensePool.LicensesResized"
        subscription_id: UUID
        product_id: str
        offer_id: UUID
        total: int
        total_before: int  # a reader must not need the previous event to read this one
        reason: ResizeReason
        price: PriceFacts
        batches: tuple[Batch, ...]  # those that changed, as they are now: the opened one, or the ones taken from
        removable_until: AwareDatetime | None  # of the opened batch; none for a decrease
        document_id: UUID | None = None  # the invoice or credit note

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
        holders: Holders
        closed: bool

    @classmethod
    def open(cls, *, id: UUID, subscription_id: UUID, total: int, price: PriceFacts, at: datetime) -> "LicensePool":  # noqa: A002
        refuse_total(total, price)
        batch = Batch(number=1, licenses=total, opened_at=at)
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
        )

    # What may be asked.

    @property
    def assigned(self) -> int:
        return len(self.holders)

    @property
    def free(self) -> int:
        return 0 if self.closed else max(0, self.total - self.assigned)

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

    def resize(self, total: int, price: PriceFacts, at: datetime) -> None:
        """Sets the new total, at the price of the term."""
        self._refuse_when_closed()
        if total > self.total:
            self._increase(total, price, at)
        elif total < self.total:
            self._decrease(total, price, at)

    def _increase(self, total: int, price: PriceFacts, at: datetime) -> None:
        refuse_total(total, price)
        batch = Batch(number=self.last_batch + 1, licenses=total - self.total, opened_at=at)
        self._tell_resized(total, "increase", price, (batch,), removable_until=batch.removable_until)

    def _decrease(self, total: int, price: PriceFacts, at: datetime) -> None:
        refuse_total(total, price)
        if total < self.assigned:
            raise LicensesStillAssigned(total=total, assigned=self.assigned)
        self._tell_resized(total, "decrease", price, self._taken(self.total - total, at), removable_until=None)

    def assign(self, candidates: Mapping[UUID, Member | None]) -> None:
        """Gives each candidate a license, all or none; `None` is a member that does not exist."""
        self._refuse_when_closed()
        refuse_many_users(len(candidates))
        wanting = {member_id: member for member_id, member in candidates.items() if member_id not in self.holders}
        reasons = {
            str(member_id): member.status if member else "unknown"
            for member_id, member in wanting.items()
            if member is None or not member.active
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
        removable_until: datetime | None,
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
            removable_until=removable_until,
        )

    def _taken(self, count: int, at: datetime) -> tuple[Batch, ...]:
        """What is left of the batches that `count` licenses are taken from, newest first, whole or refused."""
        open_batches = self.removable(at)
        if count > sum(batch.licenses for batch in open_batches):
            raise RemovalWindowPassed(
                asked=count,
                removable_now=self.removable_now(at),
                windows=[(batch.licenses, batch.removable_until) for batch in open_batches if batch.licenses],
            )
        left = []
        for batch in open_batches:
            taken = min(count, batch.licenses)
            if taken:
                left.append(batch.model_copy(update={"licenses": batch.licenses - taken}))
            count -= taken
        return tuple(left)

    # Events apply. No rule below this line: history must always replay.

    @event(LicensePoolOpened)
    def __init__(self, subscription_id: UUID, product_id: str, offer_id: UUID, total: int, batch: Batch) -> None:
        self.subscription_id = subscription_id
        self.product_id = product_id
        self.offer_id = offer_id
        self.total = total
        self.batches = [batch]
        self.last_batch = batch.number
        self.holders = Holders()
        self.closed = False

    @event(LicensesResized)
    def _resized(self, total: int, batches: tuple[Batch, ...]) -> None:
        self.total = total
        changed = {batch.number: batch for batch in self.batches} | {batch.number: batch for batch in batches}
        self.batches = [batch for batch in changed.values() if batch.licenses]
        self.last_batch = max(self.last_batch, *changed)

    @event(LicenseAssigned)
    def _assigned(self, member_id: UUID) -> None:
        self.holders.add(member_id)

    @event(LicenseUnassigned)
    def _unassigned(self, member_id: UUID) -> None:
        self.holders.remove(member_id)

    @event(LicensePoolClosed)
    def _closed(self) -> None:
        self.holders.clear()
        self.closed = True


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
