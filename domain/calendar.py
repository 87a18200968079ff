"""Dates of terms and cycles (F1): counted from the anchor always, clipped to the month's end, half-open."""

import calendar
from datetime import UTC, date, datetime, timedelta
from typing import Literal

from domain.kernel import Value

Term = Literal["P1M", "P1Y"]
BillingPlan = Literal["monthly", "annual"]

MONTHS_OF_TERM: dict[Term, int] = {"P1M": 1, "P1Y": 12}
MONTHS_OF_CYCLE: dict[BillingPlan, int] = {"monthly": 1, "annual": 12}

CHANGE_WINDOW = timedelta(hours=7 * 24)  # within which what was bought can be given back


def utc_date(moment: datetime) -> date:
    """The UTC date of an aware moment."""
    return moment.astimezone(UTC).date()


def add_months(anchor: date, months: int) -> date:
    """The same day some months on, or the month's last day where it has no such day."""
    year, month = divmod(anchor.year * 12 + anchor.month - 1 + months, 12)
    month += 1
    return date(year, month, min(anchor.day, calendar.monthrange(year, month)[1]))


class Period(Value):
    """Days from `start` to before `end`."""

    start: date
    end: date

    @property
    def ends_on(self) -> date:
        """The last day."""
        return self.end - timedelta(days=1)

    @property
    def days(self) -> int:
        return (self.end - self.start).days

    def __contains__(self, day: date) -> bool:
        return self.start <= day < self.end


def term(anchor: date, length: Term, number: int) -> Period:
    """Term `number`, counted from 0."""
    months = MONTHS_OF_TERM[length]
    return Period(start=add_months(anchor, months * number), end=add_months(anchor, months * (number + 1)))


def cycle(anchor: date, plan: BillingPlan, number: int) -> Period:
    """Charge cycle `number`, counted from 0."""
    months = MONTHS_OF_CYCLE[plan]
    return Period(start=add_months(anchor, months * number), end=add_months(anchor, months * (number + 1)))


def cycle_on(anchor: date, plan: BillingPlan, day: date) -> int:
    """The number of the charge cycle that holds `day`, which is not before the anchor."""
    months = (day.year - anchor.year) * 12 + day.month - anchor.month
    number = months // MONTHS_OF_CYCLE[plan]
    return number if day >= cycle(anchor, plan, number).start else number - 1


def cycles_after(anchor: date, plan: BillingPlan, day: date, until: date) -> int:
    """How many charge cycles start after the one that holds `day` and before `until`."""
    first = cycle_on(anchor, plan, day) + 1
    count = 0
    while cycle(anchor, plan, first + count).start < until:
        count += 1
    return count
