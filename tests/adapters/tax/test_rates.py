"""The rates that documents are taxed at, and a table that is taken whole or refused."""

from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.csv_table import FileRefused
from adapters.tax.rates import STANDARD_RATES, TaxTable
from domain.tax import TaxRate

TABLE = TaxTable.read()
TODAY = date(2026, 11, 25)
EU = [
    "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IT", "LT", "LU", "LV",
    "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK",
]  # fmt: skip
HEADER = "country,name,rate_percent,valid_from\n"


def percent(country: str, day: date = TODAY) -> float:
    return TABLE.rate(country, day).rate_ppm / 10_000


@pytest.mark.parametrize(
    ("country", "name", "rate"),
    [
        ("DE", "VAT", 19), ("FR", "VAT", 20), ("HU", "VAT", 27), ("GB", "VAT", 20), ("CH", "VAT", 8.1),
        ("NO", "VAT", 25), ("KR", "VAT", 10), ("JP", "Consumption tax", 10), ("IN", "GST", 18), ("AU", "GST", 10),
        ("NZ", "GST", 15), ("SG", "GST", 9), ("CA", "GST", 5), ("ZA", "VAT", 15),
    ],
)  # fmt: skip
def test_the_rate_of_a_country(country: str, name: str, rate: float) -> None:
    found = TABLE.rate(country, TODAY)
    assert (found.country, found.name, found.rate_ppm) == (country, name, round(rate * 10_000))


@pytest.mark.parametrize(
    ("country", "changed_on", "before", "after"),
    [
        ("DE", date(2020, 7, 1), 19, 16),
        ("DE", date(2021, 1, 1), 16, 19),
        ("EE", date(2025, 7, 1), 22, 24),
        ("FI", date(2024, 9, 1), 24, 25.5),
        ("SK", date(2025, 1, 1), 20, 23),
        ("RO", date(2025, 8, 1), 19, 21),
        ("CH", date(2024, 1, 1), 7.7, 8.1),
        ("JP", date(2019, 10, 1), 8, 10),
        ("SG", date(2024, 1, 1), 8, 9),
    ],
)
def test_a_rate_changes_on_its_day(country: str, changed_on: date, before: float, after: float) -> None:
    assert (percent(country, changed_on - timedelta(days=1)), percent(country, changed_on)) == (before, after)


def test_every_member_of_the_union_charges_at_least_what_its_directive_asks() -> None:
    assert len(EU) == 27
    assert all(percent(country) >= 15 for country in EU)


@pytest.mark.parametrize("country", ["US", "HK", "ZZ"])
def test_where_no_tax_is_charged_the_rate_is_zero_and_has_no_name(country: str) -> None:
    assert TABLE.rate(country, TODAY) == TaxRate(country=country, name="", rate_ppm=0)


def test_before_its_first_row_a_country_charges_nothing() -> None:
    assert TABLE.rate("AE", date(2017, 12, 31)) == TaxRate(country="AE", name="", rate_ppm=0)


@given(
    rows=st.dictionaries(
        st.tuples(st.sampled_from(["DE", "FR", "KR"]), st.dates()), st.integers(0, 999_999), max_size=20
    ),
    country=st.sampled_from(["DE", "FR", "KR", "US"]),
    day=st.dates(),
)
def test_the_newest_row_that_has_begun_counts(rows: dict[tuple[str, date], int], country: str, day: date) -> None:
    table = TaxTable((begins, TaxRate(country=of, name="VAT", rate_ppm=ppm)) for (of, begins), ppm in rows.items())
    begun = [(begins, ppm) for (of, begins), ppm in rows.items() if of == country and begins <= day]
    assert table.rate(country, day).rate_ppm == (max(begun)[1] if begun else 0)


def test_an_operator_may_bring_a_table(tmp_path: Path) -> None:
    path = tmp_path / "taxes.csv"
    path.write_text(HEADER + "DE,MwSt,19.5,2030-01-01\nDE,,0,2031-01-01\n", "utf-8")
    table = TaxTable.read(path)
    assert table.rate("DE", date(2030, 6, 1)) == TaxRate(country="DE", name="MwSt", rate_ppm=195_000)
    assert table.rate("DE", date(2031, 1, 1)).rate_ppm == 0
    assert table.rate("FR", date(2030, 6, 1)).rate_ppm == 0


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        ("XX,VAT,19,2020-01-01", "row 3, column country: XX is no ISO 3166 country"),
        (",VAT,19,2020-01-01", "row 3, column country: is empty"),
        ("FR,,19,2020-01-01", "row 3, column name: is empty"),
        ("FR,VAT,,2020-01-01", "row 3, column rate_percent: is empty"),
        ("FR,VAT,19%,2020-01-01", "row 3, column rate_percent: '19%' is no rate"),
        ("FR,VAT,100,2020-01-01", "row 3, column rate_percent: '100' is no rate"),
        ("FR,VAT,-1,2020-01-01", "row 3, column rate_percent: '-1' is no rate"),
        ("FR,VAT,1.23456,2020-01-01", "row 3, column rate_percent: '1.23456' is no rate"),
        ("FR,VAT,NaN,2020-01-01", "row 3, column rate_percent: 'NaN' is no rate"),
        ("FR,VAT,١٩,2020-01-01", "row 3, column rate_percent: '١٩' is no rate"),
        ("FR,VAT,19,01.02.2020", "row 3, column valid_from: '01.02.2020' is no day"),
        ("FR,VAT,19,2020-02-30", "row 3, column valid_from: '2020-02-30' is no day"),
        ("FR,VAT,19,", "row 3, column valid_from: is empty"),
        ("DE,VAT,16,2007-01-01", "row 3, column valid_from: DE has two rates from 2007-01-01 on"),
        ("FR,VAT,19", "row 3, column valid_from: is missing"),
    ],
)
def test_a_bad_row_is_refused_with_its_place(tmp_path: Path, row: str, complaint: str) -> None:
    path = tmp_path / "taxes.csv"
    path.write_text(f"{HEADER}DE,VAT,19,2007-01-01\n{row}\n", "utf-8")
    with pytest.raises(FileRefused) as refused:
        TaxTable.read(path)
    assert complaint in str(refused.value)


def test_a_table_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileRefused, match="cannot be read"):
        TaxTable.read(tmp_path / "none.csv")


def test_the_table_stands_in_order() -> None:
    rows = [row.split(",") for row in STANDARD_RATES.read_text("utf-8").splitlines()[1:]]
    assert rows == sorted(rows, key=lambda row: (row[0], row[3])), "sort by country and day"
