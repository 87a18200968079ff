"""What people do with purchases: buy, change, give to colleagues, end, take over."""

from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from services.adopt_subscription import AdoptSubscription, adopt_subscription
from services.assign_licenses import AssignLicenses, assign_licenses
from services.buy_subscription import BuySubscription, buy_subscription
from services.cancel_subscription import CancelSubscription, cancel_subscription
from services.cancel_taken_over import CancelTakenOver, cancel_taken_over
from services.move_users import MoveUsers, move_users
from services.ports import Receipt
from services.reactivate_subscription import ReactivateSubscription, reactivate_subscription
from services.resize_licenses import ResizeLicenses, resize_licenses
from services.schedule_licenses import ScheduleLicenses, schedule_licenses
from services.set_recurring_billing import SetRecurringBilling, set_recurring_billing
from services.unassign_licenses import UnassignLicenses, unassign_licenses
from services.withdraw_cancellation import WithdrawCancellation, withdraw_cancellation
from tests.simulation.beginning import BUYERS, PEOPLE
from tests.simulation.world import World

Q = TypeVar("Q", BuySubscription, ResizeLicenses)

MOST = 9  # subscriptions of a history, so that things happen to each
ones = st.integers(0, MOST - 1)
members = st.lists(st.integers(0, PEOPLE - 1), min_size=1, max_size=5)
seldom = st.sampled_from([False, False, False, True])  # or little would be left to happen to
within_the_week = st.sampled_from([0, 0, 1, 23, 24, 25, 60, 167])
deltas = st.integers(1, 9)


