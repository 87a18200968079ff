"""What an offer costs and when, and whether it is on sale: `domain.offer`."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest

from domain.offer import Offer, PriceFacts, PriceVersion
from domain.refusals import EffectiveDateTooEarly, OfferNotOnSale, PlanLongerThanTerm, PriceVersionExists
from tests.examples import AN_OFFER, NEXT_WEEK, OFFER, POWER_BI_PRO, POWER_BI_PRO_TERMS, TODAY, TOMORROW
from tests.scenario import Scenario, event

Scheduled, PriceWithdrawn = Offer.PriceVersionScheduled, Offer.PriceVersionWithdrawn
YESTERDAY = TODAY - timedelta(days=1)


def priced(unit_price_minor: int, effective_on: date, today: date = TODAY) -> Callable[[Offer], None]:
    return lambda offer: offer.schedule_price(unit_price_minor, effective_on=effective_on, today=today)


def price_withdrawn(effective_on: date, today: date = TODAY) -> Callable[[Offer], None]:
    return lambda offer: offer.withdraw_price(effective_on=effective_on, today=today)


def withdrawn(withdrawn_on: date, today: date = TODAY) -> Callable[[Offer], None]:
    return lambda offer: offer.withdraw(withdrawn_on=withdrawn_on, today=today)


def revoked(today: date) -> Callable[[Offer], None]:
    return lambda offer: offer.revoke_withdrawal(today=today)


def version(number: int, unit_price_minor: int, effective_on: date) -> PriceVersion:
    return PriceVersion(number=number, unit_price_minor=unit_price_minor, effective_on=effective_on)


# Publishing.


def test_an_offer_is_published_with_a_price_from_today_on() -> None:
    (
        Scenario(Offer)
        .when_born(AN_OFFER)
        .then_told(event(Offer.OfferPublished, terms=POWER_BI_PRO_TERMS, first_price=version(1, 1400, TODAY)))
        .leaving(withdrawn_on=None)
    )


def test_a_plan_longer_than_the_term_is_refused() -> None:
    terms = POWER_BI_PRO_TERMS.model_copy(update={"plan": "annual"})
    (
        Scenario(Offer)
        .when_born(lambda: Offer.publish(terms, 16_800, id=OFFER, today=TODAY))
        .then_refused(PlanLongerThanTerm, plan="annual", term="P1M")
    )


# Prices.


def test_a_price_takes_effect_from_tomorrow_on() -> None:
    (
        Scenario(Offer)
        .given(AN_OFFER)
        .when(priced(1500, TOMORROW))
        .then_told(event(Scheduled, price=version(2, 1500, TOMORROW)))
    )


@pytest.mark.parametrize("day", [TODAY, YESTERDAY])
def test_a_price_of_today_or_before_is_refused(day: date) -> None:
    (
        Scenario(Offer)
        .given(AN_OFFER)
        .when(priced(1500, day))
        .then_refused(EffectiveDateTooEarly, effective_on=day.isoformat(), today=TODAY.isoformat())
    )


@pytest.mark.parametrize("today", [TODAY, NEXT_WEEK])
def test_the_same_price_for_the_same_day_tells_nothing(today: date) -> None:
    (Scenario(Offer).given(AN_OFFER, priced(1500, TOMORROW)).when(priced(1500, TOMORROW, today)).then_told_nothing())


def test_a_second_price_for_the_same_day_is_refused() -> None:
    (
        Scenario(Offer)
        .given(AN_OFFER, priced(1500, TOMORROW))
        .when(priced(1600, TOMORROW))
        .then_refused(PriceVersionExists, effective_on=TOMORROW.isoformat())
    )


def test_a_second_price_for_a_day_gone_by_is_too_late() -> None:
    (
        Scenario(Offer)
        .given(AN_OFFER, priced(1500, TOMORROW))
        .when(priced(1600, TOMORROW, today=NEXT_WEEK))
        .then_refused(EffectiveDateTooEarly)
    )


def test_a_price_can_be_withdrawn_before_it_takes_effect() -> None:
    (
        Scenario(Offer)
        .given(AN_OFFER, priced(1500, TOMORROW))
        .when(price_withdrawn(TOMORROW))
        .then_told(event(PriceWithdrawn, price=version(2, 1500, TOMORROW)))
    )


@pytest.mark.parametrize("day", [TODAY, TOMORROW])
def test_a_price_in_effect_cannot_be_withdrawn(day: date) -> None:
    (
        Scenario(Offer)
        .given(AN_OFFER, priced(1500, TOMORROW))
        .when(price_withdrawn(day, today=TOMORROW))
        .then_refused(EffectiveDateTooEarly, effective_on=day.isoformat())
    )


def test_a_price_withdrawn_again_tells_nothing() -> None:
    (
        Scenario(Offer)
        .given(AN_OFFER, priced(1500, TOMORROW), price_withdrawn(TOMORROW))
        .when(price_withdrawn(TOMORROW))
        .then_told_nothing()
    )


def test_the_number_of_a_withdrawn_price_is_never_used_again() -> None:
    (
        Scenario(Offer)
        .given(AN_OFFER, priced(1500, TOMORROW), price_withdrawn(TOMORROW))
        .when(priced(1600, TOMORROW))
        .then_told(event(Scheduled, price=version(3, 1600, TOMORROW)))
    )


# The price of a term.


def test_a_term_has_the_price_that_is_valid_at_its_start() -> None:
    offer = AN_OFFER()
    priced(1600, NEXT_WEEK)(offer)
    priced(1500, TOMORROW)(offer)  # scheduled later, effective earlier
    assert [offer.price_on(day).unit_price_minor for day in (TODAY, TOMORROW, date(2025, 2, 6), NEXT_WEEK)] == [
        1400,
        1500,
        1500,
        1600,
    ]
    assert [offer.price_on(day).price_version for day in (TODAY, TOMORROW, NEXT_WEEK)] == [1, 3, 2]


def test_price_facts_carry_all_that_a_charge_needs() -> None:
    assert AN_OFFER().price_on(TODAY) == POWER_BI_PRO
    assert set(PriceFacts.model_fields) == {
        "offer_id",
        "product_id",
        "term",
        "plan",
        "currency",
        "currency_exponent",
        "unit_price_minor",
        "price_version",
        "maximum",
        "rule",
    }


def test_before_its_first_price_an_offer_is_not_on_sale() -> None:
    (
        Scenario(Offer)
        .given(AN_OFFER)
        .when(lambda offer: offer.price_on(YESTERDAY))
        .then_refused(OfferNotOnSale, offer_id=str(OFFER))
    )


# Withdrawing the offer.


def test_an_offer_is_withdrawn_from_a_day_after_today_on() -> None:
    (
        Scenario(Offer)
        .given(AN_OFFER)
        .when(withdrawn(TOMORROW))
        .then_told(event(Offer.OfferWithdrawn, withdrawn_on=TOMORROW))
    )


def test_an_offer_cannot_be_withdrawn_from_today_on() -> None:
    Scenario(Offer).given(AN_OFFER).when(withdrawn(TODAY)).then_refused(EffectiveDateTooEarly)


@pytest.mark.parametrize("today", [TODAY, NEXT_WEEK])
def test_an_offer_withdrawn_again_for_the_same_day_tells_nothing(today: date) -> None:
    Scenario(Offer).given(AN_OFFER, withdrawn(TOMORROW)).when(withdrawn(TOMORROW, today)).then_told_nothing()


def test_the_day_of_a_withdrawal_can_be_moved_before_it_takes_effect() -> None:
    (
        Scenario(Offer)
        .given(AN_OFFER, withdrawn(TOMORROW))
        .when(withdrawn(NEXT_WEEK))
        .then_told(event(Offer.OfferWithdrawn, withdrawn_on=NEXT_WEEK, withdrawn_on_before=TOMORROW))
        .leaving(withdrawn_on=NEXT_WEEK)
    )


def test_the_day_of_a_withdrawal_in_effect_cannot_be_moved() -> None:
    (
        Scenario(Offer)
        .given(AN_OFFER, withdrawn(TOMORROW))
        .when(withdrawn(NEXT_WEEK, today=TOMORROW))
        .then_refused(EffectiveDateTooEarly)
    )


def test_a_withdrawn_offer_has_no_price_from_that_day_on() -> None:
    offer = AN_OFFER()
    withdrawn(TOMORROW)(offer)
    assert offer.price_on(TODAY) == POWER_BI_PRO
    with pytest.raises(OfferNotOnSale):
        offer.price_on(TOMORROW)


def test_a_withdrawal_can_be_revoked_before_it_takes_effect() -> None:
    (
        Scenario(Offer)
        .given(AN_OFFER, withdrawn(TOMORROW))
        .when(revoked(TODAY))
        .then_told(event(Offer.OfferWithdrawalRevoked, withdrawn_on=TOMORROW))
        .leaving(withdrawn_on=None)
    )


def test_a_withdrawal_in_effect_cannot_be_revoked() -> None:
    Scenario(Offer).given(AN_OFFER, withdrawn(TOMORROW)).when(revoked(TOMORROW)).then_refused(EffectiveDateTooEarly)


def test_revoking_no_withdrawal_tells_nothing() -> None:
    Scenario(Offer).given(AN_OFFER).when(revoked(TODAY)).then_told_nothing()
