"""Arithmetic as people check it: factors, the exact quotient, and what it is rounded to."""

from fractions import Fraction
from math import floor

from domain.kernel import Value
from domain.proration import RULES

PPM = 1_000_000


class Arithmetic(Value):
    """A computation in minor units: as text, and what it comes to."""

    text: str
    exact: str | None  # the quotient, where it is no whole number
    amount_minor: int


def quotient(factors: str, numerator: int, denominator: int) -> Arithmetic:
    """Half up, of a magnitude that is not negative."""
    exact = Fraction(numerator, denominator)
    amount = floor(exact + Fraction(1, 2))
    if exact.denominator == 1:
        return Arithmetic(text=f"{factors} = {amount}", exact=None, amount_minor=amount)
    return Arithmetic(text=f"{factors} = {mixed(exact)}, half up {amount}", exact=str(exact), amount_minor=amount)


def mixed(exact: Fraction) -> str:
    """A fraction as people write it: 1821 3/7."""
    whole, rest = divmod(exact.numerator, exact.denominator)
    return " ".join(filter(None, [str(whole) if whole else "", f"{rest}/{exact.denominator}"]))


def price_of(quantity: int, unit_price_minor: int, days: int, cycle_days: int, rule: str) -> Arithmetic:
    """A(q, r) under a rule by its name; a whole cycle needs no division."""
    if RULES[rule].basis != "days of the cycle" or RULES[rule].rounding != "half up, of the magnitude":
        raise LookupError(f"no words for the rule {rule}")
    if days == cycle_days:
        return quotient(f"{quantity} x {unit_price_minor}", quantity * unit_price_minor, 1)
    factors = f"{quantity} x {unit_price_minor} x {days} / {cycle_days}"
    return quotient(factors, quantity * unit_price_minor * days, cycle_days)


def less(before: Arithmetic, after: Arithmetic, most: int | None = None) -> Arithmetic:
    """One less the other, and no more than there is."""
    amount = before.amount_minor - after.amount_minor
    text = before.text
    if after.amount_minor:
        text = f"{before.text}; {after.text}; {before.amount_minor} - {after.amount_minor} = {amount}"
    if most is not None and amount > most:
        text, amount = f"{text}; of the line are left {most}", most
    return Arithmetic(text=text, exact=None if after.amount_minor else before.exact, amount_minor=amount)


def tax_on(net_minor: int, rate_ppm: int) -> Arithmetic:
    """One rounding for a document: 19 % of 30000 = 5700."""
    return quotient(f"{percent(rate_ppm)} of {net_minor}", net_minor * rate_ppm, PPM)


def percent(rate_ppm: int) -> str:
    """A rate as people write it: 19 %, 8.1 %."""
    whole, rest = divmod(rate_ppm, PPM // 100)
    return f"{whole}.{rest:04}".rstrip("0").rstrip(".") + " %"
