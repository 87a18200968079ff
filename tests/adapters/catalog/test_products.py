"""The real products: how many, what they are called, and which are sold by self-service."""

from collections import Counter
from pathlib import Path

import pytest

from adapters.catalog.products import PRODUCTS, SELF_SERVICE, read_products
from adapters.csv_table import FileRefused


def test_569_products_and_two_that_only_the_self_service_list_has() -> None:
    products = read_products()
    assert len(products) == 569 + 2
    assert sum(product.self_service for product in products) == 17
    assert {product.name for product in products if product.sku_id is None} == {
        "Microsoft Purview Discovery",
        "Python in Excel",
    }
    assert max(Counter(product.product_id for product in products).values()) == 1


def test_the_self_service_list_decides_on_name_id_and_policies() -> None:
    by_name = {product.name: product for product in read_products() if product.self_service}
    premium = by_name["Power BI Premium (standalone)"]
    assert premium.product_id == "CFQ7TTC0H6RP"
    assert premium.sku_part_number == "PBI_PREMIUM_PER_USER"
    assert premium.policies == ("Enabled", "Disabled")
    assert by_name["Visio Plan 1"].policies == ("Enabled", "OnlyTrialsWithoutPaymentMethod", "Disabled")


def test_what_is_not_sold_by_self_service_goes_by_its_sku_id_and_has_no_policy() -> None:
    (product,) = (product for product in read_products() if product.sku_part_number == "CAREERCOACH_FACULTY")
    assert product.product_id == "95de1760-7682-406d-98c9-52ef14e51e2b"
    assert product.policies == ()


def test_third_party_offer_types_are_no_products() -> None:
    assert not {"SaaS", "POWERBIVISUALS", "DYNAMICSCE", "DYNAMICSBC"} & {p.product_id for p in read_products()}


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("Something,SOMETHING,no-uuid", "row 571, column sku_id: 'no-uuid' is no UUID"),
        ("Something,SOMETHING,d2dea78b-507c-4e56-b400-39447f4738f8", "row 571, column sku_id: is there twice"),
        (",SOMETHING,11111111-507c-4e56-b400-39447f4738f8", "row 571, column product_name: is empty"),
    ],
)
def test_a_bad_product_is_refused_with_its_place(tmp_path: Path, row: str, words: str) -> None:
    path = tmp_path / "products.csv"
    path.write_text(PRODUCTS.read_text("utf-8").rstrip() + "\n" + row + "\n", "utf-8")
    with pytest.raises(FileRefused, match=words):
        read_products(path)


def test_an_unknown_policy_is_refused_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "self_service.csv"
    path.write_text(SELF_SERVICE.read_text("utf-8").replace("Enabled|Disabled", "Enabled|Maybe", 1), "utf-8")
    with pytest.raises(FileRefused, match="row 2, column allowed_policy_values: 'Maybe' is no policy"):
        read_products(self_service=path)
