"""Amounts of whole and of partial cycles (F2), under named, versioned rules that every line carries."""

from typing import Literal

from domain.kernel import Value
from domain.money import half_up


class ProrationRule(Value):
    """How the part of a cycle is measured, and in which unit and how its amount is rounded."""

    name: str
    basis: Literal["days of the cycle"]
    unit: Literal["line, in minor units"]
    rounding: Literal["half up, of the magnitude"]

    def amount(self, *, unit_price_minor: int, quantity: int, days: int, cycle_days: int) -> int:
        """A(q, r) = half_up(p·q·r / D) in minor units: multiplied first, rounded once. A(q, D) = p·q."""
        return half_up(unit_price_minor * quantity * days, cycle_days)


DAILY_HALF_UP = ProrationRule(
    name="daily-half-up.v1",
    basis="days of the cycle",
    unit="line, in minor units",
    rounding="half up, of the magnitude",
)

RULES: dict[str, ProrationRule] = {rule.name: rule for rule in (DAILY_HALF_UP,)}
"""The rules that lines of invoices may name; a rule that was ever used stays."""
