"""Microsoft's worked examples: their dates are ours, their amounts those of their rules.

The figures are from Microsoft's Partner Center documentation (CC BY 4.0). Left out is what the product does not do
(aligned ends, trials, migrations) and what contradicts itself on its page.
"""

import json
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from adapters.catalog.currency import minor_units
from domain.calendar import cycle, term
from domain.proration import DAILY_HALF_UP
from services.vendor_change import Change
from services.vendor_rules import rule_of

FACTS: dict[str, Any] = json.loads(
    (Path(__file__).parents[1] / "published" / "microsoft_cases.json").read_text("utf-8")
)
DAY = date.fromisoformat


@pytest.mark.parametrize("fact", FACTS["monthly_terms"], ids=lambda fact: fact["start"])
def test_a_monthly_term_ends_the_day_before_the_same_day_or_before_the_months_last(fact: dict[str, str]) -> None:
    first, second = (term(DAY(fact["start"]), "P1M", number) for number in (0, 1))
    assert (str(first.ends_on), str(second.start)) == (fact["ends_on"], fact["renews_on"])


def test_the_cycles_of_a_year_are_counted_from_its_first_day() -> None:
    fact = FACTS["cycles_of_a_year"]
    start = DAY(fact["start"])
    cycles = [cycle(start, "monthly", number) for number in range(12)]
    assert [[str(each.start), str(each.ends_on)] for each in cycles] == fact["cycles"]
    assert str(term(start, "P1Y", 0).ends_on) == fact["ends_on"]


def test_a_year_from_the_30th_keeps_the_30th_where_microsoft_keeps_the_distance_from_the_months_end() -> None:
    """Their monthly term from the same day renews on Feb 28, as ours does: we follow that page."""
    fact = FACTS["odd_cycle_starts"]
    ours = [str(cycle(DAY(fact["start"]), "monthly", number).start) for number in range(12)]
    assert [day for day in ours if day not in fact["theirs"]] == [
        "2021-02-28", "2021-04-30", "2021-06-30", "2021-09-30", "2021-11-30",
    ]  # fmt: skip


@pytest.mark.parametrize("fact", FACTS["whole_cycles"], ids=lambda fact: f"{fact['plan']}-{fact['number']}")
def test_a_whole_cycle_costs_its_price(fact: dict[str, Any]) -> None:
    billed = cycle(DAY(fact["anchor"]), fact["plan"], fact["number"])
    assert (str(billed.start), str(billed.ends_on)) == (fact["from"], fact["to"])
    price = minor_units(fact["unit_price"], "EUR")
    ours = DAILY_HALF_UP.amount(
        unit_price_minor=price, quantity=fact["licenses"], days=billed.days, cycle_days=billed.days
    )
    assert ours == minor_units(fact["total"], "EUR")


def cents(amount: str) -> int:
    return int(Decimal(amount).scaleb(2))


def change(fact: dict[str, Any]) -> Change:
    price = Fraction(cents(fact["unit_price"]))
    return Change(
        old_price=price,
        new_price=price,
        old_quantity=fact["old"],
        new_quantity=fact["new"],
        start=DAY(fact["start"]),
        end=DAY(fact["end"]),
        since=DAY(fact["change"]),
        until=DAY(fact["end"]),
        words=fact["words"],
    )


@pytest.mark.parametrize("fact", FACTS["changes"], ids=lambda fact: fact["id"])
def test_changes_and_cancellations_make_the_lines_of_the_page(fact: dict[str, Any]) -> None:
    changed = change(fact)
    assert changed.left == fact["days"]
    assert rule_of("Microsoft", changed).lines(changed) == [cents(line) for line in fact["lines"]]


def test_sales_tax_is_cut_to_cents() -> None:
    fact = FACTS["sales_tax"]
    day = date(2024, 1, 1)
    bought = Change(
        old_price=Fraction(0),
        new_price=Fraction(cents(fact["unit_price"])),
        old_quantity=0,
        new_quantity=fact["licenses"],
        start=day,
        end=date(2024, 2, 1),
        since=day,
        until=date(2024, 2, 1),
        tax=Fraction(fact["rate_percent"]) / 100,
        words="lines truncated",
    )
    assert rule_of("Microsoft", bought).lines(bought)[-1] == cents(fact["tax"])
