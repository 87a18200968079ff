"""Rules to re-rate by: those that lines of invoices name, and others that nothing was ever charged by."""

from collections.abc import Callable
from fractions import Fraction
from math import ceil, floor

from domain.kernel import Value
from domain.proration import RULES

MONTH = Fraction(365_2425, 12 * 10_000)  # days of a month, on average
HALF = Fraction(1, 2)

# The share of its cycle that a line is charged for, or credited; a whole cycle is one.
BASES: dict[str, Callable[[int, int], Fraction]] = {
    "days of the cycle": Fraction,
    "months of 30 days": lambda days, cycle_days: (
        Fraction(1) if days == cycle_days else min(Fraction(1), Fraction(days, 30 * max(1, round(cycle_days / MONTH))))
    ),
}
ROUNDINGS: dict[str, Callable[[Fraction], int]] = {  # of amounts that are not negative
    "half up": lambda exact: floor(exact + HALF),
    "half even": round,
    "down": floor,
    "up": ceil,
}


class RatingRule(Value):
    """How the part of a cycle is measured, and how its amount is rounded."""

    name: str
    basis: str
    rounding: str

    def amount(self, *, unit_price_minor: int, quantity: int, days: int, cycle_days: int) -> int:
        """Multiplied first, rounded once."""
        share = BASES[self.basis](days, cycle_days)
        return ROUNDINGS[self.rounding](unit_price_minor * quantity * share)


def rule_named(words: str) -> RatingRule:
    """By the name that lines carry, or by its basis and rounding; raises ValueError with what there is."""
    if rule := RULES.get(words):
        return RatingRule(name=words, basis=rule.basis, rounding=rule.rounding.partition(",")[0])
    basis, _, rounding = (part.strip() for part in words.partition(","))
    if basis not in BASES or rounding not in ROUNDINGS:
        raise ValueError(
            f"is no rule; name one of {', '.join(RULES)}, or say a basis and a rounding, such as 'days of the cycle,"
            f" half even' (bases: {', '.join(BASES)}; roundings: {', '.join(ROUNDINGS)})"
        )
    return RatingRule(name=f"{basis}, {rounding}", basis=basis, rounding=rounding)
