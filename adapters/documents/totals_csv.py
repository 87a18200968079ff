"""Control totals as CSV for spreadsheets, a line at a time, in decimals of the currency."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from adapters.catalog.currency import in_major
from adapters.documents.purchases_csv import written
from projections.audit.totals import COLUMNS, DayTotals

SUMS = ("opening", *COLUMNS, "closing")


def csv_of(days: Iterable[DayTotals]) -> Iterator[str]:
    """A header and a line for each day of a profile."""
    yield written(("day", "billing_profile_id", "currency", *SUMS))
    for one in days:
        sums = [in_major(getattr(one, f"{name}_minor"), one.currency_exponent).replace(",", "") for name in SUMS]
        yield written((one.day, one.billing_profile_id, one.currency, *sums))
