"""Stories in which money moves: what comes before, and the stages at any step of which a process may die."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal
from uuid import UUID

from adapters.payments.sandbox_faults import Faults
from domain.invoice import Invoice
from domain.payment_method import Expiry, PaymentMethod
from domain.subscription import Subscription
from services.buy_subscription import buy_subscription
from services.cancel_subscription import CancelSubscription, cancel_subscription
from services.edit_payment_method import EditPaymentMethod, edit_payment_method
from services.open_billing_profile import OpenBillingProfile, open_billing_profile
from services.pay_invoice import PayInvoice, pay_invoice
from services.reactivate_subscription import ReactivateSubscription, reactivate_subscription
from services.replace_payment_method import ReplacePaymentMethod, replace_payment_method
from services.resize_licenses import ResizeLicenses, resize_licenses
from services.set_recurring_billing import SetRecurringBilling, set_recurring_billing
from tests.system.money.world import World

Act = Callable[[World], object]
BOUGHT = datetime(2026, 1, 31, 9, tzinfo=UTC)
A_DAY = timedelta(days=1)
RENEWS = datetime(2026, 2, 28, 6, tzinfo=UTC)


@dataclass(frozen=True)
class Stage:
    """Who acts then: a client, who may never come back, or the run, which always does."""

    at: datetime
    by: Literal["client", "run"]
    act: Act = World.runs


@dataclass(frozen=True)
class Story:
    """A life of a subscription, cut where it becomes interesting."""

    before: Act  # at BOUGHT
    stages: tuple[Stage, ...]


def subscription_id(world: World) -> UUID:
    return world.buying().subscription_id


def buys(world: World) -> None:
    buy_subscription(world.ledger, world.buying(), world.till)


def resizes(total: int) -> Act:
    def act(world: World) -> None:
        resizing = world.command(ResizeLicenses, f"resize {total}", subscription_id=subscription_id(world), total=total)
        resize_licenses(world.ledger, resizing, world.till)

    return act


def cancels(world: World) -> None:
    cancelling = world.command(
        CancelSubscription, "cancel", subscription_id=subscription_id(world), when="now", reason="project_ended"
    )
    cancel_subscription(world.ledger, cancelling, world.till)


def two_profiles_with_two_purchases_each(world: World) -> None:
    further = world.command(OpenBillingProfile, "further", payment_method_id=world.adds_card("tok_visa:2"))
    open_billing_profile(world.ledger, further)
    for number, profile_id in enumerate([world.profile_id, further.further_profile_id]):
        for licenses in (3, 5):
            world.buys(licenses, name=f"buy {number} {licenses}", billing_profile_id=profile_id)


def bought_and_to_be_declined(world: World) -> None:
    buys(world)
    world.sandbox.script(Faults().decline("charge", "insufficient_funds"))


def past_due(world: World) -> None:
    bought_and_to_be_declined(world)
    world.runs(RENEWS)


def past_due_with_another_card(world: World) -> None:
    past_due(world)
    world.adds_card("tok_visa:other")


def replaces_card(world: World) -> None:
    other = world.command(
        ReplacePaymentMethod, "replace", billing_profile_id=world.profile_id, payment_method_id=card_id(world)
    )
    replace_payment_method(world.ledger, other, world.till)


def edits_card(world: World) -> None:
    [card] = world.all(PaymentMethod)
    editing = world.command(
        EditPaymentMethod,
        "edit",
        payment_method_id=card.id,
        expiry=Expiry(month=12, year=2031),
        security_code_token="cvctok_ok",
    )
    edit_payment_method(world.ledger, editing, world.till)


def card_id(world: World) -> UUID:
    """The other card."""
    return world.adding_card("tok_visa:other").payment_method_id


def pays(world: World) -> None:
    [invoice] = [one for one in world.all(Invoice) if one.due_on == RENEWS.date()]
    paying = world.command(PayInvoice, "pay", invoice_id=invoice.id)
    pay_invoice(world.ledger, paying, world.till)


def expired(world: World) -> None:
    buys(world)
    off = world.command(SetRecurringBilling, "off", subscription_id=subscription_id(world), on=False)
    set_recurring_billing(world.ledger, off, world.till)
    world.runs(RENEWS)
    assert [one.life for one in world.all(Subscription)] == ["expired"]


def reactivates(world: World) -> None:
    again = world.command(ReactivateSubscription, "reactivate", subscription_id=subscription_id(world), licenses=2)
    reactivate_subscription(world.ledger, again, world.till)


def bought_with_a_card_that_takes_nothing_back(world: World) -> None:
    fails = world.command(OpenBillingProfile, "further", payment_method_id=world.adds_card("tok_refund_fails"))
    open_billing_profile(world.ledger, fails)
    buy_subscription(world.ledger, world.buying(billing_profile_id=fails.further_profile_id), world.till)


def nothing(world: World) -> None:
    pass


def client(after: timedelta, act: Act) -> Stage:
    return Stage(BOUGHT + after, "client", act)


STORIES = {
    "purchase": Story(nothing, (client(A_DAY, buys),)),
    "increase": Story(buys, (client(10 * A_DAY, resizes(5)),)),
    "decrease with a refund": Story(buys, (client(2 * A_DAY, resizes(2)),)),
    "cancellation with a refund": Story(buys, (client(2 * A_DAY, cancels),)),
    "renewal of two profiles": Story(two_profiles_with_two_purchases_each, (Stage(RENEWS, "run"),)),
    "declined renewal": Story(
        bought_and_to_be_declined,
        (Stage(RENEWS, "run"), Stage(RENEWS + 3 * A_DAY, "run"), Stage(RENEWS + 7 * A_DAY, "run")),
    ),
    "payment of what is past due": Story(past_due, (Stage(RENEWS + A_DAY, "client", pays),)),
    "another card while past due": Story(past_due_with_another_card, (Stage(RENEWS + A_DAY, "client", replaces_card),)),
    "card edited while past due": Story(past_due, (Stage(RENEWS + A_DAY, "client", edits_card),)),
    "reactivation": Story(expired, (Stage(RENEWS + A_DAY, "client", reactivates),)),
    "refund that fails": Story(
        bought_with_a_card_that_takes_nothing_back,
        (client(2 * A_DAY, cancels), Stage(BOUGHT + 7 * A_DAY, "run")),
    ),
}