class Purchases:
    """Rules of a history; `world` is set by what they are mixed into."""

    world: World

    def subscription(self, number: int) -> UUID:
        """One of those that live, as a rule: most acts are refused for the others."""
        all_of_them = list(self.world.reading.subscriptions)
        living = [one for one in all_of_them if self.world.reading.subscriptions[one].life in {"active", "in_grace"}]
        ids = living if living and number < MOST - 1 else all_of_them
        return ids[number % len(ids)]

    def ended(self) -> list[UUID]:
        return [one for one, read in self.world.reading.subscriptions.items() if read.life in {"expired", "disabled"}]

    def some_bought(self) -> bool:
        return bool(self.world.reading.subscriptions)

    def total(self, subscription_id: UUID) -> int:
        return self.world.reading.pools[self.world.reading.subscriptions[subscription_id].pool_id].total

    def people(self, numbers: list[int]) -> tuple[UUID, ...]:
        return tuple(self.world.people[number] for number in dict.fromkeys(numbers))

    @precondition(lambda self: len(self.world.reading.subscriptions) < MOST)
    @rule(buyer=st.integers(0, BUYERS - 1), offer=st.integers(0, 3), licenses=st.integers(1, 30))
    def buy(self, buyer: int, offer: int, licenses: int) -> None:
        self.purchase(buyer, offer, licenses)

    def purchase(self, buyer: int, offer: int, licenses: int) -> UUID | None:
        command = self.world.command(
            BuySubscription, self.world.buyer(buyer), offer_id=self.world.offer_ids[offer], licenses=licenses
        )
        bought = self.as_quoted(command, lambda command: buy_subscription(self.world.ledger, command, self.world.till))
        return command.subscription_id if bought else None

    @precondition(lambda self: len(self.world.reading.subscriptions) < MOST)
    @rule(buyer=st.integers(0, BUYERS - 1), offer=st.integers(0, 3), licenses=st.integers(1, 30))
    def buy_centrally(self, buyer: int, offer: int, licenses: int) -> None:
        command = self.world.command(
            BuySubscription,
            self.world.admin,
            offer_id=self.world.offer_ids[offer],
            licenses=licenses,
            channel="central",
            purchaser_id=self.world.people[buyer],
            billing_profile_id=self.world.own_profile(self.world.people[0]),
        )
        self.world.act(command, lambda command: buy_subscription(self.world.ledger, command, self.world.till))

    def resize(self, subscription_id: UUID, total: int) -> None:
        command = self.world.command(
            ResizeLicenses,
            self.world.actor_for(subscription_id),
            subscription_id=subscription_id,
            total=max(1, total),
            expected_total=self.total(subscription_id),
        )
        self.as_quoted(command, lambda command: resize_licenses(self.world.ledger, command, self.world.till))

    def as_quoted(self, command: Q, carry_out: Callable[[Q], Receipt]) -> Receipt | None:
        """What was quoted just before is what is charged, unless due steps or somebody came between."""
        if quoted := self.world.quoted(command):
            command = command.model_copy(update={"expected_amount_minor": quoted.total_minor})
        before = self.world.head
        receipt = self.world.act(command, carry_out)
        told = self.world.recorder.organizations[self.world.organization_id][before:]
        moved = self.world.between or any(event.envelope.command == "take_due_steps" for event in told)
        assert moved or self.world.refusal != "quote_changed", "quoted otherwise than charged"
        if quoted and receipt:
            self.world.counts.laws["charged as quoted"] += 1
        return receipt

    @precondition(some_bought)
    @rule(number=ones, by=deltas)
    def increase(self, number: int, by: int) -> None:
        one = self.subscription(number)
        self.resize(one, self.total(one) + by)

    @precondition(some_bought)
    @rule(number=ones, by=deltas)
    def decrease(self, number: int, by: int) -> None:
        one = self.subscription(number)
        self.resize(one, self.total(one) - by)

    @precondition(some_bought)
    @rule(number=ones, more=deltas, later=st.lists(st.tuples(within_the_week, deltas), min_size=1, max_size=3))
    def increase_and_think_better(self, number: int, more: int, later: list[tuple[int, int]]) -> None:
        """Within the window as a rule: whole days and single hours apart, to both sides of the first day."""
        one = self.subscription(number)
        self.resize(one, self.total(one) + more)
        for hours, less in later:
            self.world.turn_clock(timedelta(hours=hours))
            self.resize(one, self.total(one) - less)

    @precondition(lambda self: len(self.world.reading.subscriptions) < MOST)
    @rule(buyer=st.integers(0, BUYERS - 1), offer=st.integers(0, 3), licenses=st.integers(1, 30), hours=within_the_week)
    def buy_and_cancel(self, buyer: int, offer: int, licenses: int, hours: int) -> None:
        if one := self.purchase(buyer, offer, licenses):
            self.world.turn_clock(timedelta(hours=hours))
            self.end(one, now=True)

    @precondition(some_bought)
    @rule(number=ones, total=st.one_of(st.none(), st.integers(1, 3), st.integers(1, 30)))
    def schedule(self, number: int, total: int | None) -> None:
        one = self.subscription(number)
        command = self.world.command(ScheduleLicenses, self.world.actor_for(one), subscription_id=one, total=total)
        self.world.act(command, lambda command: schedule_licenses(self.world.ledger, command, self.world.till))

    @precondition(some_bought)
    @rule(number=ones, to=members)
    def assign(self, number: int, to: list[int]) -> None:
        one = self.subscription(number)
        actor = self.world.actor_for(one)
        command = self.world.command(AssignLicenses, actor, subscription_id=one, user_ids=self.people(to))
        self.world.act(command, lambda command: assign_licenses(self.world.ledger, command, self.world.till))

    @precondition(some_bought)
    @rule(number=ones, of=members)
    def unassign(self, number: int, of: list[int]) -> None:
        one = self.subscription(number)
        actor = self.world.actor_for(one)
        command = self.world.command(UnassignLicenses, actor, subscription_ids=(one,), user_ids=self.people(of))
        self.world.act(command, lambda command: unassign_licenses(self.world.ledger, command, self.world.till))

    @precondition(some_bought)
    @rule(number=ones, now=st.booleans(), meant=seldom)
    def cancel(self, number: int, now: bool, meant: bool) -> None:
        if meant or not now:
            self.end(self.subscription(number), now=now)

    def end(self, one: UUID, *, now: bool) -> None:
        command = self.world.command(
            CancelSubscription,
            self.world.actor_for(one),
            subscription_id=one,
            when="now" if now else "term_end",
            reason="other",
        )
        self.world.act(command, lambda command: cancel_subscription(self.world.ledger, command, self.world.till))

    @precondition(some_bought)
    @rule(number=ones)
    def withdraw_cancellation(self, number: int) -> None:
        one = self.subscription(number)
        command = self.world.command(WithdrawCancellation, self.world.actor_for(one), subscription_id=one)
        self.world.act(command, lambda command: withdraw_cancellation(self.world.ledger, command, self.world.till))

    @precondition(some_bought)
    @rule(number=ones, on=st.booleans())
    def recurring(self, number: int, on: bool) -> None:
        one = self.subscription(number)
        command = self.world.command(SetRecurringBilling, self.world.actor_for(one), subscription_id=one, on=on)
        self.world.act(command, lambda command: set_recurring_billing(self.world.ledger, command, self.world.till))

    @precondition(lambda self: bool(self.ended()))
    @rule(number=ones, licenses=st.one_of(st.none(), st.integers(1, 30)))
    def reactivate(self, number: int, licenses: int | None) -> None:
        one = self.ended()[number % len(self.ended())]
        command = self.world.command(
            ReactivateSubscription, self.world.actor_for(one), subscription_id=one, licenses=licenses
        )
        self.world.act(command, lambda command: reactivate_subscription(self.world.ledger, command, self.world.till))

    @precondition(some_bought)
    @rule(number=ones)
    def adopt(self, number: int) -> None:
        command = self.world.command(
            AdoptSubscription, self.world.admin, subscription_id=self.subscription(number), reason="requested"
        )
        self.world.act(command, lambda command: adopt_subscription(self.world.ledger, command, self.world.till))

    @precondition(some_bought)
    @rule(number=ones, into=ones, meant=seldom)
    def move(self, number: int, into: int, meant: bool) -> None:
        if not meant:
            return
        command = self.world.command(
            MoveUsers,
            self.world.admin,
            subscription_id=self.subscription(number),
            target_id=self.subscription(into),
        )
        self.world.act(command, lambda command: move_users(self.world.ledger, command, self.world.till))

    @precondition(some_bought)
    @rule(number=ones, meant=seldom)
    def cancel_taken_over(self, number: int, meant: bool) -> None:
        if not meant:
            return
        command = self.world.command(
            CancelTakenOver, self.world.admin, subscription_id=self.subscription(number), reason="other"
        )
        self.world.act(command, lambda command: cancel_taken_over(self.world.ledger, command, self.world.till))
