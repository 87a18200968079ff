"""Recurring amounts are whole twelfths of a minor unit: a year's price by the month is exact, and so are all sums."""

from __future__ import annotations

from typing import NamedTuple

from adapters.kafka.public_values import Price

TWELFTHS = 12
PERIODS_A_YEAR = {"monthly": 12, "annual": 1}  # of a billing plan: how often its price is charged


class UnknownPlan(ValueError):
    """A plan that this version cannot normalise to a month; its event waits until a version can."""


def recurring_twelfths(licenses: int, price: Price) -> int:
    """What so many licenses come to in a month."""
    try:
        return licenses * price.unit_price_minor * PERIODS_A_YEAR[price.plan]
    except KeyError:
        raise UnknownPlan(f"prices are by the month or by the year, and this one is {price.plan}") from None


class Amount(NamedTuple):
    """Minor units, and what remains in twelfths of one; both have the sign of the amount."""

    minor: int
    twelfths: int

    @classmethod
    def of(cls, twelfths: int) -> Amount:
        minor, rest = divmod(abs(twelfths), TWELFTHS)
        return cls(minor, rest) if twelfths >= 0 else cls(-minor, -rest)

    def text(self, exponent: int) -> str:
        """Such as `1,400.00` or `-0.83 4/12`: the remainder is a part of the last digit."""
        units, cents = divmod(abs(self.minor), 10**exponent)
        sign = "-" if self.minor < 0 or self.twelfths < 0 else ""
        part = f".{cents:0{exponent}}" if exponent else ""
        rest = f" {abs(self.twelfths)}/{TWELFTHS}" if self.twelfths else ""
        return f"{sign}{units:,}{part}{rest}"
