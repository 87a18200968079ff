"""What happens around: time passes, runs come daily, late, twice; the catalog changes; people go and come back."""

from calendar import monthrange
from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from domain.calendar import utc_date
from domain.organization import CATALOG
from domain.product import Policy, ProductFacts
from services.change_bill_to import ChangeBillTo, change_bill_to
from services.deactivate_member import DeactivateMember, deactivate_member
from services.import_members import ImportMembers, import_members
from services.reactivate_member import ReactivateMember, reactivate_member
from services.remove_member import RemoveMember, remove_member
from services.schedule_price import SchedulePrice, schedule_price
from services.set_self_service_policy import SetSelfServicePolicy, set_self_service_policy
from services.withdraw_offer import WithdrawOffer, withdraw_offer
from tests.services.contoso import OPERATOR, generated
from tests.simulation.beginning import BUYERS, PEOPLE, PRODUCTS
from tests.simulation.copies import commands_take_the_steps_of_the_run, one_late_run_bills_as_daily_ones
from tests.simulation.laws import run, run_over_everything
from tests.simulation.world import World

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

    @rule(days=st.integers(1, 60), behind=st.sampled_from([0, 0, 1, 10, 29]))
    def run_late(self, days: int, behind: int) -> None:
        """Sometimes as of a day before first."""
        self.world.turn_clock(timedelta(days=days))
        if behind:
            run(self.world, as_of=self.world.clock.now - timedelta(days=behind))
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
        """Without a fault the second run of a moment tells nothing, and the first one has left nothing out.

        By a clock that goes right: what is due on a day is not looked for on the day before.
        """
        self.world.clock.now = self.world.latest
        self.world.sandbox.clear_script()
        self.world.undisturb()
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
    @rule(days=st.integers(2, 45), offer=offers, price=st.integers(0, 5_000))
    def compare_late_and_daily(self, days: int, offer: int, price: int) -> None:
        """With another price from somewhere within these days on."""
        self.world.clock.now = self.world.latest
        self.change_price(offer, 1 + price % days, price)
        if one_late_run_bills_as_daily_ones(self.world, days):
            self.world.counts.laws["one late run bills as daily ones"] += 1

    # The catalog.

    @rule(offer=offers, days=st.integers(1, 60), price=st.integers(0, 5_000), withdrawn=st.integers(0, 7))
    def change_offer(self, offer: int, days: int, price: int, withdrawn: int) -> None:
        """A price from a day on, as a rule; sometimes the offer is withdrawn, or that is revoked."""
        on = utc_date(self.world.clock.now) + timedelta(days=days)
        about = {"organization_id": CATALOG, "offer_id": self.world.offer_ids[offer]}
        if withdrawn in {0, 1}:
            to = on if withdrawn else None
            withdrawal = self.world.command(WithdrawOffer, OPERATOR, **about, withdrawn_on=to)
            self.world.act(withdrawal, lambda command: withdraw_offer(self.world.ledger, command))
        else:
            self.change_price(offer, days, price)

    def change_price(self, offer: int, days: int, price: int) -> None:
        command = self.world.command(
            SchedulePrice,
            OPERATOR,
            organization_id=CATALOG,
            offer_id=self.world.offer_ids[offer],
            effective_on=utc_date(self.world.clock.now) + timedelta(days=days),
            unit_price_minor=price,
        )
        self.world.act(command, lambda command: schedule_price(self.world.ledger, command))

    @rule(owner=st.integers(0, BUYERS - 1), country=st.sampled_from(["US", "DE", "CH", "JP", "HU", "KR"]))
    def move_house(self, owner: int, country: str) -> None:
        """What is billed from now on is taxed elsewhere."""
        actor = self.world.buyer(owner)
        profile_id = self.world.own_profile(actor.id)
        command = self.world.command(ChangeBillTo, actor, billing_profile_id=profile_id, country=country)
        self.world.act(command, lambda command: change_bill_to(self.world.ledger, command, self.world.till))

    @rule(product=st.sampled_from(PRODUCTS), policy=st.sampled_from(["Enabled", "Enabled", "Disabled"]))
    def set_policy(self, product: ProductFacts, policy: Policy) -> None:
        about = {"product_id": product.product_id, "policy": policy}
        command = self.world.command(SetSelfServicePolicy, self.world.admin, **about)
        self.world.act(command, lambda command: set_self_service_policy(self.world.ledger, command))

    # People.

    @rule(number=st.integers(1, PEOPLE - 1), what=st.sampled_from(["leaves", "pauses", "is back", "is back"]))
    def member(self, number: int, what: str) -> None:
        member_id, ledger = self.world.people[number], self.world.ledger
        match what:
            case "leaves":
                leaving = self.world.command(RemoveMember, OPERATOR, member_id=member_id)
                self.world.act(leaving, lambda command: remove_member(ledger, command, self.world.holdings))
            case "pauses":
                pausing = self.world.command(DeactivateMember, OPERATOR, member_id=member_id)
                self.world.act(pausing, lambda command: deactivate_member(ledger, command))
            case _:
                restoring = self.world.command(ImportMembers, OPERATOR, rows=(generated(number + 1),))
                self.world.act(restoring, lambda command: import_members(ledger, command, self.world.directory))
                coming = self.world.command(ReactivateMember, OPERATOR, member_id=member_id)
                self.world.act(coming, lambda command: reactivate_member(ledger, command))
