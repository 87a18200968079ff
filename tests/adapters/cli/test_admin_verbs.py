"""What an organization and its operator administer, as it is typed."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from adapters.directory.microsoft_365 import CONTOSO
from tests.adapters.cli.conftest import Console, one_line_of

pytestmark = pytest.mark.enable_socket
TOMORROW = (datetime.now(UTC).date() + timedelta(days=1)).isoformat()


def test_an_organization_has_one_handle_for_ever(operator: Console) -> None:
    words = ("organization", "create", f"fabrikam-{uuid4().hex[:8]}", "--country", "de", "--currency", "eur")
    created = operator.done(*words, "--admin", "cynthia@contoso.com", "--simulation")
    assert created["events"][0]["facts"]["organization"]["currency_exponent"] == 2
    again = (*words, "--admin", "david@contoso.com")
    assert operator(*again).refused == "organization_exists"
    shown = Console(operator.settings, words[2], "operator").done("organization", "show")
    assert (shown["country"], shown["currency"], shown["simulation"]) == ("DE", "EUR", True)
    assert shown["roles"][0]["user_name"] == "cynthia@contoso.com"


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--country", "ZZ", "--currency", "USD"), "unknown_country"),
        (("--country", "US", "--currency", "XXX"), "unknown_currency"),
    ],
)
def test_countries_and_currencies_exist(operator: Console, words: tuple[str, ...], code: str) -> None:
    assert operator("organization", "create", "nowhere", *words, "--admin", "chris@contoso.com").refused == code


def test_roles_are_granted_listed_and_revoked(admin: Console) -> None:
    admin.done("role", "grant", "ben@contoso.com", "billing_reader")
    held = {one["user_name"]: one["roles"] for one in admin.done("role", "list")["roles"]}
    assert held == {"chris@contoso.com": ["admin"], "ben@contoso.com": ["billing_reader"]}
    admin.done("role", "revoke", "ben@contoso.com", "billing_reader")
    assert len(admin.done("role", "list")["roles"]) == 1
    assert admin.as_("ben@contoso.com")("role", "grant", "ben@contoso.com", "admin").refused == "not_allowed"


def test_a_policy_stops_purchases_and_is_listed(admin: Console, ben: Console) -> None:
    admin.done("policy", "set", "Power BI Pro", "Disabled")
    assert ben("buy", "Power BI Pro", "-n", "1").refused == "self_service_disabled"
    listed = {one["product"]: one["policy"] for one in admin.done("policy", "list")["policies"]}
    assert len(listed) == 17
    assert listed["Power BI Pro"] == "Disabled"
    assert admin("policy", "set", "Power BI Pro", "OnlyTrialsWithoutPaymentMethod").refused == "policy_not_offered"
    assert admin.said("policy", "set", "Career Coach for faculty", "Disabled").code == 2


def test_members_are_found_by_the_start_of_a_name(admin: Console) -> None:
    (member,) = admin.done("member", "list", "--name", "CYN")["members"]
    assert (member["user_name"], member["kind"], member["status"]) == ("cynthia@contoso.com", "member", "active")
    assert len(admin.done("member", "list")["members"]) == 5
    assert len(admin.done("member", "list", "--limit", "2")["members"]) == 2


def test_a_member_is_deactivated_reactivated_removed_and_restored(admin: Console, ben: Console, bought: str) -> None:
    ben.done("assign", bought, "david@contoso.com")
    admin.done("member", "deactivate", "david@contoso.com")
    admin.done("member", "reactivate", "david@contoso.com")
    removed = admin.done("member", "remove", "david@contoso.com")
    assert [event["event"] for event in removed["events"]] == ["LicensePool.LicenseUnassigned"]
    assert ben("assign", bought, "david@contoso.com").refused == "user_not_in_organization"
    assert admin.as_("david@contoso.com")("products").refused == "member_not_active"
    assert admin.done("member", "import", str(CONTOSO))["events"] == 1
    ben.done("assign", bought, "david@contoso.com")


def test_a_guest_may_not_buy(admin: Console, tmp_path: Path) -> None:
    header = CONTOSO.read_text("utf-8-sig").splitlines()[0]
    file = tmp_path / "guests.csv"
    file.write_text(f"{header}\nguest_b.example#EXT#@contoso.example{',' * 15}\n", "utf-8")
    assert admin.done("member", "import", str(file))["guests"] == 1
    guest = admin.as_("guest_b.example#EXT#@contoso.example")
    assert guest("buy", "Power BI Pro", "-n", "1").refused == "guest_may_not_buy"


def test_the_catalog_imported_again_changes_nothing(operator: Console) -> None:
    again = operator.done("catalog", "import")
    assert (again["products"], again["self_service"], again["on_sale"], again["offers"]) == (571, 17, 7, 10)
    assert again["events"] == 0


def test_the_catalog_lists_what_is_on_sale(operator: Console, admin: Console) -> None:
    listed = operator.done("catalog", "list", "--on-sale")["products"]
    assert len(listed) == 7
    (visio,) = operator.done("catalog", "list", "--on-sale", "--product", "visio plan 2")["products"]
    assert {offer["terms"]["plan"] for offer in visio["offers"]} == {"monthly", "annual"}
    assert "Visio Plan 2" in admin.said("catalog", "list", "--product", "VISIO").out


def test_prices_are_scheduled_and_withdrawn_after_today(operator: Console) -> None:
    words = ("catalog", "price", "Power BI Premium (standalone)", "--on", TOMORROW)
    scheduled = operator.done(*words, "--amount", "15.00")
    assert scheduled["events"][0]["facts"]["price"]["unit_price_minor"] == 1_500
    assert operator(*words, "--amount", "16.00").refused == "price_version_exists"
    withdrawn = operator.done(*words, "--withdraw")
    assert withdrawn["events"][0]["event"] == "Offer.PriceVersionWithdrawn"
    late = ("catalog", "price", "Power BI Premium (standalone)", "--on", "2020-01-01", "--amount", "1")
    assert operator(*late).refused == "effective_date_too_early"


def test_an_offer_is_withdrawn_and_the_withdrawal_revoked(operator: Console) -> None:
    offer = operator.done("catalog", "withdraw", "Power Apps per user", "--on", TOMORROW)["offer_id"]
    revoked = operator.done("catalog", "withdraw", offer, "--revoke")
    assert revoked["events"][0]["event"] == "Offer.OfferWithdrawalRevoked"


def test_the_catalog_is_the_operators(admin: Console) -> None:
    said = admin.plain("catalog", "import", "--as", "chris@contoso.com")
    assert said.code == 2
    assert "say --as operator" in one_line_of(said)
