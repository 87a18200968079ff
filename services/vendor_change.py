"""A change within a billing period, and what any vendor's rule makes of it: lines in minor units."""

from collections.abc import Callable, Sequence
from datetime import date
from fractions import Fraction
from typing import NamedTuple

from domain.money import half_up


class Change(NamedTuple):
    """What changes within a period: the days from `since` to before `until` are charged anew and credited.

    Prices are exact, in minor units, for one unit and the whole period. `words` is how the vendor describes method and
    rounding, in lower case; `told` are quantities that went before in the same period.
    """

    old_price: Fraction
    new_price: Fraction
    old_quantity: int
    new_quantity: int
    start: date
    end: date
    since: date
    until: date
    tax: Fraction = Fraction(0)
    decimals: int = 2  # of the currency
    words: str = ""
    told: tuple[int, ...] = ()

    @property
    def days(self) -> int:
        """Days of the whole period."""
        return (self.end - self.start).days

    @property
    def left(self) -> int:
        """Days that are charged or credited."""
        return (self.until - self.since).days

    @property
    def share(self) -> Fraction:
        """The part of the period that is left; nothing of a period without days."""
        return Fraction(self.left, self.days) if self.days else Fraction(0)

    @property
    def old(self) -> Fraction:
        """The whole period as it was."""
        return self.old_price * self.old_quantity

    @property
    def new(self) -> Fraction:
        """The whole period as it becomes."""
        return self.new_price * self.new_quantity


class VendorRule(NamedTuple):
    """A rule by its name, with the lines that it makes of a change: minor units, tax lines included."""

    name: str
    lines: Callable[[Change], list[int]]

    def amount(self, change: Change) -> int:
        """What is charged, or with a minus sign credited."""
        return sum(self.lines(change))


def nearest(amount: Fraction) -> int:
    """To the nearest whole, a half away from zero."""
    return half_up(amount.numerator, amount.denominator)


def taxed(change: Change, net: Sequence[int], rounded: Callable[[Fraction], int] = nearest) -> list[int]:
    """The lines and, where there is a rate, one line of tax on their sum."""
    return [*net, rounded(change.tax * sum(net))] if change.tax else [*net]
