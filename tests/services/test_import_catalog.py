from functools import partial
from uuid import uuid4

import pytest
from pydantic import ValidationError

from domain.offer import Offer, PriceVersion
from domain.product import Product
from domain.refusals import NotFound, PlanLongerThanTerm
from services.import_catalog import ImportCatalog, OfferRow
from services.ledger import offer_id_of, product_aggregate_id
from services.ports import Receipt
from services.schedule_price import SchedulePrice
from services.withdraw_offer import WithdrawOffer
from tests.examples import TODAY, TOMORROW
from tests.scenario import event
from tests.services.contoso import OPERATOR, Contoso, a_product, an_offer
from tests.services.questions import (
    at_once,
    belongs_to_the_catalog,
    decided_twice,
    has_one_effect,
    is_done_once,
    stays_done,
    takes_an_operator,
    tells,
    tells_nothing,
)


def an_import(catalog: Contoso, product: object, *offers: OfferRow) -> ImportCatalog:
    return catalog.in_catalog(ImportCatalog, products=(product,), offers=offers)


def test_what_is_new_is_listed_and_on_sale_from_today(catalog: Contoso) -> None:
    product = a_product()
    monthly, yearly = an_offer(product), an_offer(product, 16_800, term="P1Y", plan="annual")
    tells(
        catalog,
        an_import(catalog, product, monthly, yearly),
        event(Product.ProductListed, originator_id=product_aggregate_id(product.product_id), product=product),
        event(
            Offer.OfferPublished,
            originator_id=offer_id_of(monthly.terms),
            terms=monthly.terms,
            first_price=PriceVersion(number=1, unit_price_minor=1_400, effective_on=TODAY),
        ),
        event(
            Offer.OfferPublished,
            originator_id=offer_id_of(yearly.terms),
            terms=yearly.terms,
            first_price=PriceVersion(number=1, unit_price_minor=16_800, effective_on=TODAY),
        ),
    )
    tells_nothing(catalog, an_import(catalog, product, monthly, yearly))


def test_a_product_that_differs_is_described_anew(catalog: Contoso) -> None:
    product = a_product()
    catalog.run(an_import(catalog, product))
    renamed = product.model_copy(update={"name": "Power BI Pro (renamed)"})
    tells(
        catalog,
        an_import(catalog, renamed),
        event(Product.ProductDescribedAnew, product=renamed, product_before=product),
    )


def test_an_offer_is_of_a_product_that_is_listed(catalog: Contoso) -> None:
    product = a_product()
    with catalog.refuses(NotFound, what="product", key=product.product_id):
        catalog.run(catalog.in_catalog(ImportCatalog, products=(), offers=(an_offer(product),)))
    catalog.run(an_import(catalog, product))
    catalog.run(catalog.in_catalog(ImportCatalog, products=(), offers=(an_offer(product),)))


def test_an_offer_that_exists_keeps_its_price_and_its_withdrawal(catalog: Contoso) -> None:
    product = a_product()
    offer = an_offer(product)
    catalog.run(an_import(catalog, product, offer))
    catalog.run(catalog.in_catalog(WithdrawOffer, offer_id=offer_id_of(offer.terms), withdrawn_on=TOMORROW))
    tells_nothing(catalog, an_import(catalog, product, an_offer(product, 2_000)))
    tells_nothing(catalog, an_import(catalog, product, an_offer(product, 2_000, maximum=9)))


def test_rows_given_twice_count_once(catalog: Contoso) -> None:
    product = a_product()
    renamed = product.model_copy(update={"name": "Power BI Pro (renamed)"})
    tells(
        catalog,
        catalog.in_catalog(
            ImportCatalog, products=(product, renamed), offers=(an_offer(product, 2_000), an_offer(product))
        ),
        event(Product.ProductListed, product=renamed),
        event(Offer.OfferPublished, first_price=PriceVersion(number=1, unit_price_minor=1_400, effective_on=TODAY)),
    )


def test_all_or_nothing(catalog: Contoso) -> None:
    product = a_product()
    importing = an_import(catalog, product, an_offer(product), an_offer(product, plan="annual"))
    with catalog.refuses(PlanLongerThanTerm):
        catalog.run(importing)
    assert catalog.ledger.find_product(product.product_id) is None


def test_a_repeat_is_answered_and_not_done_again(catalog: Contoso) -> None:
    product = a_product()
    importing = an_import(catalog, product, an_offer(product))
    is_done_once(catalog, importing, offers=())
    is_done_once(catalog, importing, offers=(an_offer(product, plan="annual", term="P1M"),))  # refused anyway


def test_a_repeat_does_not_describe_it_as_before(catalog: Contoso) -> None:
    product = a_product()
    renamed = product.model_copy(update={"name": "Power BI Pro (renamed)"})
    stays_done(catalog, an_import(catalog, product), lambda: catalog.run(an_import(catalog, renamed)))
    found = catalog.ledger.find_product(product.product_id)
    assert found is not None
    assert found.product == renamed


def test_sixteen_at_once_import_once(catalog: Contoso) -> None:
    product = a_product()
    has_one_effect(catalog, an_import(catalog, product, an_offer(product)), events=2)
    has_one_effect(catalog, an_import(catalog, product, an_offer(product)), events=0)


def test_two_imports_of_the_same_at_once_list_it_once(catalog: Contoso) -> None:
    product = a_product()
    imports = [partial(catalog.run, an_import(catalog, product, an_offer(product))) for _ in range(4)]
    assert sorted(answer.events for answer in at_once(*imports) if isinstance(answer, Receipt)) == [0, 0, 0, 2]


def test_a_product_described_anew_meanwhile_is_described_as_asked(catalog: Contoso) -> None:
    product = a_product()
    catalog.run(an_import(catalog, product))
    renamed = product.model_copy(update={"name": "Power BI Pro (renamed)"})
    with decided_twice(catalog, partial(catalog.run, an_import(catalog, renamed))):
        assert catalog.run(an_import(catalog, product)).events == 1


def test_only_an_operator(catalog: Contoso) -> None:
    product = a_product()
    takes_an_operator(catalog, lambda actor: catalog.in_catalog(ImportCatalog, actor, products=(product,), offers=()))


def test_it_goes_to_the_catalog_alone(catalog: Contoso) -> None:
    belongs_to_the_catalog(an_import(catalog, a_product()))
    belongs_to_the_catalog(
        catalog.in_catalog(SchedulePrice, offer_id=uuid4(), effective_on=TOMORROW, unit_price_minor=1)
    )
    belongs_to_the_catalog(catalog.in_catalog(WithdrawOffer, OPERATOR, offer_id=uuid4(), withdrawn_on=TOMORROW))


@pytest.mark.parametrize("text", ["before\0after", "\ud800", "x" * 257])
@pytest.mark.parametrize("field", ["product_id", "name", "sku_part_number"])
def test_texts_that_no_read_table_could_store(catalog: Contoso, field: str, text: str) -> None:
    product = a_product(**{field: text})
    with pytest.raises(ValidationError, match="products"):
        an_import(catalog, product)
    if field == "product_id":
        with pytest.raises(ValidationError, match="terms"):
            an_offer(product)


def test_a_price_is_not_negative() -> None:
    with pytest.raises(ValidationError, match="unit_price_minor"):
        an_offer(a_product(), -1)
