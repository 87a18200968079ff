"""Contoso's life in memory, through the real services: what is bought, changed, paid and not paid, as it is drawn."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, time, timedelta
from typing import Any, TypeVar
from uuid import UUID

from hypothesis import strategies as st

from adapters.payments.sandbox_faults import Faults
from domain.envelope import RecordedEvent
from domain.invoice import Invoice
from domain.payment import Payment
from domain.payment_method import PaymentMethod
from domain.refusals import Refusal
from domain.subscription import Subscription
from services.adopt_subscription import AdoptSubscription
from services.advance import Advance, advance_organization
from services.assign_licenses import AssignLicenses
from services.buy_subscription import BuySubscription
from services.cancel_subscription import CancelSubscription
from services.cancel_taken_over import CancelTakenOver
from services.ledger import offer_id_of
from services.pay_invoice import PayInvoice
from services.ports_reads import DueProfile
from services.reactivate_subscription import ReactivateSubscription
from services.replace_payment_method import ReplacePaymentMethod
from services.resize_licenses import ResizeLicenses
from services.schedule_licenses import ScheduleLicenses
from services.set_recurring_billing import SetRecurringBilling
from services.unassign_licenses import UnassignLicenses
from services.withdraw_offer import WithdrawOffer
from tests.examples import PURCHASED_AT
from tests.services.contoso import FOR_A_YEAR, MONTHLY, OPERATOR, PAID_YEARLY, Clock, Contoso
from tests.services.memory_recorder import MemoryDirectory, memory_ledger
from tests.services.on_sale import import_power_bi

T = TypeVar("T")

CARDS = ("tok_visa", "tok_declined_insufficient_funds", "tok_refund_fails", "tok_disputed", "tok_action_required")
OFFERS = (MONTHLY, FOR_A_YEAR, PAID_YEARLY)

ACTS = (
    *("buy", "add", "remove_licenses", "schedule", "run", "run", "assign", "unassign", "card"),
    *("card", "card", "run", "run", "run", "decide", "decide", "add"),
    *("cancel", "cancel_later", "recurring_off", "recurring_on", "adopt", "end_taken_over", "reactivate"),
    *("pay", "dispute", "decide", "refund_fails", "outage", "outage", "remove_member", "withdraw_offer"),
)
Step = tuple[str, int, int, int]
STEPS = st.lists(
    st.tuples(
        st.sampled_from(ACTS),
        st.integers(0, 2),  # who, or which card or offer
        st.integers(0, 4),  # how many, or which
        st.sampled_from([0, 1, 6, 25, 40, 130]),  # days that go by first
    ),
    min_size=3,
    max_size=14,
)


class BilledStory:
    """Melissa, Ben and Chris, who is the admin, have a profile each. What is refused does not happen."""

    def __init__(self) -> None:
        self.clock = Clock(PURCHASED_AT)
        ledger = memory_ledger(self.clock)
        import_power_bi(ledger)
        directory: Any = MemoryDirectory(ledger.history)  # type: ignore[arg-type]
        self.contoso = Contoso.founded(ledger, directory, self.clock)
        self.people = [self.contoso.melissa, self.contoso.ben, self.contoso.chris]
        self.profiles = [self.contoso.can_pay(member_id) for member_id in self.people]
        self.cards = 0
        self.buy(0, 0)
        self.buy(1, 1)

    @property
    def history(self) -> list[RecordedEvent]:
        return self.contoso.history()

    def goes_on(self, step: Step) -> None:
        name, who, number, days = step
        self.clock.now += timedelta(days=days, hours=1)
        with suppress(Refusal, LookupError):
            getattr(self, name)(who, number)

    def does(self, kind: Any, member_id: UUID, **content: Any) -> None:
        """As an admin where the service is for admins, as the purchaser otherwise."""
        admin = kind in {AdoptSubscription, CancelTakenOver}
        actor = self.contoso.admin if admin else self.contoso.purchaser(member_id)
        self.contoso.run(self.contoso.command(kind, actor, **content))

    def one(self, number: int) -> Subscription:
        """One of the youngest."""
        return cyclic(self.contoso.every(Subscription), number)

    def of_one(self, kind: Any, number: int, **content: Any) -> None:
        subscription = self.one(number)
        self.does(kind, subscription.purchaser_id, subscription_id=subscription.id, **content)

    # What happens.

    def buy(self, who: int, number: int) -> None:
        offer_id = offer_id_of(OFFERS[number % 3])
        self.does(BuySubscription, self.people[who], offer_id=offer_id, licenses=number + 1)

    def add(self, who: int, number: int) -> None:
        self.of_one(ResizeLicenses, who, total=self.contoso.pool(self.one(who).id).total + number + 1)

    def remove_licenses(self, who: int, number: int) -> None:
        self.of_one(ResizeLicenses, who, total=max(1, self.contoso.pool(self.one(who).id).total - number - 1))

    def schedule(self, who: int, number: int) -> None:
        self.of_one(ScheduleLicenses, who, total=number + 1)

    def assign(self, who: int, number: int) -> None:
        members = (self.contoso.david, self.contoso.cynthia, *self.people)
        self.of_one(AssignLicenses, who, user_ids=members[: number + 1])

    def unassign(self, who: int, number: int) -> None:
        subscription = self.one(who)
        holders = self.contoso.holders(subscription.id)[: number + 1]
        user_ids = tuple(holders or [self.contoso.david])
        unassigning = {"subscription_ids": (subscription.id,), "user_ids": user_ids}
        self.does(UnassignLicenses, subscription.purchaser_id, **unassigning)

    def cancel(self, who: int, number: int) -> None:  # noqa: ARG002 - one shape for all
        self.of_one(CancelSubscription, who, when="now", reason="other")

    def cancel_later(self, who: int, number: int) -> None:  # noqa: ARG002
        self.of_one(CancelSubscription, who, when="term_end", reason="other")

    def recurring_off(self, who: int, number: int) -> None:  # noqa: ARG002
        self.of_one(SetRecurringBilling, who, on=False)

    def recurring_on(self, who: int, number: int) -> None:  # noqa: ARG002
        self.of_one(SetRecurringBilling, who, on=True)

    def adopt(self, who: int, number: int) -> None:  # noqa: ARG002
        self.of_one(AdoptSubscription, who, reason="other")

    def end_taken_over(self, who: int, number: int) -> None:  # noqa: ARG002
        self.of_one(CancelTakenOver, who, reason="other")

    def reactivate(self, who: int, number: int) -> None:  # noqa: ARG002
        self.of_one(ReactivateSubscription, who)

    def card(self, who: int, number: int) -> None:
        self.cards += 1
        member_id = self.people[who]
        method_id = self.contoso.adds_card(member_id, f"{CARDS[number]}:{self.cards}")
        profile = {"billing_profile_id": self.profiles[who], "payment_method_id": method_id}
        self.does(ReplacePaymentMethod, member_id, **profile)

    def pay(self, who: int, number: int) -> None:
        self.does(PayInvoice, self.people[who], invoice_id=cyclic(self.contoso.every(Invoice), number).id)

    def dispute(self, who: int, number: int) -> None:  # noqa: ARG002
        self.contoso.sandbox.dispute(cyclic(self.contoso.payments(), number).id)
        self.looks_at_payments()

    def decide(self, who: int, number: int) -> None:
        disputed = [one for payment in self.contoso.payments() for one in payment.disputes]
        self.contoso.sandbox.close_dispute(cyclic(disputed, number), "won" if who else "lost")

    def refund_fails(self, who: int, number: int) -> None:  # noqa: ARG002
        refunds = [one for payment in self.contoso.payments() for one in payment.refunds]
        self.contoso.sandbox.fail_refund(cyclic(refunds, number))
        self.looks_at_payments()

    def outage(self, who: int, number: int) -> None:
        """The provider does not answer for a while."""
        acts = (self.buy, self.run, self.cancel, self.remove_licenses, self.add)
        self.contoso.sandbox.script(Faults().unavailable(calls=2))
        try:
            acts[number](who, number)
        finally:
            self.contoso.sandbox.clear_script()

    def remove_member(self, who: int, number: int) -> None:  # noqa: ARG002
        self.contoso.removes(self.people[who])

    def withdraw_offer(self, who: int, number: int) -> None:  # noqa: ARG002
        tomorrow = self.clock.now.date() + timedelta(days=1)
        command = self.contoso.in_catalog(WithdrawOffer, offer_id=offer_id_of(OFFERS[who]), withdrawn_on=tomorrow)
        self.contoso.run(command)

    def run(self, who: int, number: int) -> None:  # noqa: ARG002
        self.looks_at_payments()

    def looks_at_payments(self) -> None:
        """The life-cycle run, over everything there is."""
        self.contoso.advances()

    def runs(self, due: list[DueProfile]) -> None:
        """The run over what is proposed."""
        organization_id = self.contoso.organization_id
        advance = Advance(actor=OPERATOR, as_of=self.clock.now)
        advance_organization(self.contoso.ledger, self.contoso.till, advance, organization_id=organization_id, due=due)

    # What there is.

    @property
    def payments(self) -> list[Payment]:
        return self.contoso.payments()

    @property
    def methods(self) -> list[PaymentMethod]:
        return self.contoso.every(PaymentMethod)


def cyclic(things: Sequence[T], number: int) -> T:
    """Counted from the youngest on, and again from there."""
    if not things:
        raise LookupError
    return things[-1 - number % len(things)]


def midnight(day: Any) -> datetime:
    return datetime.combine(day, time(), UTC)
