"""How Microsoft's pages charge a part of a period: each page rounds in its own way."""

import math
import re
from collections.abc import Callable
from datetime import timedelta
from fractions import Fraction
from typing import NamedTuple

from services.vendor_change import Change, VendorRule, nearest, taxed


class LicensePrice(NamedTuple):
    """The price of one license for some days of a period, rounded to cents before it is multiplied."""

    day_decimals: int | None = None  # the price of a day is rounded to so many decimals first
    rounded: Callable[[Fraction], int] = nearest

    def part(self, price: Fraction, days: int, change: Change) -> int:
        """In minor units; a whole period costs its price."""
        if days == change.days:
            return self.rounded(price)
        daily = price / change.days
        if self.day_decimals is not None:
            unit = Fraction(10) ** (self.day_decimals - change.decimals)
            daily = nearest(daily * unit) / unit
        return self.rounded(daily * days)

    def remainder(self, change: Change) -> list[int]:
        """What is left is credited and charged again; a cancellation is the first half of that."""
        if not change.days:
            return []
        credit = self.part(change.old_price, change.left, change) * change.old_quantity
        charge = self.part(change.new_price, change.left, change) * change.new_quantity
        return taxed(change, [-credit, charge], math.trunc)

    def remainder_from_the_day_before(self, change: Change) -> list[int]:
        """The page of one-time purchases dates a period one day before the purchase; the day before counts as left."""
        if not 0 < change.left < change.days:
            return self.remainder(change)
        return self.remainder(change._replace(since=change.since - timedelta(days=1)))

    def slices(self, change: Change) -> list[int]:
        """The whole period is credited, then the days before and after the change are charged."""
        if not change.days:
            return []
        before = self.part(change.old_price, change.days - change.left, change) * change.old_quantity
        after = self.part(change.new_price, change.left, change) * change.new_quantity
        return taxed(change, [-nearest(change.old), before, after], math.trunc)


def lines_truncated(change: Change) -> list[int]:
    """New commerce: each line is exact, and cut to cents."""
    net = [-math.trunc(change.old * change.share), math.trunc(change.new * change.share)]
    return taxed(change, net, math.trunc)


def microsoft_rule(change: Change) -> VendorRule:
    """By the words of the page: what it rounds first, and whether it bills the whole period again."""
    rebilled = change.old_quantity > 0 and change.new_quantity > 0
    if (decimals := day_price_decimals(change)) is not None:
        price, name = LicensePrice(decimals), f"microsoft-day-price-{decimals}-decimals"
    elif "trunc" in change.words and rebilled:
        return VendorRule("microsoft-lines-truncated.v1", lines_truncated)
    elif "trunc" in change.words:
        return VendorRule("microsoft-license-price-truncated.v1", LicensePrice(rounded=math.trunc).remainder)
    elif re.search(r"\(\s*price\s*/", change.words):
        return VendorRule("microsoft-license-price-from-day-before.v1", LicensePrice().remainder_from_the_day_before)
    else:
        price, name = LicensePrice(), "microsoft-license-price"
    if rebilled:
        return VendorRule(f"{name}-whole-rebilled.v1", price.slices)
    return VendorRule(f"{name}.v1", price.remainder)


def day_price_decimals(change: Change) -> int | None:
    """To how many decimals the page rounds the price of a day: as it says, by its example, or by the period."""
    if "day price" not in change.words:
        return None
    if said := re.search(r"(\d) (?:dp|decimals)", change.words):
        return int(said[1])
    if example := re.search(r"day price[^.]*? (?:to|=) 0\.(\d+)", change.words):
        return len(example[1])
    return 3 if change.days <= 31 else 2  # noqa: PLR2004 - the monthly page has three, the annual one two
