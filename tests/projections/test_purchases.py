from datetime import date
from typing import Any

from domain.license_pool import LicensePool
from domain.subscription import Subscription
from projections.purchases import PURCHASES, REMOVED_MEMBERS, Purchases
from tests.examples import (
    A_MEMBER,
    A_SUBSCRIPTION,
    ANOTHER_INVOICE,
    BEN,
    BILLING_PROFILE,
    CHRIS,
    DAVID,
    FEEDBACK,
    OFFER,
    POOL,
    POWER_BI_PRO,
    PURCHASED_AT,
    SUBSCRIPTION,
    THE_NEXT_CYCLE,
    THE_SAME_DAY,
    a_pool_of,
    an_id,
    candidates,
    resized_to,
)
from tests.projections.histories import CONTOSO_ID, History, ReadModel

PRICE_2 = {"unit_price_minor": 1_500, "price_version": 2}


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
        billing_profile_id=BILLING_PROFILE,
        replaces_id=None,
        replaced_by_id=None,
        charged_until=None,  # its pool tells
        last_position=10,
        subscription_version=1,
        pool_version=0,
    )


def test_the_total_and_the_assigned_licenses_follow_the_pool() -> None:
    pool = a_pool_of(3)()
    pool.assign(candidates(CHRIS, BEN, DAVID))
    pool.unassign([BEN])
    resized_to(5, THE_SAME_DAY)(pool)
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
    subscription.cancel(
        when="now", reason="bought_by_mistake", feedback=None, licenses=3, credit_note_ids=(), at=THE_SAME_DAY
    )
    pool.close("cancelled")
    row = purchase_after(subscription, pool)
    assert (row.state, row.ends_on, row.licenses_assigned) == ("disabled", date(2025, 1, 31), 0)
    assert (row.recurring_billing, row.cancel_reason) == (False, "bought_by_mistake")


def test_a_renewal_shows_the_new_term_its_price_and_the_licenses_that_were_scheduled() -> None:
    subscription, pool, dearer = A_SUBSCRIPTION(), a_pool_of(3)(), POWER_BI_PRO.model_copy(update=PRICE_2)
    subscription.schedule_licenses(2)
    renewal: dict[str, Any] = {"invoice_id": ANOTHER_INVOICE, "at": THE_SAME_DAY}
    pool.renew(2, dearer, line=1, cycle=THE_NEXT_CYCLE, term=THE_NEXT_CYCLE, **renewal)
    subscription.renew(dearer, licenses=2, licenses_before=3, **renewal)
    row = purchase_after(subscription, pool)
    assert (row.term_start, row.term_end, row.ends_on) == (date(2025, 2, 28), date(2025, 3, 31), date(2025, 3, 30))
    assert (row.licenses_total, row.scheduled_total, row.unit_price_minor) == (2, None, 1_500)
    assert row.charged_until == date(2025, 3, 31)


def test_who_does_not_pay_is_in_grace_recovers_or_loses_access() -> None:
    subscription = A_SUBSCRIPTION()
    subscription.fall_past_due(ANOTHER_INVOICE)
    assert purchase_after(subscription).state == "in_grace"
    subscription = A_SUBSCRIPTION()
    subscription.fall_past_due(ANOTHER_INVOICE)
    subscription.recover(ANOTHER_INVOICE)
    assert purchase_after(subscription).state == "active"
    subscription = A_SUBSCRIPTION()
    subscription.fall_past_due(ANOTHER_INVOICE)
    subscription.disable("grace_ended", on=date(2025, 2, 20))
    row = purchase_after(subscription)
    assert (row.state, row.recurring_billing, row.ends_on) == ("disabled", False, date(2025, 2, 20))


def test_an_ended_purchase_expires_is_disabled_is_replaced_and_is_deleted() -> None:
    subscription = A_SUBSCRIPTION()
    subscription.turn_recurring_billing_off()
    subscription.expire(licenses=3, at=THE_SAME_DAY)
    history = History()

    def row() -> Any:
        history.tell(subscription)
        return ReadModel(Purchases()).fold(history.events).one(PURCHASES, SUBSCRIPTION)

    assert (row().state, row().ends_on) == ("expired", date(2025, 2, 27))
    subscription.disable("expired", on=date(2025, 3, 30))
    assert (row().state, row().ends_on) == ("disabled", date(2025, 2, 27))
    subscription.reactivate_as(an_id(99))
    assert row().replaced_by_id == an_id(99)
    subscription.delete(on=date(2025, 6, 28))
    assert row().state == "deleted"


def test_a_purchase_that_was_taken_over_is_central_and_billed_on_the_admins_profile() -> None:
    subscription = A_SUBSCRIPTION()
    subscription.adopt(purchaser_id=BEN, billing_profile_id=an_id(98), reason="purchaser_left")
    row = purchase_after(subscription)
    assert (row.purchaser_id, row.channel, row.billing_profile_id) == (BEN, "central", an_id(98))


def test_who_has_left_is_known_until_restored() -> None:
    history, member = History(), A_MEMBER()
    member.remove()
    history.tell(member)
    assert ReadModel(Purchases()).fold(history.events).one(REMOVED_MEMBERS, CHRIS)
    member.restore()
    history.tell(member)
    assert ReadModel(Purchases()).fold(history.events)[REMOVED_MEMBERS] == []
