"""The amount of a line (F1, F2): `domain.proration` and the charges of `domain.invoice_line`."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.calendar import Period, cycle, cycle_on
from domain.proration import DAILY_HALF_UP, RULES
from tests.examples import POWER_BI_PRO, THE_CYCLE, THE_NEXT_CYCLE, a_line

prices, quantities = st.integers(0, 10**7), st.integers(1, 10_000)
cycles = st.integers(28, 366)


def amount(*, price: int, quantity: int, days: int, cycle_days: int) -> int:
    return DAILY_HALF_UP.amount(unit_price_minor=price, quantity=quantity, days=days, cycle_days=cycle_days)


@given(price=prices, quantity=quantities, cycle_days=cycles)
def test_a_whole_cycle_costs_price_times_quantity(price: int, quantity: int, cycle_days: int) -> None:
    assert amount(price=price, quantity=quantity, days=cycle_days, cycle_days=cycle_days) == price * quantity


@given(price=prices, quantity=quantities, cycle_days=cycles, part=st.data())
def test_a_part_is_multiplied_first_and_rounded_once(
    price: int, quantity: int, cycle_days: int, part: st.DataObject
) -> None:
    days = part.draw(st.integers(0, cycle_days))
    got = amount(price=price, quantity=quantity, days=days, cycle_days=cycle_days)
    assert abs(2 * (got * cycle_days - price * quantity * days)) <= cycle_days
    assert 0 <= got <= price * quantity


def test_a_rule_is_found_by_the_name_that_lines_carry() -> None:
    assert RULES["daily-half-up.v1"] is DAILY_HALF_UP
    assert a_line().rule == POWER_BI_PRO.rule == DAILY_HALF_UP.name


# Lines.


def test_a_hundred_licenses_for_a_cycle_cost_1400_00() -> None:
    line = a_line(100)
    assert (line.amount_minor, line.period, line.days, line.cycle_days) == (140_000, THE_CYCLE, 28, 28)


def test_five_added_on_february_10_cost_45_00() -> None:
    """18 of 28 days are left, the day of the change with them."""
    line = a_line(5, kind="increase", batch=2, since=date(2025, 2, 10))
    assert (line.amount_minor, line.days, line.cycle_days) == (4_500, 18, 28)


def test_five_added_on_february_25_cost_7_50() -> None:
    """Three of 28 days: 14.00 · 5 · 3 / 28."""
    assert a_line(5, kind="increase", since=date(2025, 2, 25)).amount_minor == 750


def test_the_days_are_those_of_the_cycle_not_of_the_month_it_starts_in() -> None:
    line = a_line(1, cycle=THE_NEXT_CYCLE, since=date(2025, 3, 1))
    assert (line.days, line.cycle_days, line.amount_minor) == (30, 31, 1_355)  # 14.00 · 30 / 31 = 13.548…


@pytest.mark.parametrize("since", [date(2024, 12, 1), date(2025, 1, 31)])
def test_a_charge_starts_with_its_cycle_at_the_earliest(since: date) -> None:
    """A cycle that is charged late, or early, is charged for its own days."""
    assert a_line(since=since).period == THE_CYCLE


@pytest.mark.parametrize("since", [date(2025, 2, 27), date(2025, 2, 1)])
def test_a_charge_has_from_one_day_to_all_of_its_cycle(since: date) -> None:
    assert a_line(since=since).period == Period(start=since, end=THE_CYCLE.end)


@given(
    anchor=st.dates(date(2020, 1, 1), date(2040, 12, 31)),
    days_later=st.integers(0, 800),
    plan=st.sampled_from(["monthly", "annual"]),
    licenses=quantities,
)
def test_from_any_anchor_a_charge_has_at_least_a_day_and_costs_no_more_than_the_cycle(
    anchor: date, days_later: int, plan: str, licenses: int
) -> None:
    """1 ≤ r ≤ D, on the last day of a cycle and on its first."""
    day = date.fromordinal(anchor.toordinal() + days_later)
    of_day = cycle(anchor, plan, cycle_on(anchor, plan, day))  # type: ignore[arg-type]  # one of the two
    line = a_line(licenses, cycle=of_day, since=day)
    assert 1 <= line.days <= line.cycle_days
    assert line.days == (of_day.end - day).days
    assert 0 <= line.amount_minor <= licenses * POWER_BI_PRO.unit_price_minor
    assert (line.amount_minor == licenses * POWER_BI_PRO.unit_price_minor) == (day == of_day.start)
