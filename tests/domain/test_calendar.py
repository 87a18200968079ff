"""Terms and cycles count from the anchor always and clip to the month's end: `domain.calendar`."""

from calendar import monthrange
from datetime import UTC, date, datetime, timedelta, timezone
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.calendar import (
    MONTHS_OF_CYCLE,
    BillingPlan,
    Period,
    Term,
    add_months,
    cycle,
    cycle_on,
    cycles_after,
    term,
    utc_date,
)

dates = st.dates(date(2020, 1, 1), date(2060, 12, 31))
late_days = st.dates(date(2020, 1, 1), date(2060, 12, 31)).map(
    lambda day: day.replace(day=monthrange(day.year, day.month)[1])
)
anchors = dates | late_days | st.just(date(2024, 2, 29))
plans = st.sampled_from(get_args(BillingPlan))
terms = st.sampled_from(get_args(Term))
numbers = st.integers(0, 480)  # forty years of months

JAN_31 = date(2025, 1, 31)
FEB_29 = date(2024, 2, 29)


# By example.


def test_cycles_of_january_31_find_their_day_again_in_march() -> None:
    assert [cycle(JAN_31, "monthly", number).start for number in range(5)] == [
        date(2025, 1, 31),
        date(2025, 2, 28),
        date(2025, 3, 31),
        date(2025, 4, 30),
        date(2025, 5, 31),
    ]


def test_the_first_term_of_january_31_ends_on_february_27() -> None:
    first = term(JAN_31, "P1M", 0)
    assert first.ends_on == date(2025, 2, 27)
    assert first.days == 28


def test_years_of_february_29_find_their_day_again_in_a_leap_year() -> None:
    assert [term(FEB_29, "P1Y", number).start for number in range(5)] == [
        date(2024, 2, 29),
        date(2025, 2, 28),
        date(2026, 2, 28),
        date(2027, 2, 28),
        date(2028, 2, 29),
    ]


def test_a_year_over_a_leap_day_has_366_days() -> None:
    assert term(date(2027, 7, 1), "P1Y", 0).days == 366
    assert term(date(2028, 7, 1), "P1Y", 0).days == 365


def test_a_century_without_a_leap_day() -> None:
    assert add_months(date(2096, 2, 29), 48) == date(2100, 2, 28)


def test_months_can_be_taken_back() -> None:
    assert add_months(date(2025, 3, 31), -1) == date(2025, 2, 28)
    assert add_months(date(2025, 1, 15), -1) == date(2024, 12, 15)


@pytest.mark.parametrize(
    ("day", "number"),
    [
        (date(2025, 1, 31), 0),
        (date(2025, 2, 27), 0),
        (date(2025, 2, 28), 1),
        (date(2025, 3, 30), 1),
        (date(2025, 3, 31), 2),
    ],
)
def test_the_cycle_of_a_day(day: date, number: int) -> None:
    assert cycle_on(JAN_31, "monthly", day) == number


def test_a_moment_has_the_date_of_utc() -> None:
    late_in_redmond = datetime(2025, 1, 31, 23, 30, tzinfo=timezone(timedelta(hours=-8)))
    assert utc_date(late_in_redmond) == date(2025, 2, 1)
    assert utc_date(datetime(2025, 1, 31, 23, 59, 59, 999_999, tzinfo=UTC)) == JAN_31


@pytest.mark.parametrize(("day", "cycles"), [(JAN_31, 11), (date(2025, 2, 28), 10), (date(2026, 1, 30), 0)])
def test_cycles_that_are_left_of_a_year(day: date, cycles: int) -> None:
    assert cycles_after(JAN_31, "monthly", day, term(JAN_31, "P1Y", 0).end) == cycles


def test_no_cycle_is_left_where_the_cycle_is_the_term() -> None:
    assert cycles_after(JAN_31, "annual", JAN_31, term(JAN_31, "P1Y", 0).end) == 0
    assert cycles_after(JAN_31, "monthly", JAN_31, term(JAN_31, "P1M", 0).end) == 0


# As laws.


@given(anchors, numbers)
def test_the_day_is_the_anchors_or_the_months_last(anchor: date, months: int) -> None:
    there = add_months(anchor, months)
    assert (there.year - anchor.year) * 12 + there.month - anchor.month == months
    assert there.day == min(anchor.day, monthrange(there.year, there.month)[1])


@given(anchors, plans, numbers)
def test_cycles_follow_each_other_without_gap_or_overlap(anchor: date, plan: BillingPlan, number: int) -> None:
    assert cycle(anchor, plan, number).end == cycle(anchor, plan, number + 1).start
    assert cycle(anchor, plan, 0).start == anchor
    assert cycle(anchor, plan, number).days >= 28 * MONTHS_OF_CYCLE[plan]


@given(anchors, plans, st.integers(0, 15_000))
def test_every_day_is_in_exactly_the_cycle_that_is_said(anchor: date, plan: BillingPlan, days: int) -> None:
    day = anchor + timedelta(days=days)
    number = cycle_on(anchor, plan, day)
    assert number >= 0
    assert day in cycle(anchor, plan, number)
    assert day not in cycle(anchor, plan, number + 1)


@given(anchors, plans, numbers)
def test_the_cycle_of_its_first_and_last_day_is_the_cycle(anchor: date, plan: BillingPlan, number: int) -> None:
    period = cycle(anchor, plan, number)
    assert cycle_on(anchor, plan, period.start) == cycle_on(anchor, plan, period.ends_on) == number


@given(anchors, st.integers(0, 40))
def test_a_year_is_its_twelve_months(anchor: date, number: int) -> None:
    year = term(anchor, "P1Y", number)
    months = [cycle(anchor, "monthly", number * 12 + month) for month in range(12)]
    assert months[0].start == year.start
    assert months[-1].end == year.end
    assert sum(month.days for month in months) == year.days
    assert year == cycle(anchor, "annual", number)


@given(anchors, terms, numbers)
def test_a_term_ends_on_the_day_before_the_next(anchor: date, length: Term, number: int) -> None:
    period = term(anchor, length, number)
    assert period.ends_on + timedelta(days=1) == term(anchor, length, number + 1).start
    assert period.ends_on in period
    assert period.end not in period


@given(anchors, plans, terms, st.integers(0, 40), st.data())
def test_cycles_left_are_those_that_start_later_in_the_term(
    anchor: date, plan: BillingPlan, length: Term, number: int, data: st.DataObject
) -> None:
    period = term(anchor, length, number)
    day = data.draw(st.dates(period.start, period.ends_on))
    starts = {cycle(anchor, plan, each).start for each in range((number + 1) * 12 + 1)}
    assert cycles_after(anchor, plan, day, period.end) == sum(day < start < period.end for start in starts)


def test_a_period_without_days_holds_none() -> None:
    assert JAN_31 not in Period(start=JAN_31, end=JAN_31)
