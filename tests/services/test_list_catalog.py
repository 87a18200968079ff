from datetime import timedelta

import pytest

from domain.product import ProductFacts
from domain.refusals import NotAllowed
from services.import_catalog import ImportCatalog
from services.ledger import Ledger, offer_id_of
from services.list_catalog import ProductListed, list_catalog
from services.schedule_price import SchedulePrice
from services.withdraw_offer import WithdrawOffer
from tests.examples import TODAY, TOMORROW
from tests.services.contoso import OPERATOR, Contoso, a_product, an_offer


def listed(catalog: Contoso, product: ProductFacts, days: int = 0) -> ProductListed:
    on = TODAY + timedelta(days=days)
    (found,) = (one for one in list_catalog(catalog.ledger, OPERATOR, on) if one.product == product)
    return found


def test_each_product_with_its_offers_at_the_price_of_the_day(catalog: Contoso) -> None:
    product = a_product()
    monthly, yearly = an_offer(product), an_offer(product, term="P1Y")
    catalog.run(catalog.in_catalog(ImportCatalog, products=(product,), offers=(monthly, yearly)))
    offer_id = offer_id_of(monthly.terms)
    catalog.run(catalog.in_catalog(SchedulePrice, offer_id=offer_id, effective_on=TOMORROW, unit_price_minor=1_500))
    catalog.run(catalog.in_catalog(WithdrawOffer, offer_id=offer_id, withdrawn_on=TOMORROW + timedelta(days=1)))
    assert {offer.offer_id for offer in listed(catalog, product).offers} == {offer_id, offer_id_of(yearly.terms)}
    prices = []
    for days in range(3):
        (offer,) = (one for one in listed(catalog, product, days).offers if one.offer_id == offer_id)
        prices.append(offer.price and offer.price.unit_price_minor)
        assert len(offer.prices) == 2
    assert prices == [1_400, 1_500, None]


def test_products_without_an_offer_are_listed_by_name(catalog: Contoso) -> None:
    last, first = a_product(name="zebra"), a_product(name="Aardvark")
    catalog.run(catalog.in_catalog(ImportCatalog, products=(last, first), offers=()))
    found = [one.product for one in list_catalog(catalog.ledger, OPERATOR, TODAY)]
    assert found.index(first) < found.index(last)
    assert listed(catalog, first).offers == ()


def test_not_for_billing_readers(contoso: Contoso, ledger: Ledger) -> None:
    with pytest.raises(NotAllowed):
        list_catalog(ledger, contoso.by("billing_reader"), TODAY)
    list_catalog(ledger, contoso.by("purchaser"), TODAY)
