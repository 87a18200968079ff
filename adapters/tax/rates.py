"""Standard rates of VAT, GST and consumption tax by country, each from a day on."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Self

from adapters.catalog.currency import country_of
from adapters.csv_table import Row, read_table
from domain.refusals import Refusal
from domain.tax import PPM, TaxRate

STANDARD_RATES = Path(__file__).with_name("standard_rates.csv")
COLUMNS = ("country", "name", "rate_percent", "valid_from")

_PERCENT = re.compile(r"[0-9]{1,2}(\.[0-9]{1,4})?")  # finer than a millionth is no rate
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class TaxTable:
    """Rates by country and day, read once: one standard rate for each country.

    A country that is not in the table, and a day before its first row, is charged nothing: 0 and an empty name. So is
    the United States, whose sales taxes depend on state, county and product: they are not modelled, nor are the taxes
    of Canada's provinces, reduced rates, exemptions and reverse charge.
    """

    def __init__(self, rates: Iterable[tuple[date, TaxRate]]) -> None:
        by_country: dict[str, list[tuple[date, TaxRate]]] = defaultdict(list)
        for valid_from, rate in sorted(rates, key=lambda each: (each[1].country, each[0])):
            by_country[rate.country].append((valid_from, rate))
        self._days = {country: [day for day, _ in rows] for country, rows in by_country.items()}
        self._rates = {country: [rate for _, rate in rows] for country, rows in by_country.items()}

    @classmethod
    def read(cls, path: Path | None = None) -> Self:
        """Reads a table, `standard_rates.csv` unless told otherwise; raises FileRefused for the first bad cell."""
        rates: dict[tuple[str, date], TaxRate] = {}
        for row in read_table(path or STANDARD_RATES, COLUMNS):
            valid_from, rate = _day(row), _rate(row)
            if (rate.country, valid_from) in rates:
                row.refuse("valid_from", f"{rate.country} has two rates from {valid_from} on; remove one")
            rates[rate.country, valid_from] = rate
        return cls((valid_from, rate) for (_, valid_from), rate in rates.items())

    def rate(self, country: str, day: date) -> TaxRate:
        """The rate of a bill-to country on a day; a rate of 0 where no tax is charged."""
        place = bisect_right(self._days.get(country, ()), day)
        return self._rates[country][place - 1] if place else TaxRate(country=country, name="", rate_ppm=0)


def _rate(row: Row) -> TaxRate:
    percent = row.required("rate_percent")
    if not _PERCENT.fullmatch(percent):
        row.refuse("rate_percent", f"{percent!r} is no rate; write percent from 0 to 99.9999, like 8.1")
    ppm = int(Decimal(percent) * PPM / 100)
    if ppm and not row["name"]:
        row.refuse("name", "is empty; write what is printed on invoices, like VAT")
    try:
        return TaxRate(country=country_of(row.required("country")), name=row["name"], rate_ppm=ppm)
    except Refusal as refusal:
        row.refuse("country", str(refusal))


def _day(row: Row) -> date:
    text = row.required("valid_from")
    try:
        return date.fromisoformat(text if _DAY.fullmatch(text) else "")
    except ValueError:
        row.refuse("valid_from", f"{text!r} is no day; write it like 2024-01-31")
