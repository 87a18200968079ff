"""Whole minor units, rounded once, half up, of the magnitude: `domain.money` and `domain.tax`."""

from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from domain.money import half_up
from domain.tax import TaxRate
from tests.examples import FIVE_PERCENT, NO_TAX

numerators = st.integers(-(10**15), 10**15)
denominators = st.integers(1, 10**9)


@pytest.mark.parametrize(
    ("numerator", "denominator", "rounded"),
    [
        (1, 2, 1),
        (-1, 2, -1),
        (3, 2, 2),
        (-3, 2, -2),
        (49, 100, 0),
        (-49, 100, 0),
        (50, 100, 1),
        (51, 100, 1),
        (0, 7, 0),
    ],
)
def test_a_half_goes_away_from_zero(numerator: int, denominator: int, rounded: int) -> None:
    assert half_up(numerator, denominator) == rounded


@given(numerator=numerators, denominator=denominators)
def test_it_is_the_rounding_of_the_magnitude(numerator: int, denominator: int) -> None:
    exact = (Decimal(numerator) / Decimal(denominator)).quantize(Decimal(1), ROUND_HALF_UP)  # away from zero, too
    assert abs(half_up(numerator, denominator) * denominator - numerator) * 2 <= denominator
    assert half_up(numerator, denominator) == -half_up(-numerator, denominator) == exact


@given(numerator=numerators, more=st.integers(0, 10**15), denominator=denominators)
def test_more_never_rounds_to_less(numerator: int, more: int, denominator: int) -> None:
    assert half_up(numerator, denominator) <= half_up(numerator + more, denominator)


@given(whole=numerators, denominator=denominators)
def test_what_is_whole_stays(whole: int, denominator: int) -> None:
    assert half_up(whole * denominator, denominator) == whole


# Tax.


@pytest.mark.parametrize(("net_minor", "tax_minor"), [(10, 1), (9, 0), (30, 2), (29, 1), (20, 1), (0, 0), (-10, -1)])
def test_tax_is_rounded_half_up_of_the_sum(net_minor: int, tax_minor: int) -> None:
    assert FIVE_PERCENT.on(net_minor) == tax_minor


def test_where_there_is_no_tax_it_is_nothing() -> None:
    assert NO_TAX.on(123_456_789) == 0


@pytest.mark.parametrize("wrong", [{"rate_ppm": -1}, {"rate_ppm": 1_000_000}, {"country": "usa"}, {"country": "US\n"}])
def test_a_rate_out_of_shape_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        TaxRate.model_validate(FIVE_PERCENT.model_dump() | wrong)
