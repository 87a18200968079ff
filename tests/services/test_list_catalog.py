from datetime import timedelta

import pytest

from domain.product import ProductFacts
from domain.refusals import MemberNotActive, NotAllowed, NotFound
from services.command import Actor
from services.import_catalog import ImportCatalog
from services.ledger import Ledger, offer_id_of
from services.list_catalog import Catalog, ProductListed, SeePrices, list_catalog, may_see_prices
from services.schedule_price import SchedulePrice
from services.withdraw_offer import WithdrawOffer
from tests.examples import A_STRANGER, TODAY, TOMORROW
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


def test_who_sees_prices_belongs_to_an_organization_or_to_the_house(contoso: Contoso) -> None:
    def looks(actor: Actor) -> None:
        may_see_prices(contoso.ledger, SeePrices(organization_id=contoso.organization_id, actor=actor))

    looks(contoso.by("purchaser"))
    looks(contoso.admin)
    looks(OPERATOR)
    with pytest.raises(NotAllowed):
        looks(contoso.by("billing_reader"))
    with pytest.raises(NotFound):
        looks(Actor(id=A_STRANGER, role="purchaser"))
    contoso.removes(contoso.ben)
    with pytest.raises(MemberNotActive):
        looks(contoso.purchaser(contoso.ben))


def test_the_kept_catalog_is_always_that_of_history(catalog: Contoso) -> None:
    kept = Catalog(catalog.ledger)

    def same() -> None:
        for day in (TODAY, TOMORROW, TODAY):
            assert kept.listed(day) == list_catalog(catalog.ledger, OPERATOR, day)

    same()
    product = a_product()
    offer = an_offer(product)
    offer_id = offer_id_of(offer.terms)
    catalog.run(catalog.in_catalog(ImportCatalog, products=(product,), offers=(offer,)))
    same()
    product = product.model_copy(update={"name": "Power BI Pro, described anew"})
    for command in (
        catalog.in_catalog(ImportCatalog, products=(product,), offers=()),
        catalog.in_catalog(SchedulePrice, offer_id=offer_id, effective_on=TOMORROW, unit_price_minor=1_500),
        catalog.in_catalog(WithdrawOffer, offer_id=offer_id, withdrawn_on=TOMORROW),
    ):
        catalog.run(command)
        same()
    of_product, found = kept.offer(offer_id, TODAY)
    assert (of_product.product, found.withdrawn_on) == (product, TOMORROW)
    with pytest.raises(NotFound, match="no offer"):
        kept.offer(A_STRANGER, TODAY)


def test_a_look_at_what_has_not_changed_reads_no_history_again(catalog: Contoso) -> None:
    kept = Catalog(catalog.ledger)
    assert kept.listed(TODAY) is kept.listed(TODAY)
    for days in range(20):
        kept.listed(TODAY + timedelta(days=days))
    assert len(kept._listed) <= 8
