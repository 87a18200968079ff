"""How a subscription ends: at once within its window, or with its term."""

from collections.abc import Callable
from datetime import date, datetime
from typing import get_args

import pytest

from domain.personal import FactRef
from domain.refusals import CancellationWindowPassed, RecurringBillingOff, SubscriptionNotActive
from domain.subscription import CancelReason, Subscription
from tests.examples import (
    A_CREDIT_NOTE,
    A_SUBSCRIPTION,
    A_SUBSCRIPTION_FOR_A_YEAR,
    A_WEEK_LATER,
    CHRIS,
    FEEDBACK,
    OFFER,
    POOL,
    THE_LAST_INSTANT,
    THE_SAME_DAY,
    WITHIN_THE_WEEK,
)
from tests.scenario import Scenario, event

Cancelled, CancellationScheduled = Subscription.SubscriptionCancelled, Subscription.CancellationScheduled
Withdrawn = Subscription.LicenseChangeWithdrawn
Off, On = Subscription.RecurringBillingTurnedOff, Subscription.RecurringBillingTurnedOn
recurring_off, recurring_on = Subscription.turn_recurring_billing_off, Subscription.turn_recurring_billing_on
withdrawn = Subscription.withdraw_cancellation
TERM_END, LAST_DAY = date(2025, 2, 28), date(2025, 2, 27)


def cancelled_now(
    at: datetime = WITHIN_THE_WEEK,
    *,
    reason: CancelReason = "too_expensive",
    feedback: FactRef | None = FEEDBACK.ref,
    removable_now: int = 0,
) -> Callable[[Subscription], None]:
    def cancel(subscription: Subscription) -> None:
        subscription.refuse_cancellation_now(removable_now=removable_now, at=at)
        subscription.cancel(
            when="now", reason=reason, feedback=feedback, licenses=3, credit_note_ids=[A_CREDIT_NOTE], at=at
        )

    return cancel


def cancelled_at_term_end(
    at: datetime = A_WEEK_LATER, *, reason: CancelReason = "project_ended"
) -> Callable[[Subscription], None]:
    return lambda subscription: subscription.cancel_at_term_end(reason=reason, feedback=FEEDBACK.ref, licenses=3, at=at)


def two_scheduled(subscription: Subscription) -> None:
    subscription.schedule_licenses(2)


# Now.


def test_cancelling_now_ends_at_once() -> None:
    (
        Scenario(Subscription)
        .given(A_SUBSCRIPTION)
        .when(cancelled_now())
        .then_told(
            event(
                Cancelled,
                product_id="CFQ7TTC0H9MP",
                offer_id=OFFER,
                pool_id=POOL,
                purchaser_id=CHRIS,
                when="now",
                reason="too_expensive",
                feedback=FEEDBACK.ref,
                licenses=3,
                cancelled_at=WITHIN_THE_WEEK,
                ended_on=date(2025, 2, 3),
                credit_note_ids=(A_CREDIT_NOTE,),
            )
        )
        .leaving(life="disabled", recurring_billing=False, ends_next_on=date(2025, 5, 4))  # 90 days after the end
    )


def test_the_last_microsecond_of_the_window_is_in_time() -> None:
    Scenario(Subscription).given(A_SUBSCRIPTION).when(cancelled_now(THE_LAST_INSTANT)).then_told(event(Cancelled))


def test_seven_times_24_hours_are_too_late() -> None:
    (
        Scenario(Subscription)
        .given(A_SUBSCRIPTION)
        .when(cancelled_now(A_WEEK_LATER, removable_now=2))
        .then_refused(
            CancellationWindowPassed, until=A_WEEK_LATER.isoformat(), removable_now=2, ends_on=LAST_DAY.isoformat()
        )
    )


def test_a_schedule_is_dropped_with_an_event_of_its_own() -> None:
    (
        Scenario(Subscription)
        .given(A_SUBSCRIPTION, two_scheduled)
        .when(cancelled_now())
        .then_told(
            event(Withdrawn, product_id="CFQ7TTC0H9MP", total=2, takes_effect_on=TERM_END, reason="cancelled"),
            event(Cancelled),
        )
        .leaving(scheduled_total=None)
    )


def test_a_cancellation_at_term_end_does_not_hinder_one_now() -> None:
    (
        Scenario(Subscription)
        .given(A_SUBSCRIPTION, cancelled_at_term_end(THE_SAME_DAY))
        .when(cancelled_now())
        .then_told(event(Cancelled, when="now"))
        .leaving(cancellation_scheduled=False)
    )


