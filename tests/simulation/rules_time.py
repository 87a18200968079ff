"""What happens around: time passes, runs come daily, late, twice; the catalog changes; people go and come back."""

from calendar import monthrange
from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from domain.calendar import utc_date
from domain.organization import CATALOG
from services.deactivate_member import DeactivateMember, deactivate_member
from services.import_members import ImportMembers, import_members
from services.reactivate_member import ReactivateMember, reactivate_member
from services.remove_member import RemoveMember, remove_member
from services.schedule_price import SchedulePrice, schedule_price
from services.withdraw_offer import WithdrawOffer, withdraw_offer
from tests.services.contoso import OPERATOR, generated
from tests.simulation.copies import commands_take_the_steps_of_the_run, one_late_run_bills_as_daily_ones
from tests.simulation.laws import run, run_over_everything
from tests.simulation.rules_purchases import seldom
from tests.simulation.world import BUYERS, PEOPLE, World

offers = st.integers(0, 3)


class Time:
    """Rules of a history; `world` is set by what they are mixed into."""

    world: World

    @rule(hours=st.sampled_from([1, 5, 23, 24, 25, 47, 167, 168, 169]))
    def hours_pass(self, hours: int) -> None:
        self.world.turn_clock(timedelta(hours=hours))

    @rule(hours=st.integers(1, 30))
    def clock_is_set_back(self, hours: int) -> None:
        self.world.turn_clock(-timedelta(hours=hours))

    @rule(days=st.integers(1, 60))
    def run_late(self, days: int) -> None:
        self.world.turn_clock(timedelta(days=days))
        run(self.world)

    @rule(days=st.integers(1, 9))
    def run_daily(self, days: int) -> None:
        for _ in range(days):
            self.world.turn_clock(timedelta(days=1))
            run(self.world)

    @rule(before=st.integers(-1, 2), with_run=st.booleans())
    def month_ends(self, before: int, with_run: bool) -> None:
        """To the month's last days, or the first of the next."""
        today = utc_date(self.world.clock.now)
        left = monthrange(today.year, today.month)[1] - today.day - before
        self.world.turn_clock(timedelta(days=max(0, left)))
        if with_run:
            run(self.world)

    @rule()
    def run_twice(self) -> None:
        """Without a fault the second run of a moment tells nothing, and the first one has left nothing out."""
        self.world.sandbox.clear_script()
        run(self.world)
        before = self.world.head
        run_over_everything(self.world)
        self.world.counts.laws["a second run tells nothing"] += 1
        told = [event.topic for event in self.world.recorder.organizations[self.world.organization_id][before:]]
        assert not told, f"a second run tells {told}"

    @precondition(lambda self: self.world.reading.subscriptions)
    @rule(owner=st.integers(0, BUYERS - 1), days=st.integers(0, 45))
    def compare_command_and_run(self, owner: int, days: int) -> None:
        self.world.turn_clock(max(timedelta(days=days), self.world.latest - self.world.clock.now))
        commands_take_the_steps_of_the_run(self.world, self.world.own_profile(self.world.people[owner]))
        self.world.counts.laws["commands take the steps of the run"] += 1

    @precondition(lambda self: self.world.reading.subscriptions)
    @rule(days=st.integers(2, 45))
    def compare_late_and_daily(self, days: int) -> None:
        self.world.clock.now = self.world.latest
        if one_late_run_bills_as_daily_ones(self.world, days):
            self.world.counts.laws["one late run bills as daily ones"] += 1

    # The catalog.

    @rule(offer=offers, days=st.integers(1, 60), price=st.integers(0, 5_000))
    def schedule_price(self, offer: int, days: int, price: int) -> None:
        command = self.world.command(
            SchedulePrice,
            OPERATOR,
            organization_id=CATALOG,
            offer_id=self.world.offer_ids[offer],
            effective_on=utc_date(self.world.clock.now) + timedelta(days=days),
            unit_price_minor=price,
        )
        self.world.act(command, lambda command: schedule_price(self.world.ledger, command))

    @rule(offer=offers, days=st.one_of(st.none(), st.integers(1, 60)), meant=seldom)
    def withdraw_offer(self, offer: int, days: int | None, meant: bool) -> None:
        if not meant:
            return
        today = utc_date(self.world.clock.now)
        command = self.world.command(
            WithdrawOffer,
            OPERATOR,
            organization_id=CATALOG,
            offer_id=self.world.offer_ids[offer],
            withdrawn_on=None if days is None else today + timedelta(days=days),
        )
        self.world.act(command, lambda command: withdraw_offer(self.world.ledger, command))

    # People.

    @rule(number=st.integers(1, PEOPLE - 1), meant=seldom)
    def remove_member(self, number: int, meant: bool) -> None:
        if not meant:
            return
        command = self.world.command(RemoveMember, OPERATOR, member_id=self.world.people[number])
        self.world.act(command, lambda command: remove_member(self.world.ledger, command, self.world.holdings))

    @rule(number=st.integers(1, PEOPLE - 1))
    def member_comes_back(self, number: int) -> None:
        command = self.world.command(ImportMembers, OPERATOR, rows=(generated(number + 1),))
        self.world.act(command, lambda command: import_members(self.world.ledger, command, self.world.directory))

    @rule(number=st.integers(1, PEOPLE - 1), away=seldom)
    def deactivate_member(self, number: int, away: bool) -> None:
        member_id = self.world.people[number]
        if away:
            leaving = self.world.command(DeactivateMember, OPERATOR, member_id=member_id)
            self.world.act(leaving, lambda command: deactivate_member(self.world.ledger, command))
        else:
            coming = self.world.command(ReactivateMember, OPERATOR, member_id=member_id)
            self.world.act(coming, lambda command: reactivate_member(self.world.ledger, command))
