"""Buying, resizing, assigning and cancelling as they are typed."""

from typing import Any
from uuid import uuid4

import pytest

from tests.adapters.cli.conftest import Console, one_line_of

pytestmark = pytest.mark.enable_socket
USERS = [f"nobody{n}@contoso.example" for n in range(21)]


def told(answer: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The facts of what was told about subscriptions and licenses; what it costs is another test's."""
    return {
        event["event"].split(".")[1]: event["facts"]
        for event in answer["events"]
        if event["event"].startswith(("Subscription.", "LicensePool."))
    }


def events(answer: dict[str, Any]) -> list[str]:
    names = [event["event"].split(".") for event in answer["events"]]
    return [name for aggregate, name in names if aggregate in {"Subscription", "LicensePool"}]


def test_a_quote_says_the_price_and_records_nothing(ben: Console) -> None:
    before = ben.plain("status", "--json").data["ledger"]["last"]
    quoted = ben.done("quote", "Power BI Pro", "--licenses", "100")
    price = quoted["price"]
    assert (quoted["amount_minor"], price["unit_price_minor"], price["currency"]) == (140_000, 1_400, "USD")
    assert ben.plain("status", "--json").data["ledger"]["last"] == before


def test_what_is_bought_is_answered_with_its_events(ben: Console) -> None:
    answer = ben.done("buy", "POWER_BI_PRO", "-n", "3")
    assert events(answer) == ["SubscriptionPurchased", "LicensePoolOpened"]
    purchased = next(event for event in answer["events"] if event["event"].endswith(".SubscriptionPurchased"))
    assert purchased["id"] == answer["subscription_id"]
    assert answer.keys() >= {"command_id", "organization_id", "position", "organization_seq", "pool_id"}


def test_the_same_command_id_is_one_purchase(ben: Console) -> None:
    command_id = str(uuid4())
    first = ben.done("buy", "Power BI Pro", "-n", "3", "--command-id", command_id)
    assert ben.done("buy", "Power BI Pro", "-n", "3", "--command-id", command_id) == first
    assert ben("buy", "Power BI Pro", "-n", "4", "--command-id", command_id).refused == "command_id_reused"
    assert len(ben.done("products")["subscriptions"]) == 1


def test_a_product_with_several_offers_needs_the_terms(ben: Console) -> None:
    said = ben.said("buy", "Visio Plan 2", "-n", "1")
    assert said.code == 2
    assert "say --term and --plan" in one_line_of(said)
    answer = ben.done("buy", "Visio Plan 2", "-n", "1", "--plan", "annual")
    assert told(answer)["SubscriptionPurchased"]["price"]["unit_price_minor"] == 18_000


def test_what_is_not_sold_in_the_currency_is_not_found(ben: Console) -> None:
    assert ben("buy", "Planner Plan 1", "-n", "1").refused == "not_found"
    assert ben("buy", "Clipchamp Premium", "-n", "1").refused == "not_found"
    assert ben("buy", "No Such Product", "-n", "1").refused == "not_found"


def test_a_central_purchase_is_an_admins_for_somebody(admin: Console, ben: Console) -> None:
    words = ("buy", "Power BI Pro", "-n", "2", "--channel", "central", "--for", "ben@contoso.com")
    assert ben(*words).refused == "not_allowed"
    bought = admin.done(*words)
    assert told(bought)["SubscriptionPurchased"]["channel"] == "central"
    assert admin.done("purchases", "list", "--self-service")["purchases"] == []
    assert ben.said(*words[:4], "--for", "chris@contoso.com").code == 2


def test_the_new_total_is_set_where_the_old_one_is_as_expected(ben: Console, bought: str) -> None:
    answer = ben.done("resize", bought[:8], "105", "--expected-total", "100")
    assert told(answer)["LicensesResized"]["total"] == 105
    assert ben("resize", bought, "110", "--expected-total", "100").refused == "stale_version"
    assert ben.done("resize", bought, "105")["events"] == []
    assert "(it was so already)" in ben.said("resize", bought, "105").out


def test_users_get_licenses_by_name_and_give_them_back(ben: Console, bought: str) -> None:
    assert events(ben.done("assign", bought, "DAVID@contoso.com", "ben@contoso.com")) == ["LicenseAssigned"] * 2
    assert ben("resize", bought, "1").refused == "licenses_still_assigned"
    assert events(ben.done("unassign", bought, "david@contoso.com")) == ["LicenseUnassigned"]
    assert events(ben.done("unassign", "--product", "Power BI Pro", "ben@contoso.com")) == ["LicenseUnassigned"]
    assert ben.done("unassign", bought, "ben@contoso.com")["events"] == []


def test_more_than_20_users_at_once_are_refused(ben: Console, bought: str) -> None:
    assert ben("assign", bought, *USERS).refused == "too_many_users_at_once"


def test_every_user_who_cannot_hold_a_license_is_named_with_the_reason(
    admin: Console, ben: Console, bought: str
) -> None:
    admin.done("member", "deactivate", "david@contoso.com")
    said = ben("assign", bought, "stranger@elsewhere.example", "david@contoso.com", "cynthia@contoso.com")
    assert said.refused == "user_not_in_organization"
    line = one_line_of(said)
    assert "stranger@elsewhere.example (unknown)" in line
    assert "david@contoso.com (deactivated)" in line
    assert "cynthia" not in line
    names = said.data["error"]["facts"]["user_names"]
    assert set(names.values()) == {"stranger@elsewhere.example", "david@contoso.com"}
    assert names.keys() == said.data["error"]["facts"]["reasons"].keys()
    assert ben("unassign", bought, "stranger@elsewhere.example").refused == "user_not_in_organization"


def test_a_refusal_names_people_as_people_know_them(admin: Console) -> None:
    said = admin("role", "revoke", "chris@contoso.com", "admin")
    assert said.refused == "last_admin"
    assert "chris@contoso.com" in one_line_of(said)


def test_somebody_elses_purchase_does_not_exist(admin: Console, bought: str) -> None:
    assert admin.as_("david@contoso.com")("resize", bought, "101").refused == "not_found"
    assert admin("resize", bought, "101", "--role", "admin").refused == "not_allowed"


def test_a_change_is_scheduled_and_withdrawn(ben: Console, bought: str) -> None:
    assert events(ben.done("schedule", bought, "80")) == ["LicenseChangeScheduled"]
    assert events(ben.done("schedule", bought, "--withdraw")) == ["LicenseChangeWithdrawn"]
    for words in ((), ("80", "--withdraw")):
        said = ben.said("schedule", bought, *words)
        assert said.code == 2
        assert "or --withdraw, and not both" in one_line_of(said)


def test_recurring_billing_and_a_cancellation_at_term_end_can_be_taken_back(ben: Console, bought: str) -> None:
    assert events(ben.done("recurring", bought, "off")) == ["RecurringBillingTurnedOff"]
    assert events(ben.done("recurring", bought, "on")) == ["RecurringBillingTurnedOn"]
    cancelled = ben.done("cancel", bought, "--when", "term_end", "--reason", "other")
    assert events(cancelled) == ["RecurringBillingTurnedOff", "CancellationScheduled"]
    assert "CancellationWithdrawn" in events(ben.done("withdraw-cancellation", bought))


def test_cancelling_now_ends_access_and_keeps_the_feedback_out_of_the_answer(ben: Console, bought: str) -> None:
    ben.done("assign", bought, "ben@contoso.com")
    said = ben("cancel", bought, "--when", "now", "--reason", "too_expensive", "--feedback", "Half the price elsewhere")
    assert events(said.data) == ["SubscriptionCancelled", "LicensePoolClosed"]
    assert told(said.data)["LicensePoolClosed"]["assignments_ended"] == 1
    assert "Half the price" not in said.out + said.err
    assert ben("assign", bought, "ben@contoso.com").refused == "subscription_not_active"
