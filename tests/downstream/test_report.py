"""Amounts are exact and shown as they are; the report is for people and for programs."""

from __future__ import annotations

import json
from datetime import date
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import psycopg
import pytest
from typer.testing import CliRunner

from adapters.kafka.public_values import Price
from examples.monthly_recurring_revenue.__main__ import app
from examples.monthly_recurring_revenue.amounts import Amount, UnknownPlan, recurring_twelfths
from tests.downstream.conftest import Service

MOVED = "INSERT INTO recurring_revenue.movements VALUES (%s, %s, 'P1', %s, %s, %s, %s, %s)"
KEPT = "INSERT INTO recurring_revenue.subscriptions VALUES (%s, %s, 'P1', 'USD', 2, 0)"
SUBSCRIPTION = UUID(int=1)


def a_price(minor: int, plan: str) -> Price:
    facts = {"offer_id": UUID(int=9), "term": "P1Y", "plan": plan, "currency": "USD", "currency_exponent": 2}
    return Price.model_validate(SimpleNamespace(**facts, unit_price_minor=minor, price_version=1, rule="r"))


@pytest.mark.parametrize(
    ("licenses", "minor", "plan", "amount"),
    [
        (3, 1_400, "monthly", (4_200, 0)),
        (1, 16_800, "annual", (1_400, 0)),
        (1, 1_001, "annual", (83, 5)),
        (5, 1_001, "annual", (417, 1)),
        (12, 1_001, "annual", (1_001, 0)),
    ],
)
def test_a_year_is_twelve_months_exactly(licenses: int, minor: int, plan: str, amount: tuple[int, int]) -> None:
    assert Amount.of(recurring_twelfths(licenses, a_price(minor, plan))) == amount


def test_a_plan_that_is_not_known_is_not_guessed_at() -> None:
    with pytest.raises(UnknownPlan, match="fortnightly"):
        recurring_twelfths(1, a_price(100, "fortnightly"))


@pytest.mark.parametrize(
    ("twelfths", "exponent", "text"),
    [
        (12 * 140_000, 2, "1,400.00"),
        (12 * 5, 2, "0.05"),
        (5_005, 2, "4.17 1/12"),
        (-5_005, 2, "-4.17 1/12"),
        (-7, 2, "-0.00 7/12"),
        (12 * 1_500, 0, "1,500"),
        (12 * 1_234, 3, "1.234"),
        (0, 2, "0.00"),
    ],
)
def test_an_amount_shows_what_remains(twelfths: int, exponent: int, text: str) -> None:
    assert Amount.of(twelfths).text(exponent) == text
    assert Amount.of(twelfths).minor * 12 + Amount.of(twelfths).twelfths == twelfths


@pytest.fixture
def moved(service: Service) -> Service:
    """A subscription of 5,005 twelfths that grew and went, and one in yen."""
    with psycopg.connect(service.url) as connection:
        connection.execute(KEPT, (SUBSCRIPTION, UUID(int=2)))
        for position, currency, exponent, day, kind, twelfths in [
            (1, "USD", 2, date(2026, 10, 31), "new", 5_005),
            (2, "USD", 2, date(2026, 11, 2), "expansion", 1_001),
            (3, "JPY", 0, date(2026, 11, 3), "new", 12_000),
            (4, "USD", 2, date(2026, 11, 30), "churn", -6_006),
        ]:
            connection.execute(MOVED, (position, SUBSCRIPTION, currency, exponent, day, kind, twelfths))
    return service


def asked(service: Service, month: str, *more: str) -> str:
    answer = CliRunner().invoke(app, ["report", "--database", service.url, "--month", month, *more])
    assert answer.exit_code == 0, answer.output
    return answer.output


def test_the_report_of_a_month_for_programs(moved: Service) -> None:
    said: dict[str, Any] = json.loads(asked(moved, "2026-11", "--json"))
    yen, dollars = said["lines"]
    assert (yen["currency"], yen["new"], yen["closing"]) == (
        "JPY",
        {"minor": 1_000, "twelfths": 0},
        {"minor": 1_000, "twelfths": 0},
    )
    assert dollars["opening"] == {"minor": 417, "twelfths": 1}
    assert dollars["expansion"] == {"minor": 83, "twelfths": 5}
    assert dollars["churn"] == {"minor": -500, "twelfths": -6}
    assert dollars["closing"] == {"minor": 0, "twelfths": 0}
    assert len(dollars["days"]) == 30
    assert dollars["days"]["2026-11-01"] == {"minor": 417, "twelfths": 1}
    assert dollars["days"]["2026-11-29"] == {"minor": 500, "twelfths": 6}
    assert [line["currency"] for line in json.loads(asked(moved, "2026-12", "--json"))["lines"]] == ["JPY"]


def test_the_report_of_a_month_for_people(moved: Service) -> None:
    said = asked(moved, "2026-11").splitlines()
    assert said[0] == "Monthly recurring revenue, November 2026"
    assert said[1] == "P1 in JPY"
    assert said[10].split() == ["opening", "4.17", "1/12"]
    assert asked(moved, "2026-09").splitlines()[1].strip() == "none"
