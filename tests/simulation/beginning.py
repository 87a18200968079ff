"""How a world begins: when, where, in which currency, with which people and offers; and the counts of what happens."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

from iso4217 import Currency

from domain.offer import OfferTerms
from domain.product import ProductFacts
from services.import_catalog import OfferRow

PEOPLE = 8  # with the admin: three who buy, and four who only hold
BUYERS = 4
PRODUCTS = tuple(
    ProductFacts(
        product_id=f"P{number}",
        name=f"Product {number}",
        sku_part_number=f"PRODUCT_{number}",
        sku_id=None,
        self_service=True,
        policies=("Enabled", "Disabled"),
    )
    for number in (1, 2)
)


@dataclass(frozen=True)
class Beginning:
    """What a world is made of."""

    at: datetime
    currency: str = "USD"
    country: str = "US"  # where taxes are due; cards are of this country
    prices: tuple[int, int, int, int] = (1_400, 1_400, 16_800, 700)  # of the four offers, in minor units

    @property
    def exponent(self) -> int:
        return int(Currency(self.currency).exponent or 0)

    def offers(self) -> list[OfferRow]:
        """By the month, yearly billed monthly, yearly, and another product by the month."""
        kinds = (("P1", "P1M", "monthly"), ("P1", "P1Y", "monthly"), ("P1", "P1Y", "annual"), ("P2", "P1M", "monthly"))
        return [
            OfferRow(
                terms=OfferTerms(
                    product_id=product,
                    term=term,  # type: ignore[arg-type]  # of the literal
                    plan=plan,  # type: ignore[arg-type]  # likewise
                    currency=self.currency,
                    currency_exponent=self.exponent,
                    maximum=60,
                ),
                unit_price_minor=price,
            )
            for (product, term, plan), price in zip(kinds, self.prices, strict=True)
        ]


@dataclass
class Counts:
    """What happened in a history, for the evidence."""

    steps: int = 0
    commands: int = 0
    events: int = 0
    refusals: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    laws: Counter[str] = field(default_factory=Counter)
    told: Counter[str] = field(default_factory=Counter)  # events by name
