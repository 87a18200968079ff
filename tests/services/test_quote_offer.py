from datetime import date, timedelta
from typing import get_args
from uuid import uuid4

import pytest

from domain.calendar import Period
from domain.envelope import Role
from domain.refusals import NotAllowed, NotFound, OfferNotOnSale, TooManyLicenses
from services.command import Actor
from services.ledger import Ledger, offer_id_of
from services.quote_offer import QuoteOffer, quote_offer
from services.schedule_price import SchedulePrice
from services.withdraw_offer import WithdrawOffer
from tests.examples import TOMORROW, an_id
from tests.services.contoso import MONTHLY, PAID_YEARLY, Clock, Contoso

SOMEBODY = Actor(id=an_id(9), role="purchaser")


def a_quote(offer_id: object = None, licenses: int = 100, actor: Actor = SOMEBODY) -> QuoteOffer:
    return QuoteOffer.model_validate(
        {"actor": actor, "offer_id": offer_id or offer_id_of(MONTHLY), "licenses": licenses}
    )


def test_it_is_what_a_purchase_carries(contoso: Contoso) -> None:
    quote = quote_offer(contoso.ledger, a_quote())
    bought = contoso.subscription(contoso.buys(licenses=100))
    assert (quote.price, quote.anchor, quote.term) == (bought.price, bought.anchor, bought.term)
    assert quote.amount_minor == 140_000


def test_the_amount_is_that_of_a_billing_period(ledger: Ledger) -> None:
    quote = quote_offer(ledger, a_quote(offer_id_of(PAID_YEARLY), 3))
    assert quote.amount_minor == 3 * 16_800
    assert quote.term == Period(start=date(2025, 1, 31), end=date(2026, 1, 31))


def test_it_records_nothing(catalog: Contoso) -> None:
    before = catalog.history()
    quote_offer(catalog.ledger, a_quote())
    assert catalog.history() == before


def test_the_price_is_that_of_the_day(catalog: Contoso, clock: Clock) -> None:
    offer_id = offer_id_of(catalog.lists())
    catalog.run(catalog.in_catalog(SchedulePrice, offer_id=offer_id, effective_on=TOMORROW, unit_price_minor=1_500))
    assert quote_offer(catalog.ledger, a_quote(offer_id)).amount_minor == 140_000
    clock.now += timedelta(days=1)
    assert quote_offer(catalog.ledger, a_quote(offer_id)).amount_minor == 150_000


def test_what_cannot_be_bought_has_no_quote(catalog: Contoso, clock: Clock) -> None:
    offer_id = offer_id_of(catalog.lists())
    with pytest.raises(TooManyLicenses):
        quote_offer(catalog.ledger, a_quote(offer_id, 301))
    with pytest.raises(NotFound):
        quote_offer(catalog.ledger, a_quote(uuid4()))
    catalog.run(catalog.in_catalog(WithdrawOffer, offer_id=offer_id, withdrawn_on=TOMORROW))
    clock.now += timedelta(days=1)
    with pytest.raises(OfferNotOnSale):
        quote_offer(catalog.ledger, a_quote(offer_id))


@pytest.mark.parametrize("role", get_args(Role))
def test_who_may_see_prices(ledger: Ledger, role: Role) -> None:
    query = a_quote(actor=Actor(id=an_id(9), role=role))
    if role == "billing_reader":
        with pytest.raises(NotAllowed):
            quote_offer(ledger, query)
    else:
        quote_offer(ledger, query)
