"""What holds for every vendor's rule, whatever it rounds: `services.vendor_rules`."""

from datetime import date, timedelta
from fractions import Fraction
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.money import half_up
from services.vendor_change import Change
from services.vendor_rules import days_of_fixed_months, rule_of

# Each rule of each vendor, by the words that choose it.
WORDS = [
    ("Kill Bill", ""),
    ("Lago", ""),
    ("Polar", ""),
    ("Polar", "half_even"),
    ("Microsoft", "lines truncated"),
    ("Microsoft", "2 dp"),
    ("Microsoft", "(price/30) x 29 x licenses; 2 dp"),
    ("Microsoft", "day price to 3 dp"),
    ("Microsoft", "day price rounded to 0.13"),
    ("Meteroid", ""),
    ("OpenMeter", ""),
    ("Stripe", ""),
    ("Autumn", ""),
    ("a vendor that nobody knows", ""),
]
by_rule = pytest.mark.parametrize(("vendor", "words"), WORDS, ids=[" ".join(pair) for pair in WORDS])

prices = st.integers(0, 10**7).map(Fraction)
quantities = st.integers(1, 10**4)
START = date(2024, 1, 15)


class Days(NamedTuple):
    """How many a period has, and how many of them are left."""

    period: int
    left: int


def parts(least: int = 1, keep: int = 0) -> st.SearchStrategy[Days]:
    """Periods of up to a leap year, of which `least` days or more are left, and `keep` or more are gone."""
    return st.integers(least + keep, 366).flatmap(
        lambda period: st.builds(Days, st.just(period), st.integers(least, period - keep))
    )


def change(price: Fraction, days: Days, words: str, *, old: int, new: int) -> Change:
    end = START + timedelta(days=days.period)
    return Change(
        old_price=price,
        new_price=price,
        old_quantity=old,
        new_quantity=new,
        start=START,
        end=end,
        since=end - timedelta(days=days.left),
        until=end,
        words=words,
    )


@by_rule
@given(price=prices, quantity=quantities, days=st.integers(1, 366))
def test_a_whole_period_costs_the_whole_price(
    vendor: str, words: str, price: Fraction, quantity: int, days: int
) -> None:
    bought = change(price, Days(days, days), words, old=0, new=quantity)
    assert rule_of(vendor, bought).amount(bought) == price * quantity


@by_rule
@given(price=prices, before_and_after=st.tuples(quantities, quantities), days=st.integers(1, 366))
def test_no_days_cost_nothing(
    vendor: str, words: str, price: Fraction, before_and_after: tuple[int, int], days: int
) -> None:
    old, new = before_and_after
    changed = change(price, Days(days, 0), words, old=old, new=new)
    expected = price * (new - old) if vendor == "OpenMeter" else 0  # a service without duration is charged in full
    assert rule_of(vendor, changed).amount(changed) == expected


@by_rule
@given(price=prices, quantity=quantities, days=parts(keep=1))
def test_more_days_and_more_licenses_never_cost_less(
    vendor: str, words: str, price: Fraction, quantity: int, days: Days
) -> None:
    longer = Days(days.period, days.left + 1)
    changes = [
        change(price, days, words, old=0, new=quantity),
        change(price, longer, words, old=0, new=quantity),
        change(price, longer, words, old=0, new=quantity + 1),
    ]
    amounts = [rule_of(vendor, each).amount(each) for each in changes]
    if "day price" in words and longer.left == longer.period:
        amounts.pop(0)  # a rounded day may cost so much that all days but one cost more than all
    assert amounts == sorted(amounts)


@by_rule
@given(price=prices, quantity=quantities, days=parts(least=2))
def test_a_credit_is_the_charge_for_the_same_days_with_a_minus(
    vendor: str, words: str, price: Fraction, quantity: int, days: Days
) -> None:
    used = vendor == "Lago"  # the day of a termination
    bought = change(price, Days(days.period, days.left - used), words, old=0, new=quantity)
    ended = change(price, days, words, old=quantity, new=0)
    difference = rule_of(vendor, bought).amount(bought) + rule_of(vendor, ended).amount(ended)
    assert abs(difference) <= used, "Lago cuts a credit to five decimals before it rounds"


@by_rule
@given(price=prices, quantity=quantities, days=parts())
def test_the_same_quantity_again_changes_nothing(
    vendor: str, words: str, price: Fraction, quantity: int, days: Days
) -> None:
    changed = change(price, days, words, old=quantity, new=quantity)
    rule = rule_of(vendor, changed)
    if rule.name.endswith("-whole-rebilled.v1"):  # its two slices are rounded, and need not add up
        changed = change(price, Days(days.period, days.period), words, old=quantity, new=quantity)
    assert abs(rule.amount(changed)) <= (vendor == "Lago")


@given(price=prices, before_and_after=st.tuples(quantities, quantities), days=parts(least=0, keep=1))
def test_ours_is_multiplied_first_and_rounded_once(
    price: Fraction, before_and_after: tuple[int, int], days: Days
) -> None:
    old, new = before_and_after
    changed = change(price, days, "", old=old, new=new)
    daily = int(price) * days.left
    added = half_up(daily * (new - old), days.period)
    removed = half_up(daily * new, days.period) - half_up(daily * old, days.period)
    rule = rule_of("nobody", changed)
    assert (rule.name, rule.amount(changed)) == ("daily-half-up.v1", added if new > old else removed)


@given(st.integers(0, 3_000), st.integers(1, 28), st.integers(1, 12))
def test_a_month_of_fixed_days_has_30_wherever_it_is_parted(offset: int, billing_day: int, month: int) -> None:
    start = date(2023, month, billing_day)
    end = date(2023 + month // 12, month % 12 + 1, billing_day)
    between = start + timedelta(days=offset % (end - start).days)
    assert days_of_fixed_months(start, end) == 30
    assert days_of_fixed_months(start, between) + days_of_fixed_months(between, end) == 30
