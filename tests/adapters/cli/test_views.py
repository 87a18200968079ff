"""What admins and users see: lists, one purchase, products, as tables, JSON and CSV."""

import csv
import io
from datetime import UTC, datetime

import pytest

from tests.adapters.cli.conftest import Console, one_line_of

pytestmark = pytest.mark.enable_socket


def test_the_admins_view_has_what_was_bought_by_whom_until_when(admin: Console, ben: Console, bought: str) -> None:
    ben.done("assign", bought, "david@contoso.com", "cynthia@contoso.com")
    (row,) = admin.done("purchases", "list")["purchases"]
    expected = {
        "product": "Power BI Pro",
        "purchaser": "ben@contoso.com",
        "purchaser_name": "Ben Andrews",
        "subscription_id": bought,
        "price_text": "1,400.00 USD",
        "licenses_total": 100,
        "licenses_assigned": 2,
        "state": "active",
        "channel": "self_service",
    }
    assert {name: row[name] for name in expected} == expected
    assert sorted(row["assigned_users"]) == ["cynthia@contoso.com", "david@contoso.com"]
    assert row["expiry_date"] > datetime.now(UTC).date().isoformat()
    shown = admin.said("purchases", "list").out
    assert all(words in shown for words in ("Ben Andrews", "1,400.00 USD", "2 of 100", "david@contoso.com"))


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (("--self-service",), True),
        (("--product", "power bi pro"), True),
        (("--product", "Visio Plan 1", "--state", "active"), None),
        (("--purchaser", "BEN@contoso.com"), True),
        (("--purchaser", "david@contoso.com"), False),
        (("--state", "active"), True),
        (("--state", "disabled"), False),
        (("--ends-before", "2020-01-01"), False),
        (("--ends-before", "2999-01-01"), True),
    ],
)
def test_the_filters_let_through_what_they_say(
    admin: Console, bought: str, words: tuple[str, ...], found: bool | None
) -> None:
    said = admin("purchases", "list", *words)
    if found is None:  # two products have that name
        assert said.code == 2
        assert "2 products are called Visio Plan 1" in one_line_of(said)
    else:
        assert [row["subscription_id"] for row in said.data["purchases"]] == ([bought] if found else [])


def test_csv_has_a_row_for_each_purchase_and_no_formulas(admin: Console, ben: Console, bought: str) -> None:
    ben.done("assign", bought, "ben@contoso.com")
    rows = list(csv.DictReader(io.StringIO(admin.said("purchases", "list", "--csv").out)))
    assert [(row["subscription_id"], row["purchase_price"], row["assigned_users"]) for row in rows] == [
        (bought, "1400.00", "ben@contoso.com")
    ]
    said = admin.said("purchases", "list", "--csv", "--json")
    assert said.code == 2


def test_one_purchase_is_shown_with_its_licenses_and_its_order_history(
    admin: Console, ben: Console, bought: str
) -> None:
    ben.done("assign", bought, "david@contoso.com")
    ben.done("resize", bought, "105")
    shown = admin.done("purchases", "show", bought)
    assert [one["user_name"] for one in shown["assignments"]] == ["david@contoso.com"]
    assert [(one["event"].split(".")[1], one["actor"]) for one in shown["orders"]] == [
        ("SubscriptionPurchased", "ben@contoso.com"),
        ("LicensePoolOpened", "ben@contoso.com"),
        ("LicensesResized", "ben@contoso.com"),
    ]
    today = datetime.now(UTC).date().isoformat()
    assert len(admin.done("purchases", "show", bought[:8], "--on", today)["assignments"]) == 1
    assert admin.done("purchases", "show", bought, "--on", "2020-01-01")["assignments"] == []
    assert "Order history" in admin.said("purchases", "show", bought).out


def test_users_see_their_own_and_admins_need_the_role(admin: Console, ben: Console, bought: str) -> None:
    assert len(ben.done("purchases", "list", "--role", "purchaser")["purchases"]) == 1
    assert len(ben.done("purchases", "list")["purchases"]) == 1  # for who is no admin, the own ones
    assert ben("purchases", "list", "--role", "admin").refused == "not_allowed"
    david = admin.as_("david@contoso.com")
    assert david.done("purchases", "list", "--role", "purchaser")["purchases"] == []
    assert david("purchases", "show", bought, "--role", "purchaser").refused == "not_found"


def test_my_products_are_summed(ben: Console, bought: str) -> None:
    second = ben.done("buy", "Power BI Pro", "-n", "5")["subscription_id"]
    answer = ben.done("products")
    (product,) = answer["products"]
    assert (product["subscriptions"], product["licenses_total"]) == (2, 105)
    assert {row["subscription_id"] for row in answer["subscriptions"]} == {bought, second}


def test_auditors_see_purchases_without_names(admin: Console, bought: str) -> None:
    admin.done("role", "grant", "cynthia@contoso.com", "auditor")
    cynthia = admin.as_("cynthia@contoso.com")
    said = cynthia("purchases", "show", bought, "--role", "auditor")
    assert said.data["purchaser"] is None
    assert said.data["purchaser_id"]
    assert "ben@" not in said.out
    assert "Ben" not in said.out
    (row,) = cynthia.done("purchases", "list", "--role", "auditor")["purchases"]
    assert row["purchaser_name"] is None
