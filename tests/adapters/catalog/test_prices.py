"""What is on sale, from the real list prices."""

from pathlib import Path

import pytest

from adapters.catalog.currency import country_of, exponent_of, minor_units, money
from adapters.catalog.prices import MAXIMUM_LICENSES, PRICES, read_offers
from adapters.catalog.products import read_products
from adapters.csv_table import FileRefused
from domain.refusals import UnknownCountry, UnknownCurrency


def test_what_has_a_list_price_is_on_sale() -> None:
    names = {product.product_id: product.name for product in read_products()}
    offers = {
        (names[o.terms.product_id], o.terms.term, o.terms.plan, o.terms.currency, o.unit_price_minor)
        for o in read_offers(read_products())
    }
    assert offers == {
        ("Power BI Pro", "P1M", "monthly", "USD", 1_400),  # the newest of two prices
        ("Power BI Premium (standalone)", "P1M", "monthly", "USD", 2_400),
        ("Power Apps per user", "P1M", "monthly", "USD", 2_000),
        ("Visio Plan 1", "P1Y", "monthly", "USD", 500),  # the list sells it by the year
        ("Visio Plan 1", "P1Y", "annual", "USD", 6_000),
        ("Visio Plan 2", "P1Y", "monthly", "USD", 1_500),
        ("Visio Plan 2", "P1Y", "annual", "USD", 18_000),
        ("Microsoft 365 Copilot", "P1Y", "monthly", "USD", 3_000),
        ("Microsoft 365 Copilot", "P1Y", "annual", "USD", 36_000),
        ("Planner Plan 1", "P1M", "monthly", "GBP", 830),
    }


def test_every_offer_has_a_maximum() -> None:
    assert {offer.terms.maximum for offer in read_offers(read_products())} == {MAXIMUM_LICENSES}


def test_a_price_that_is_no_number_is_refused_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "prices.csv"
    path.write_text(PRICES.read_text("utf-8").replace("14.00", "cheap", 1), "utf-8")
    with pytest.raises(FileRefused, match="row 2, column price_per_user_month: 'cheap' is no number"):
        read_offers(read_products(), path)


def test_a_price_finer_than_its_currency_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "prices.csv"
    path.write_text(PRICES.read_text("utf-8").replace("14.00,USD", "14.00,XAU", 1), "utf-8")
    with pytest.raises(FileRefused, match="row 2, column currency: XAU is no ISO 4217 currency"):
        read_offers(read_products(), path)
    path.write_text(PRICES.read_text("utf-8").replace("14.00,USD", "14.005,USD", 1), "utf-8")
    with pytest.raises(FileRefused, match=r"row 2, column price_per_user_month: 14\.005 has more decimals than USD"):
        read_offers(read_products(), path)


@pytest.mark.parametrize(
    ("amount", "currency", "minor", "text"),
    [
        ("15", "USD", 1_500, "15.00 USD"),
        ("1500", "JPY", 1_500, "1,500 JPY"),
        ("1.234", "KWD", 1_234, "1.234 KWD"),
        ("0", "EUR", 0, "0.00 EUR"),
    ],
)
def test_amounts_have_the_decimals_of_their_currency(amount: str, currency: str, minor: int, text: str) -> None:
    assert minor_units(amount, currency) == minor
    assert money(minor, currency) == text


@pytest.mark.parametrize("amount", ["1.005", "-1", "NaN", "Infinity", "1e30", "one", ""])
def test_what_is_no_amount_is_refused(amount: str) -> None:
    with pytest.raises(ValueError, match=r"write|round"):
        minor_units(amount, "USD")


def test_what_is_no_currency_or_country_is_refused() -> None:
    for code in ("XXX", "XAU", "US", "usd"):
        with pytest.raises(UnknownCurrency):
            exponent_of(code)
    for code in ("USA", "ZZ", "us"):
        with pytest.raises(UnknownCountry):
            country_of(code)
