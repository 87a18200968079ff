"""List prices: offers of self-service products, only where the list names product, currency and term."""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import NamedTuple

from adapters.catalog.currency import exponent_of, minor_units
from adapters.csv_table import Row, read_table
from domain.calendar import MONTHS_OF_CYCLE, BillingPlan, Term
from domain.offer import OfferTerms
from domain.product import ProductFacts
from domain.refusals import Refusal
from services.import_catalog import OfferRow

PRICES = Path(__file__).with_name("list_prices.csv")
NAMES = Path(__file__).with_name("price_list_names.csv")

PRICE_COLUMNS = ("product", "price_per_user_month", "currency", "what", "date", "publisher")
NAME_COLUMNS = ("price_list_product", "product_id")

MAXIMUM_LICENSES = 10_000  # of one subscription; the list names none
SOLD_BY_THE_YEAR = re.compile(r"\bannual\b")  # in the list's remark: the price takes a commitment of a year


class ListPrice(NamedTuple):
    """The newest price per license and month of a product in a currency."""

    year: int  # of publication; 0 for an undated one
    per_month: Decimal
    by_the_year: bool
    row: Row


def read_offers(products: Iterable[ProductFacts], prices: Path = PRICES, names: Path = NAMES) -> list[OfferRow]:
    """What is on sale: monthly where the list gives a monthly price, else by the year, billed by month or at once.

    The names of the price list are not those of the product list: `price_list_names.csv` says which product is meant,
    and a price whose product is not named there, or that shows no currency, is left out.
    """
    known = {product.product_id for product in products if product.self_service}
    meant = {row.required("price_list_product"): row.required("product_id") for row in read_table(names, NAME_COLUMNS)}
    newest: dict[tuple[str, str], ListPrice] = {}
    for row in read_table(prices, PRICE_COLUMNS):
        product_id = meant.get(row.required("product"))
        if product_id not in known or not re.fullmatch("[A-Z]{3}", row["currency"]):
            continue
        price = ListPrice(
            year=int((re.findall(r"\b\d{4}\b", row["date"]) or ["0"])[-1]),
            per_month=_amount(row),
            by_the_year=bool(SOLD_BY_THE_YEAR.search(row["what"])),
            row=row,
        )
        key = (product_id, row["currency"])
        if key not in newest or price.year > newest[key].year:
            newest[key] = price
    return [offer for (product_id, _), price in newest.items() for offer in _offers(product_id, price)]


def _offers(product_id: str, price: ListPrice) -> list[OfferRow]:
    sold: list[tuple[Term, BillingPlan]] = [("P1M", "monthly")]
    if price.by_the_year:
        sold = [("P1Y", "monthly"), ("P1Y", "annual")]
    currency = price.row["currency"]
    try:
        return [
            OfferRow(
                terms=OfferTerms(
                    product_id=product_id,
                    term=term,
                    plan=plan,
                    currency=currency,
                    currency_exponent=exponent_of(currency),
                    maximum=MAXIMUM_LICENSES,
                ),
                unit_price_minor=minor_units(price.per_month * MONTHS_OF_CYCLE[plan], currency),
            )
            for term, plan in sold
        ]
    except Refusal as refusal:
        price.row.refuse("currency", str(refusal))
    except ValueError as error:
        price.row.refuse("price_per_user_month", str(error))


def _amount(row: Row) -> Decimal:
    try:
        amount = Decimal(row.required("price_per_user_month"))
    except InvalidOperation:
        row.refuse("price_per_user_month", f"{row['price_per_user_month']!r} is no number; write it like 14.00")
    if not amount.is_finite() or amount < 0:
        row.refuse("price_per_user_month", "must be 0 or more; correct it")
    return amount
