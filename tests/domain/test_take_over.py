"""Who takes over a subscription, and what takes its place: `domain.subscription`."""

from collections.abc import Callable
from datetime import date
from typing import get_args

import pytest

from domain.refusals import InvoicePastDue, NothingToReactivate
from domain.subscription import Subscription, TakeOverReason
from tests.domain.subscription_facts import (
    ANOTHER_SUBSCRIPTION,
    BENS_PROFILE,
    OF_CHRIS,
    adopted,
    cancelled_now,
    deleted,
    disabled,
    expired,
    past_due,
    reactivated,
    recurring_off,
    scheduled,
)
from tests.examples import (
    A_SUBSCRIPTION,
    A_SUBSCRIPTION_FOR_A_YEAR,
    BEN,
    BILLING_PROFILE,
    CHRIS,
    INVOICE,
    POWER_BI_PRO_FOR_A_YEAR,
    SUBSCRIPTION,
    buying,
)
from tests.scenario import Scenario, event

Reactivated, Adopted = Subscription.SubscriptionReactivated, Subscription.SubscriptionAdopted
Withdrawn = Subscription.LicenseChangeWithdrawn
Deed = Callable[[Subscription], None]

# Reactivation.


@pytest.mark.parametrize("given", [(expired,), (disabled(),), (cancelled_now,)])
def test_a_new_one_takes_the_place_of_what_expired_or_is_disabled(given: tuple[Deed, ...]) -> None:
    (
        Scenario(Subscription)
        .given(A_SUBSCRIPTION, *given)
        .when(reactivated)
        .then_told(event(Reactivated, **OF_CHRIS, replaced_by_id=ANOTHER_SUBSCRIPTION))
        .leaving(replaced_by_id=ANOTHER_SUBSCRIPTION)
    )


@pytest.mark.parametrize(
    ("given", "state", "reactivated_as"),
    [
        ((), "active", None),
        ((past_due(),), "in_grace", None),
        ((disabled(), deleted), "deleted", None),
        ((expired, reactivated), "expired", str(ANOTHER_SUBSCRIPTION)),
    ],
)
def test_only_an_ended_one_is_reactivated_and_once(
    given: tuple[Deed, ...], state: str, reactivated_as: str | None
) -> None:
    (
        Scenario(Subscription)
        .given(A_SUBSCRIPTION, *given)
        .when(reactivated)
        .then_refused(
            NothingToReactivate, subscription_id=str(SUBSCRIPTION), state=state, reactivated_as=reactivated_as
        )
    )


def test_the_new_one_names_the_old_one() -> None:
    (
        Scenario(Subscription)
        .when_born(buying(id=ANOTHER_SUBSCRIPTION, replaces_id=SUBSCRIPTION))
        .then_told(event(Subscription.SubscriptionPurchased, replaces_id=SUBSCRIPTION))
    )


# Take-over.


@pytest.mark.parametrize("reason", get_args(TakeOverReason))
def test_an_admin_adopts_it(reason: TakeOverReason) -> None:
    (
        Scenario(Subscription)
        .given(A_SUBSCRIPTION)
        .when(adopted(reason))
        .then_told(
            event(
                Adopted,
                product_id="CFQ7TTC0H9MP",
                purchaser_id=BEN,
                purchaser_id_before=CHRIS,
                billing_profile_id=BENS_PROFILE,
                billing_profile_id_before=BILLING_PROFILE,
                channel="central",
                reason=reason,
            )
        )
        .leaving(purchaser_id=BEN, billing_profile_id=BENS_PROFILE, channel="central")
    )


def test_adopting_again_tells_nothing() -> None:
    Scenario(Subscription).given(A_SUBSCRIPTION, adopted()).when(adopted("other")).then_told_nothing()


def test_what_is_past_due_is_paid_before_it_is_adopted() -> None:
    (
        Scenario(Subscription)
        .given(A_SUBSCRIPTION, past_due())
        .when(adopted())
        .then_refused(InvoicePastDue, invoice_ids=[str(INVOICE)])
    )


@pytest.mark.parametrize("given", [(expired,), (disabled(),)])
def test_what_has_ended_can_be_adopted_and_then_reactivated(given: tuple[Deed, ...]) -> None:
    Scenario(Subscription).given(A_SUBSCRIPTION, *given).when(adopted()).leaving(channel="central", purchaser_id=BEN)


def test_recurring_billing_of_who_left_goes_off_with_that_reason() -> None:
    (
        Scenario(Subscription)
        .given(A_SUBSCRIPTION_FOR_A_YEAR, scheduled(2))
        .when(recurring_off)
        .then_told(
            event(Withdrawn, total=2, reason="recurring_billing_off"),
            event(Subscription.RecurringBillingTurnedOff, reason="purchaser_left", ends_on=date(2026, 1, 30)),
        )
        .leaving(price=POWER_BI_PRO_FOR_A_YEAR, life="active")
    )
