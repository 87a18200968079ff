"""Published cases under their vendors' rules, and the same cases with other dates and quantities: `quote_cases`."""

import json
import math
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from adapters.catalog.currency import exponent_of
from services.quote_cases import CaseAnswer, ProrationCase, quote_cases

PUBLISHED: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[1] / "published" / "proration_cases.json").read_text("utf-8")
)
BY_ID = {case["id"]: case for case in PUBLISHED}

OUT_OF_SCOPE = {
    "billing_day_change", "credit_note_partial", "fixed_charge_upgrade", "interval_change", "mode_change", "one_time",
    "pause", "plan_change", "plan_change_discount", "reactivate", "retroactive_correction", "seat_quantity_discount",
    "timezone", "trial_conversion", "upgrade_arrears",
}  # fmt: skip


def quoted(case: dict[str, Any], **other: Any) -> CaseAnswer:
    [answer] = quote_cases([ProrationCase.model_validate({**case, **other})], exponent_of)
    return answer


@pytest.mark.parametrize("case", PUBLISHED, ids=lambda case: case["id"])
def test_a_case_in_scope_costs_what_its_vendor_published(case: dict[str, Any]) -> None:
    answer = quoted(case)
    if case["category"] in OUT_OF_SCOPE:
        assert (answer.reason, answer.ours, answer.rule, answer.equal) == ("out_of_scope", None, None, False)
    else:
        assert (answer.reason, answer.ours, answer.equal) == (None, case["expected_amount"], True)
        assert answer.rule
        assert answer.rule.endswith(".v1")


@pytest.mark.parametrize("case", PUBLISHED, ids=lambda case: case["id"])
def test_neither_id_nor_published_amount_is_looked_up(case: dict[str, Any]) -> None:
    answer, other = quoted(case), quoted(case, id="another", expected_amount="123456.78")
    assert (other.rule, other.ours) == (answer.rule, answer.ours)
    if other.ours:
        assert (other.equal, other.reason) == (False, "rule_differs")
        assert other.detail
        assert str(other.rule) in other.detail


def cents(exact: Decimal) -> Decimal:
    return exact.quantize(Decimal("0.01"), ROUND_HALF_UP)


days_of_june = st.integers(0, 30)
seats = st.integers(1, 500)


@given(day=days_of_june, old=seats, new=seats)
def test_polars_seats_on_other_days(day: int, old: int, new: int) -> None:
    answer = quoted(BY_ID["PO-11"], change_date=f"{date(2025, 6, 1) + timedelta(days=day)}", old_quantity=old,
                    new_quantity=new)  # fmt: skip
    assert answer.ours == f"{Decimal(math.trunc(Fraction(1_000 * (new - old) * (30 - day), 30))) / 100:.2f}"


@given(day=days_of_june, old=seats)
def test_kill_bills_cancellations_on_other_days(day: int, old: int) -> None:
    answer = quoted(BY_ID["KB-33"], change_date=f"{date(2013, 6, 15) + timedelta(days=day)}", old_quantity=old)
    factor = (Decimal(30 - day) / 30).quantize(Decimal("1e-9"), ROUND_HALF_UP)
    assert Decimal(str(answer.ours)) == -cents(Decimal("19.95") * old * factor)


@given(day=st.integers(0, 27))
def test_lagos_terminations_on_other_days(day: int) -> None:
    answer = quoted(BY_ID["LA-22"], change_date=f"{date(2023, 2, 1) + timedelta(days=day)}")
    unused = Decimal(50) * (27 - day) / 28
    assert Decimal(str(answer.ours)) == -(cents(unused) + cents(unused / 5))


@given(day=st.integers(1, 29), old=seats, new=seats)
def test_microsofts_seats_on_other_days(day: int, old: int, new: int) -> None:
    answer = quoted(BY_ID["MS-02"], change_date=f"{date(2019, 7, 10) - timedelta(days=day)}", old_quantity=old,
                    new_quantity=new)  # fmt: skip
    license_price = cents(Decimal(4) * (day + 1) / 30)
    assert Decimal(str(answer.ours)) == license_price * (new - old)


@given(day=st.integers(0, 31), new=seats)
def test_meteroids_additions_on_other_days_in_yen(day: int, new: int) -> None:
    answer = quoted(BY_ID["ME-08"], period_end="2025-02-01", change_date=f"{date(2025, 2, 1) - timedelta(days=day)}",
                    new_quantity=new, currency="JPY", unit_price="1999")  # fmt: skip
    exact = Fraction(1_999 * new * day, 31)
    assert answer.ours == str(math.floor(exact + Fraction(1, 2)))


def test_units_that_were_billed_and_given_up_are_not_billed_again() -> None:
    lago = BY_ID["LA-19"]
    assert quoted(lago, description=None, old_quantity=10, new_quantity=4).ours == "0.00"
    assert quoted(lago, description=None, old_quantity=4, new_quantity=15).ours == "110.00"
    assert quoted(lago, description="10->4->15", old_quantity=4, new_quantity=15).ours == "50.00"


def test_a_service_as_long_as_its_period_or_longer_costs_the_whole() -> None:
    for day in ("2026-02-01", "2026-03-01", "2026-01-01"):
        assert quoted(BY_ID["OM-01"], change_date=day).ours == "100.00"


def test_an_unknown_vendor_is_charged_by_our_own_rule() -> None:
    answer = quoted(BY_ID["MS-02"], vendor="Nobody & Sons")
    assert (answer.rule, answer.ours) == ("daily-half-up.v1", "3.73")  # 4.00 for 28 of 30 days


@pytest.mark.parametrize("currency", ["USD", "JPY", "KWD"])
def test_an_amount_has_the_decimals_of_its_currency(currency: str) -> None:
    ours = quoted(BY_ID["PO-11"], currency=currency).ours
    assert ours is not None
    assert len(ours.partition(".")[2]) == exponent_of(currency)


def test_a_feature_that_we_lack_takes_a_case_out_of_scope() -> None:
    answer = quoted(BY_ID["PO-11"], description="with a discount of 10 %")
    assert (answer.reason, answer.ours, answer.detail) == ("out_of_scope", None, "the product has no discount")


def test_what_was_not_published_is_not_computed() -> None:
    answer = quoted(BY_ID["PO-11"], old_quantity=None)
    assert (answer.reason, answer.ours, answer.equal) == ("not_published", None, False)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("period_end", "2025-05-31"), ("change_date", "2025-05-31"), ("change_date", "2025-07-02"),
        ("change_date", "16.06.2025"), ("change_date", 45_000), ("period_start", "2025-02-30"), ("old_quantity", -1),
        ("old_quantity", "5"), ("new_quantity", 1.5), ("new_quantity", True), ("unit_price", "-1.00"),
        ("unit_price", "NaN"), ("unit_price", "1e999999"), ("unit_price", True), ("currency", "usd"), ("vendor", ""),
        ("tax_rate_percent", -1), ("expected_amount", "ten"),
    ],
)  # fmt: skip
def test_a_wrong_field_is_refused(field: str, value: object) -> None:
    with pytest.raises(ValidationError) as refused:
        ProrationCase.model_validate({**BY_ID["PO-11"], field: value})
    assert field in str(refused.value)


@pytest.mark.parametrize("field", [name for name in BY_ID["PO-11"] if name != "description"])
def test_a_missing_field_is_refused(field: str) -> None:
    with pytest.raises(ValidationError, match=field):
        ProrationCase.model_validate({name: value for name, value in BY_ID["PO-11"].items() if name != field})
