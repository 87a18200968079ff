from datetime import date
from typing import Any

from domain.license_pool import LicensePool
from domain.subscription import Subscription
from projections.purchases import PURCHASES, Purchases
from tests.examples import (
    A_SUBSCRIPTION,
    BEN,
    CHRIS,
    DAVID,
    FEEDBACK,
    OFFER,
    POOL,
    POWER_BI_PRO,
    PURCHASED_AT,
    SUBSCRIPTION,
    THE_SAME_DAY,
    a_pool_of,
    candidates,
)
from tests.projections.histories import CONTOSO_ID, History, ReadModel


def purchase_after(*told: Subscription | LicensePool) -> Any:
    history = History()
    history.tell(*told, at=THE_SAME_DAY)
    return ReadModel(Purchases()).fold(history.events).one(PURCHASES, SUBSCRIPTION)


def test_a_purchase_shows_what_was_bought_until_when_and_for_how_much() -> None:
    row = purchase_after(A_SUBSCRIPTION())
    assert row == PURCHASES.row(
        organization_id=CONTOSO_ID,
        subscription_id=SUBSCRIPTION,
        pool_id=POOL,
        purchaser_id=CHRIS,
        channel="self_service",
        product_id="CFQ7TTC0H9MP",
        product_name="Power BI Pro",
        offer_id=OFFER,
        state="active",
        purchased_at=PURCHASED_AT,
        term_start=date(2025, 1, 31),
        term_end=date(2025, 2, 28),
        ends_on=date(2025, 2, 27),
        recurring_billing=True,
        cancellation_scheduled=False,
        cancel_reason=None,
        scheduled_total=None,
        term="P1M",
        plan="monthly",
        currency="USD",
        currency_exponent=2,
        unit_price_minor=1400,
        purchase_price_minor=4200,
        licenses_total=3,
        licenses_assigned=0,
        billing_profile_id=None,
        last_position=10,
    )


def test_the_total_and_the_assigned_licenses_follow_the_pool() -> None:
    pool = a_pool_of(3)()
    pool.assign(candidates(CHRIS, BEN, DAVID))
    pool.unassign([BEN])
    pool.resize(5, POWER_BI_PRO, THE_SAME_DAY)
    row = purchase_after(A_SUBSCRIPTION(), pool)
    assert (row.licenses_total, row.licenses_assigned) == (5, 2)
    assert row.purchase_price_minor == 4200  # what was bought at first


def test_a_scheduled_total_shows_until_it_is_withdrawn() -> None:
    subscription = A_SUBSCRIPTION()
    subscription.schedule_licenses(2)
    assert purchase_after(subscription).scheduled_total == 2
    subscription = A_SUBSCRIPTION()
    subscription.schedule_licenses(2)
    subscription.withdraw_scheduled_licenses()
    assert purchase_after(subscription).scheduled_total is None


def test_a_cancellation_at_term_end_shows_with_its_reason_and_can_be_withdrawn() -> None:
    subscription = A_SUBSCRIPTION()
    subscription.cancel_at_term_end(reason="too_expensive", feedback=FEEDBACK.ref, licenses=3, at=THE_SAME_DAY)
    row = purchase_after(subscription)
    assert (row.cancellation_scheduled, row.cancel_reason, row.recurring_billing) == (True, "too_expensive", False)
    assert (row.state, row.ends_on) == ("active", date(2025, 2, 27))
    subscription = A_SUBSCRIPTION()
    subscription.cancel_at_term_end(reason="too_expensive", feedback=None, licenses=3, at=THE_SAME_DAY)
    subscription.withdraw_cancellation()
    row = purchase_after(subscription)
    assert (row.cancellation_scheduled, row.cancel_reason, row.recurring_billing) == (False, None, True)


def test_a_cancelled_purchase_is_disabled_ends_that_day_and_gives_no_licenses() -> None:
    subscription, pool = A_SUBSCRIPTION(), a_pool_of(3)()
    pool.assign(candidates(CHRIS, BEN))
    subscription.cancel_now(reason="bought_by_mistake", feedback=None, licenses=3, removable_now=3, at=THE_SAME_DAY)
    pool.close("cancelled")
    row = purchase_after(subscription, pool)
    assert (row.state, row.ends_on, row.licenses_assigned) == ("disabled", date(2025, 1, 31), 0)
    assert (row.recurring_billing, row.cancel_reason) == (False, "bought_by_mistake")
