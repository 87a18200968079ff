"""What the catalog lists: `domain.product`."""

from domain.product import Product
from tests.examples import A_PRODUCT, POWER_BI_PRO_PRODUCT, PRODUCT
from tests.scenario import Scenario, event

RENAMED = POWER_BI_PRO_PRODUCT.model_copy(update={"name": "Microsoft Power BI Pro"})


def test_a_product_is_listed() -> None:
    (
        Scenario(Product)
        .when_born(A_PRODUCT)
        .then_told(event(Product.ProductListed, originator_id=PRODUCT, product=POWER_BI_PRO_PRODUCT))
        .leaving(product=POWER_BI_PRO_PRODUCT)
    )


def test_what_differs_is_described_anew_with_both_sides() -> None:
    (
        Scenario(Product)
        .given(A_PRODUCT)
        .when(lambda product: product.describe(RENAMED))
        .then_told(event(Product.ProductDescribedAnew, product=RENAMED, product_before=POWER_BI_PRO_PRODUCT))
        .leaving(product=RENAMED)
    )


def test_the_same_description_tells_nothing() -> None:
    (
        Scenario(Product)
        .given(A_PRODUCT)
        .when(lambda product: product.describe(POWER_BI_PRO_PRODUCT))
        .then_told_nothing()
    )
