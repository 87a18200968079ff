"""Prices as purchases and renewals meet them. What an offer costs on a day cannot change on that day."""

from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any
from uuid import uuid4

import pytest

from domain.offer import Offer
from domain.refusals import NotFound, OfferNotOnSale
from services.buy_subscription import BuySubscription
from services.ledger import offer_id_of
from services.price_list import PriceList
from services.schedule_price import SchedulePrice
from services.withdraw_offer import WithdrawOffer
from tests.examples import TODAY, TOMORROW
from tests.services.contoso import Clock, Contoso
from tests.services.questions import just_before_the_save


@pytest.fixture
def contoso(contoso: Contoso) -> Contoso:
    """Melissa can pay."""
    contoso.can_pay(contoso.melissa)
    return contoso


def a_purchase(contoso: Contoso, **content: Any) -> BuySubscription:
    return contoso.command(BuySubscription, contoso.buyer, **{"licenses": 100, **content})


def test_the_price_is_that_of_the_day(contoso: Contoso, clock: Clock) -> None:
    offer_id = offer_id_of(contoso.lists())
    contoso.run(contoso.in_catalog(SchedulePrice, offer_id=offer_id, effective_on=TOMORROW, unit_price_minor=1_500))
    for at, price in ((clock.now, (1_400, 1)), (datetime(2025, 2, 1, 0, 0, tzinfo=UTC), (1_500, 2))):
        clock.now = at
        buying = a_purchase(contoso, offer_id=offer_id)
        contoso.run(buying)
        facts = contoso.subscription(buying.subscription_id).price
        assert (facts.unit_price_minor, facts.price_version) == price


def test_a_price_scheduled_meanwhile_is_for_later_days(contoso: Contoso) -> None:
    offer_id = offer_id_of(contoso.lists())
    price = contoso.in_catalog(SchedulePrice, offer_id=offer_id, effective_on=TOMORROW, unit_price_minor=1_500)
    buying = a_purchase(contoso, offer_id=offer_id)
    with just_before_the_save(contoso.ledger, partial(contoso.run, price)) as attempts:
        contoso.run(buying)
    assert len(attempts) == 1
    assert contoso.subscription(buying.subscription_id).price.unit_price_minor == 1_400


def test_a_withdrawn_offer_is_not_sold_from_its_day_on(contoso: Contoso, clock: Clock) -> None:
    offer_id = offer_id_of(contoso.lists())
    contoso.run(contoso.in_catalog(WithdrawOffer, offer_id=offer_id, withdrawn_on=TOMORROW))
    contoso.run(a_purchase(contoso, offer_id=offer_id))
    clock.now += timedelta(days=1)
    with contoso.refuses(OfferNotOnSale, why="it is withdrawn from 2025-02-01 on"):
        contoso.run(a_purchase(contoso, offer_id=offer_id))


def test_a_day_that_has_come_is_looked_up_once(contoso: Contoso, clock: Clock) -> None:
    offer_id = offer_id_of(contoso.lists())
    looked_up: list[Any] = []

    def offer_of(one: Any) -> Offer:
        looked_up.append(one)
        return contoso.ledger.offer(one)

    prices = PriceList(offer_of, clock)
    for _ in range(3):
        assert prices.price_for(offer_id, TODAY).unit_price_minor == 1_400
    assert len(looked_up) == 1
    contoso.run(contoso.in_catalog(SchedulePrice, offer_id=offer_id, effective_on=TOMORROW, unit_price_minor=1_500))
    for _ in range(3):
        assert prices.price_for(offer_id, TOMORROW).unit_price_minor == 1_500
    assert len(looked_up) == 4  # what a day to come costs may change


def test_a_price_of_a_day_to_come_is_never_kept(contoso: Contoso, clock: Clock) -> None:
    """Simulated organizations live ahead of the clock, of which the catalog knows nothing."""
    offer_id, later = offer_id_of(contoso.lists()), date(2025, 3, 31)
    prices = PriceList(contoso.ledger.offer, clock)
    assert prices.price_for(offer_id, later).price_version == 1
    contoso.run(contoso.in_catalog(SchedulePrice, offer_id=offer_id, effective_on=TOMORROW, unit_price_minor=1_500))
    assert prices.price_for(offer_id, later).price_version == 2


def test_where_nothing_is_on_sale_there_is_no_price(contoso: Contoso, clock: Clock) -> None:
    offer_id = offer_id_of(contoso.lists())
    contoso.run(contoso.in_catalog(WithdrawOffer, offer_id=offer_id, withdrawn_on=TOMORROW))
    prices = PriceList(contoso.ledger.offer, clock)
    assert prices.price_on(offer_id, TODAY) is not None
    assert prices.price_on(offer_id, TOMORROW) is None
    with pytest.raises(OfferNotOnSale):
        prices.price_for(offer_id, TOMORROW)
    with pytest.raises(NotFound):
        prices.price_on(uuid4(), TODAY)
