"""What the calendar and the card bring about: `domain.subscription`, from renewal to deletion, and who takes over."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest

from domain.calendar import Period
from domain.refusals import SubscriptionNotActive
from domain.subscription import Subscription
from tests.domain.subscription_facts import (
    DEARER,
    OF_CHRIS,
    RENEWED_AT,
    cancelled_at_term_end,
    cancelled_now,
    deleted,
    disabled,
    expired,
    past_due,
    recovered,
    recurring_off,
    renewed,
    scheduled,
)
from tests.examples import (
    A_CREDIT_NOTE,
    A_SUBSCRIPTION,
    ANOTHER_INVOICE,
    BILLING_PROFILE,
    FEEDBACK,
    INVOICE,
    OFFER,
    POOL,
    THE_NEXT_CYCLE,
)
from tests.scenario import Scenario, event

Renewed, Expired = Subscription.SubscriptionRenewed, Subscription.SubscriptionExpired
Disabled, Deleted = Subscription.SubscriptionDisabled, Subscription.SubscriptionDeleted
ChargeFailed, Recovered = Subscription.ChargeFailed, Subscription.ChargeRecovered
Cancelled, Withdrawn = Subscription.SubscriptionCancelled, Subscription.LicenseChangeWithdrawn
Deed = Callable[[Subscription], None]

# Renewal.


def test_a_renewal_starts_the_next_term_at_the_price_of_its_start() -> None:
    (
        Scenario(Subscription)
        .given(A_SUBSCRIPTION)
        .when(renewed())
        .then_told(
            event(
                Renewed,
                **OF_CHRIS,
                offer_id=OFFER,
                billing_profile_id=BILLING_PROFILE,
                licenses=3,
                licenses_before=3,
                price=DEARER,
                unit_price_minor_before=1_400,
                term_number=1,
                term=THE_NEXT_CYCLE,
                renewed_at=RENEWED_AT,
                cancellable_until=RENEWED_AT + timedelta(hours=168),
                document_id=ANOTHER_INVOICE,
            )
        )
        .leaving(price=DEARER, term_number=1, anchor=date(2025, 1, 31), life="active")
    )


def test_a_renewal_that_is_recorded_late_keeps_its_dates_and_its_window_is_recorded_time() -> None:
    late = RENEWED_AT + timedelta(days=12)
    (
        Scenario(Subscription)
        .given(A_SUBSCRIPTION)
        .when(renewed(late))
        .then_told(event(Renewed, term=THE_NEXT_CYCLE, cancellable_until=late + timedelta(hours=168)))
    )


def test_the_third_term_of_january_31_starts_on_march_31() -> None:
    (
        Scenario(Subscription)
        .given(A_SUBSCRIPTION, renewed())
        .when(renewed())
        .then_told(event(Renewed, term_number=2, term=Period(start=date(2025, 3, 31), end=date(2025, 4, 30))))
    )


def test_a_renewal_takes_the_scheduled_total_into_effect() -> None:
    (
        Scenario(Subscription)
        .given(A_SUBSCRIPTION, scheduled(2))
        .when(renewed(licenses=2))
        .then_told(event(Renewed, licenses=2, licenses_before=3))
        .leaving(scheduled_total=None)
    )


# Charges that fail.


def test_a_failed_charge_brings_into_grace() -> None:
    (
        Scenario(Subscription)
        .given(A_SUBSCRIPTION)
        .when(past_due())
        .then_told(event(ChargeFailed, **OF_CHRIS, document_id=INVOICE, state="in_grace"))
        .leaving(life="in_grace", unpaid=[INVOICE])
    )


def test_the_same_invoice_again_tells_nothing() -> None:
    Scenario(Subscription).given(A_SUBSCRIPTION, past_due()).when(past_due()).then_told_nothing()
    Scenario(Subscription).given(A_SUBSCRIPTION).when(recovered()).then_told_nothing()


def test_paying_the_only_one_recovers_and_moves_no_dates() -> None:
    before = A_SUBSCRIPTION()
    (
        Scenario(Subscription)
        .given(A_SUBSCRIPTION, past_due())
        .when(recovered())
        .then_told(event(Recovered, **OF_CHRIS, document_id=INVOICE, state="active"))
        .leaving(life="active", unpaid=[], term=before.term, cancellable_until=before.cancellable_until)
    )


def test_paying_one_of_two_leaves_it_in_grace() -> None:
    (
        Scenario(Subscription)
        .given(A_SUBSCRIPTION, past_due(), past_due(ANOTHER_INVOICE))
        .when(recovered())
        .then_told(event(Recovered, state="in_grace"))
        .leaving(life="in_grace", unpaid=[ANOTHER_INVOICE])
    )


@pytest.mark.parametrize(("end", "state"), [(expired, "expired"), (disabled(), "disabled")])
def test_what_has_ended_is_not_brought_into_grace_nor_back_by_a_payment(end: Deed, state: str) -> None:
    scenario = Scenario(Subscription).given(A_SUBSCRIPTION, end).when(past_due())
    scenario.then_told(event(ChargeFailed, state=state)).leaving(life=state)
    (
        Scenario(Subscription)
        .given(A_SUBSCRIPTION, end, past_due())
        .when(recovered())
        .then_told(event(Recovered, state=state))
        .leaving(life=state)
    )


# Endings.


def test_without_renewal_it_expires_for_30_days() -> None:
    (
        Scenario(Subscription)
        .given(A_SUBSCRIPTION, recurring_off)
        .when(expired)
        .then_told(event(Expired, **OF_CHRIS, expired_on=date(2025, 2, 28), disabled_on=date(2025, 3, 30)))
        .leaving(life="expired", ends_next_on=date(2025, 3, 30))
    )


def test_a_cancellation_at_term_end_is_told_when_it_has_ended() -> None:
    (
        Scenario(Subscription)
        .given(A_SUBSCRIPTION, cancelled_at_term_end)
        .when(expired)
        .then_told(
            event(
                Cancelled,
                **OF_CHRIS,
                offer_id=OFFER,
                pool_id=POOL,
                when="term_end",
                reason="project_ended",
                feedback=FEEDBACK.ref,
                licenses=3,
                cancelled_at=RENEWED_AT,
                ended_on=date(2025, 2, 27),
                credit_note_ids=(),
            ),
            event(Expired, expired_on=date(2025, 2, 28), disabled_on=date(2025, 3, 30)),
        )
        .leaving(life="expired", ends_next_on=date(2025, 3, 30), cancellation_scheduled=False)
    )


def test_a_cancellation_that_was_withdrawn_is_not_told_when_it_expires() -> None:
    withdrawn = Subscription.withdraw_cancellation
    (
        Scenario(Subscription)
        .given(A_SUBSCRIPTION, cancelled_at_term_end, withdrawn, recurring_off)
        .when(expired)
        .then_told(event(Expired, expired_on=date(2025, 2, 28)))
    )


@pytest.mark.parametrize("given", [(recurring_off, expired), (cancelled_at_term_end, expired)])
def test_access_ends_90_days_before_deletion(given: tuple[Deed, ...]) -> None:
    (
        Scenario(Subscription)
        .given(A_SUBSCRIPTION, *given)
        .when(disabled())
        .then_told(
            event(
                Disabled,
                **OF_CHRIS,
                reason="expired",
                disabled_on=date(2025, 3, 30),
                deleted_on=date(2025, 6, 28),
                credit_note_ids=(A_CREDIT_NOTE,),
            )
        )
        .leaving(life="disabled", ends_next_on=date(2025, 6, 28))
    )


def test_the_end_of_grace_ends_access_recurring_billing_and_what_was_scheduled() -> None:
    (
        Scenario(Subscription)
        .given(A_SUBSCRIPTION, scheduled(2), past_due())
        .when(disabled("grace_ended"))
        .then_told(event(Withdrawn, total=2, reason="recurring_billing_off"), event(Disabled, reason="grace_ended"))
        .leaving(life="disabled", recurring_billing=False, scheduled_total=None)
    )


@pytest.mark.parametrize("given", [(expired, disabled()), (cancelled_now,)])
def test_what_is_disabled_is_deleted(given: tuple[Deed, ...]) -> None:
    (
        Scenario(Subscription)
        .given(A_SUBSCRIPTION, *given)
        .when(deleted)
        .then_told(event(Deleted, **OF_CHRIS, deleted_on=date(2025, 6, 28)))
        .leaving(life="deleted", ends_next_on=None)
    )


@pytest.mark.parametrize(
    ("given", "ask"),
    [
        ((expired,), expired),
        ((past_due(),), expired),
        ((cancelled_now,), expired),
        ((cancelled_now,), disabled()),
        ((disabled(),), disabled("grace_ended")),
        ((disabled(), deleted), disabled()),
        ((), deleted),
        ((expired,), deleted),
        ((disabled(), deleted), deleted),
    ],
)
def test_a_step_that_was_taken_or_is_not_due_tells_nothing(given: tuple[Deed, ...], ask: Deed) -> None:
    Scenario(Subscription).given(A_SUBSCRIPTION, *given).when(ask).then_told_nothing()


@pytest.mark.parametrize("given", [(expired,), (cancelled_now,), (disabled(),), (disabled(), deleted)])
def test_what_has_ended_is_not_cancelled_again(given: tuple[Deed, ...]) -> None:
    Scenario(Subscription).given(A_SUBSCRIPTION, *given).when(cancelled_now).then_refused(SubscriptionNotActive)


def test_in_grace_it_can_be_cancelled() -> None:
    (
        Scenario(Subscription)
        .given(A_SUBSCRIPTION, past_due())
        .when(cancelled_now)
        .then_told(event(Cancelled, when="now", credit_note_ids=(A_CREDIT_NOTE,)))
        .leaving(life="disabled", unpaid=[INVOICE])
    )
