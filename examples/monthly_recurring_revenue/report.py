"""The report of a month: recurring revenue at its end, how it moved since its beginning, and every day of it."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, get_args

from adapters.kit import Connection
from examples.monthly_recurring_revenue.amounts import Amount
from examples.monthly_recurring_revenue.books import Kind

KINDS: tuple[str, ...] = get_args(Kind)
BEFORE = (
    "SELECT product_id, currency, currency_exponent, sum(twelfths)::bigint FROM recurring_revenue.movements"
    " WHERE day < %s GROUP BY 1, 2, 3"
)
WITHIN = (
    "SELECT product_id, currency, currency_exponent, day, kind, sum(twelfths)::bigint FROM recurring_revenue.movements"
    " WHERE day BETWEEN %s AND %s GROUP BY 1, 2, 3, 4, 5"
)


@dataclass(frozen=True)
class Line:
    """A product in a currency; all amounts in twelfths of a minor unit."""

    product_id: str
    currency: str
    currency_exponent: int
    opening: int
    movements: dict[str, int]  # by kind
    days: dict[date, int]  # at the end of each

    @property
    def closing(self) -> int:
        return self.opening + sum(self.movements.values())

    def as_data(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            "product_id": self.product_id,
            "currency": self.currency,
            "currency_exponent": self.currency_exponent,
            "opening": Amount.of(self.opening)._asdict(),
            **{kind: Amount.of(twelfths)._asdict() for kind, twelfths in self.movements.items()},
            "closing": Amount.of(self.closing)._asdict(),
            "days": {day.isoformat(): Amount.of(twelfths)._asdict() for day, twelfths in self.days.items()},
        }


def report(connection: Connection, month: date) -> list[Line]:
    """The month that begins on this day, a line for each product and currency that had revenue in it."""
    last = month.replace(day=monthrange(month.year, month.month)[1])
    opening = {
        (product, currency, exponent): sum_
        for product, currency, exponent, sum_ in connection.execute(BEFORE, (month,))
    }
    moved: dict[tuple[str, str, int], list[tuple[date, str, int]]] = {
        where: [] for where, sum_ in opening.items() if sum_
    }
    for *where, day, kind, twelfths in connection.execute(WITHIN, (month, last)):
        moved.setdefault((where[0], where[1], where[2]), []).append((day, kind, twelfths))
    return [_line(where, opening.get(where, 0), moved[where], month, last) for where in sorted(moved)]


def _line(
    where: tuple[str, str, int], opening: int, moved: list[tuple[date, str, int]], first: date, last: date
) -> Line:
    by_kind = {kind: sum(twelfths for _, of, twelfths in moved if of == kind) for kind in KINDS}
    by_day: dict[date, int] = {}
    stands = opening
    for number in range((last - first).days + 1):
        day = first + timedelta(days=number)
        stands += sum(twelfths for on, _, twelfths in moved if on == day)
        by_day[day] = stands
    return Line(*where, opening, by_kind, by_day)


def text(lines: list[Line], month: date) -> Iterator[str]:
    """For people."""
    yield f"Monthly recurring revenue, {month:%B %Y}"
    if not lines:
        yield "  none"
    for line in lines:
        shown = {"opening": line.opening, **line.movements, "closing": line.closing}
        yield f"{line.product_id} in {line.currency}"
        for name, twelfths in shown.items():
            yield f"  {name:<14}{Amount.of(twelfths).text(line.currency_exponent):>24}"