@pytest.mark.parametrize(
    "ask",
    [
        cancelled_now(),
        cancelled_at_term_end(),
        two_scheduled,
        recurring_on,
        recurring_off,
    ],
)
def test_what_is_cancelled_stays_so(ask: Callable[[Subscription], None]) -> None:
    (
        Scenario(Subscription)
        .given(A_SUBSCRIPTION, cancelled_now())
        .when(ask)
        .then_refused(SubscriptionNotActive, state="disabled")
    )


# At term end.


def test_cancelling_at_term_end_turns_recurring_billing_off() -> None:
    (
        Scenario(Subscription)
        .given(A_SUBSCRIPTION)
        .when(cancelled_at_term_end())
        .then_told(
            event(Off, reason="cancellation_scheduled", ends_on=LAST_DAY),
            event(
                CancellationScheduled,
                product_id="CFQ7TTC0H9MP",
                purchaser_id=CHRIS,
                reason="project_ended",
                feedback=FEEDBACK.ref,
                ends_on=LAST_DAY,
                still_owed_minor=0,
                currency="USD",
            ),
        )
        .leaving(life="active", recurring_billing=False, cancellation_scheduled=True)
    )


def test_what_is_still_owed_of_a_year_is_said() -> None:
    """Cancelled in the first month: eleven months of three licenses at 14.00 are still to come."""
    (
        Scenario(Subscription)
        .given(A_SUBSCRIPTION_FOR_A_YEAR)
        .when(cancelled_at_term_end())
        .then_told(event(Off), event(CancellationScheduled, still_owed_minor=46_200, ends_on=date(2026, 1, 30)))
    )


def test_scheduled_licenses_are_dropped_with_an_event_of_their_own() -> None:
    (
        Scenario(Subscription)
        .given(A_SUBSCRIPTION, two_scheduled)
        .when(cancelled_at_term_end())
        .then_told(event(Withdrawn, total=2, reason="cancelled"), event(Off), event(CancellationScheduled))
        .leaving(scheduled_total=None)
    )


def test_recurring_billing_that_is_off_is_not_turned_off_again() -> None:
    (
        Scenario(Subscription)
        .given(A_SUBSCRIPTION, recurring_off)
        .when(cancelled_at_term_end())
        .then_told(event(CancellationScheduled))
    )


def test_cancelling_at_term_end_again_tells_nothing() -> None:
    (
        Scenario(Subscription)
        .given(A_SUBSCRIPTION, cancelled_at_term_end())
        .when(cancelled_at_term_end(reason="other"))
        .then_told_nothing()
    )


def test_nothing_can_be_scheduled_for_a_renewal_that_will_not_be() -> None:
    (
        Scenario(Subscription)
        .given(A_SUBSCRIPTION, cancelled_at_term_end())
        .when(two_scheduled)
        .then_refused(RecurringBillingOff)
    )


@pytest.mark.parametrize("reason", get_args(CancelReason))
def test_every_reason_is_kept(reason: CancelReason) -> None:
    (
        Scenario(Subscription)
        .given(A_SUBSCRIPTION)
        .when(cancelled_at_term_end(reason=reason))
        .then_told(event(Off), event(CancellationScheduled, reason=reason))
    )


def test_feedback_is_optional() -> None:
    (
        Scenario(Subscription)
        .given(A_SUBSCRIPTION)
        .when(cancelled_now(feedback=None))
        .then_told(event(Cancelled, feedback=None))
    )


# Withdrawing it.


@pytest.mark.parametrize("ask", [withdrawn, recurring_on])
def test_a_cancellation_at_term_end_can_be_withdrawn(ask: Callable[[Subscription], None]) -> None:
    (
        Scenario(Subscription)
        .given(A_SUBSCRIPTION, cancelled_at_term_end())
        .when(ask)
        .then_told(
            event(Subscription.CancellationWithdrawn, product_id="CFQ7TTC0H9MP"),
            event(On, renews_on=TERM_END),
        )
        .leaving(recurring_billing=True, cancellation_scheduled=False, life="active")
    )


def test_a_withdrawal_does_not_turn_on_what_was_off_before() -> None:
    (
        Scenario(Subscription)
        .given(A_SUBSCRIPTION, lambda subscription: subscription.turn_recurring_billing_off(), cancelled_at_term_end())
        .when(withdrawn)
        .then_told(event(Subscription.CancellationWithdrawn))
        .leaving(recurring_billing=False, cancellation_scheduled=False)
    )


def test_withdrawing_no_cancellation_tells_nothing() -> None:
    Scenario(Subscription).given(A_SUBSCRIPTION).when(withdrawn).then_told_nothing()


def test_withdrawing_what_has_ended_tells_nothing() -> None:
    Scenario(Subscription).given(A_SUBSCRIPTION, cancelled_now()).when(withdrawn).then_told_nothing()
