"""How a subscription goes on: `domain.subscription`, between test_purchase and test_cancellation."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import get_args

import pytest

from domain.offer import PriceFacts
from domain.refusals import (
    InvoicePastDue,
    RecurringBillingOff,
    SubscriptionNotActive,
    TooFewLicenses,
    TooManyLicenses,
)
from domain.subscription import ALLOWED, Act, LifeState, Subscription
from tests.examples import (
    A_SUBSCRIPTION,
    INVOICE,
    POWER_BI_PRO,
    POWER_BI_PRO_FOR_A_YEAR,
    PURCHASED_AT,
    buying,
)
from tests.scenario import Scenario, event

Scheduled, Withdrawn = Subscription.LicenseChangeScheduled, Subscription.LicenseChangeWithdrawn
Off, On = Subscription.RecurringBillingTurnedOff, Subscription.RecurringBillingTurnedOn
recurring_off, recurring_on = Subscription.turn_recurring_billing_off, Subscription.turn_recurring_billing_on
withdrawn = Subscription.withdraw_scheduled_licenses
TERM_END, LAST_DAY = date(2025, 2, 28), date(2025, 2, 27)


def scheduled(total: int) -> Callable[[Subscription], None]:
    return lambda subscription: subscription.schedule_licenses(total)


def living(state: LifeState) -> Callable[[Subscription], None]:
    """The life-cycle has brought it here."""
    return lambda subscription: setattr(subscription, "life", state)


# Scheduling licenses for renewal.


def test_a_scheduled_total_takes_effect_with_the_next_term() -> None:
    (
        Scenario(Subscription)
        .given(A_SUBSCRIPTION)
        .when(scheduled(2))
        .then_told(
            event(
                Scheduled,
                product_id="CFQ7TTC0H9MP",
                total=2,
                total_scheduled_before=None,
                takes_effect_on=TERM_END,
            )
        )
        .leaving(scheduled_total=2)
    )


def test_a_schedule_may_also_raise_the_total() -> None:
    Scenario(Subscription).given(A_SUBSCRIPTION).when(scheduled(300)).then_told(event(Scheduled, total=300))


def test_a_schedule_asks_nobody_how_many_are_assigned() -> None:
    """The subscription does not know; what is over-assigned is settled after the renewal."""
    Scenario(Subscription).given(buying(licenses=300)).when(scheduled(1)).then_told(event(Scheduled, total=1))


def test_another_total_takes_the_place_of_the_scheduled_one() -> None:
    (
        Scenario(Subscription)
        .given(A_SUBSCRIPTION, scheduled(2))
        .when(scheduled(5))
        .then_told(event(Scheduled, total=5, total_scheduled_before=2))
        .leaving(scheduled_total=5)
    )


def test_the_same_schedule_again_tells_nothing() -> None:
    Scenario(Subscription).given(A_SUBSCRIPTION, scheduled(2)).when(scheduled(2)).then_told_nothing()


@pytest.mark.parametrize("total", [0, -1])
def test_a_schedule_below_one_is_refused(total: int) -> None:
    Scenario(Subscription).given(A_SUBSCRIPTION).when(scheduled(total)).then_refused(TooFewLicenses, total=total)


def test_a_schedule_above_the_maximum_is_refused() -> None:
    Scenario(Subscription).given(A_SUBSCRIPTION).when(scheduled(301)).then_refused(
        TooManyLicenses, total=301, maximum=300
    )


def test_without_recurring_billing_there_is_no_renewal_to_schedule_for() -> None:
    Scenario(Subscription).given(A_SUBSCRIPTION, recurring_off).when(scheduled(2)).then_refused(RecurringBillingOff)


def test_a_schedule_can_be_withdrawn() -> None:
    (
        Scenario(Subscription)
        .given(A_SUBSCRIPTION, scheduled(2))
        .when(withdrawn)
        .then_told(event(Withdrawn, product_id="CFQ7TTC0H9MP", total=2, takes_effect_on=TERM_END, reason="requested"))
        .leaving(scheduled_total=None)
    )


def test_withdrawing_no_schedule_tells_nothing() -> None:
    Scenario(Subscription).given(A_SUBSCRIPTION).when(withdrawn).then_told_nothing()


# Recurring billing.


def test_recurring_billing_off_drops_the_schedule_with_an_event_of_its_own() -> None:
    (
        Scenario(Subscription)
        .given(A_SUBSCRIPTION, scheduled(2))
        .when(recurring_off)
        .then_told(
            event(Withdrawn, total=2, reason="recurring_billing_off"),
            event(Off, reason="requested", ends_on=LAST_DAY),
        )
        .leaving(recurring_billing=False, scheduled_total=None)
    )


def test_recurring_billing_off_again_tells_nothing() -> None:
    Scenario(Subscription).given(A_SUBSCRIPTION, recurring_off).when(recurring_off).then_told_nothing()


def test_recurring_billing_can_be_turned_on_again() -> None:
    (
        Scenario(Subscription)
        .given(A_SUBSCRIPTION, recurring_off)
        .when(recurring_on)
        .then_told(event(On, renews_on=TERM_END))
        .leaving(recurring_billing=True)
    )


def test_recurring_billing_on_again_tells_nothing() -> None:
    Scenario(Subscription).given(A_SUBSCRIPTION).when(recurring_on).then_told_nothing()


def test_a_dropped_schedule_does_not_come_back() -> None:
    (
        Scenario(Subscription)
        .given(A_SUBSCRIPTION, scheduled(2), recurring_off)
        .when(recurring_on)
        .then_told(event(On))
        .leaving(scheduled_total=None)
    )


# What each state of life permits (domain rules, section 5).

PERMITTED: dict[Act, str] = {
    "increase": "active",
    "schedule": "active in_grace",
    "recurring": "active in_grace",
    "renew": "active",  # no renewal while past due
    "decrease": "active in_grace",
    "cancel": "active in_grace",
    "assign": "active in_grace expired",
    "unassign": "active in_grace expired disabled",
    # Not in the table: what an admin does who takes over, and what licenses can be moved to.
    "take over": "active in_grace",
    "adopt": "active expired disabled",
    "move to": "active",
}


@pytest.mark.parametrize("state", get_args(LifeState))
@pytest.mark.parametrize("act", get_args(Act))
def test_the_state_of_life_permits_or_refuses(act: Act, state: LifeState) -> None:
    subscription = A_SUBSCRIPTION()
    living(state)(subscription)
    if state in PERMITTED[act].split():
        subscription.refuse_unless(act)
    else:
        refusal = InvoicePastDue if state == "in_grace" else SubscriptionNotActive
        with pytest.raises(refusal) as refused:
            subscription.refuse_unless(act)
        assert refused.value.facts.get("state", "in_grace") == state


def test_what_grace_forbids_is_refused_with_the_invoices_to_pay() -> None:
    (
        Scenario(Subscription)
        .given(A_SUBSCRIPTION, lambda subscription: subscription.fall_past_due(INVOICE))
        .when(lambda subscription: subscription.refuse_unless("increase"))
        .then_refused(InvoicePastDue, invoice_ids=[str(INVOICE)])
    )


def test_every_act_is_in_the_table() -> None:
    assert set(PERMITTED) == set(ALLOWED) == set(get_args(Act))


@pytest.mark.parametrize("ask", [scheduled(2), withdrawn, recurring_off, recurring_on])
def test_an_expired_subscription_has_nothing_left_to_change(ask: Callable[[Subscription], None]) -> None:
    subscription = A_SUBSCRIPTION()
    living("expired")(subscription)
    with pytest.raises(SubscriptionNotActive):
        ask(subscription)
    assert len(subscription.pending_events) == 1  # the purchase


# What is still owed of a term.


def owed(price: PriceFacts, at: datetime, *, licenses: int = 3) -> int:
    return buying(price=price)().still_owed(licenses, at)


@pytest.mark.parametrize(
    ("at", "later_cycles"),
    [
        (PURCHASED_AT, 11),
        (PURCHASED_AT - timedelta(days=1), 11),
        (datetime(2025, 2, 27, 23, 59, 59, tzinfo=UTC), 11),
        (datetime(2025, 2, 28, tzinfo=UTC), 10),
        (datetime(2025, 12, 31, tzinfo=UTC), 0),
        (datetime(2026, 1, 30, tzinfo=UTC), 0),
    ],
)
def test_a_year_billed_monthly_owes_its_later_cycles(at: datetime, later_cycles: int) -> None:
    assert owed(POWER_BI_PRO_FOR_A_YEAR, at) == later_cycles * 3 * 1400


def test_a_term_that_is_one_cycle_owes_nothing_more() -> None:
    assert owed(POWER_BI_PRO, PURCHASED_AT) == 0
    assert owed(POWER_BI_PRO_FOR_A_YEAR.model_copy(update={"plan": "annual"}), PURCHASED_AT) == 0
