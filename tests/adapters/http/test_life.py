"""The life of a subscription over HTTP: renewing or not, cancelling, being taken over."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from adapters.settings import Settings
from tests.adapters.http.asking import advances, done_once, member_id_of, told, told_of
from tests.adapters.http.conftest import ADMIN, OTHER, PURCHASER, Api, can_pay, founded, refused

OFF, ON = {"on": False}, {"on": True}
NOW = {"when": "now", "reason": "bought_by_mistake"}
AT_THE_END = {"when": "term_end", "reason": "project_ended"}


def test_recurring_billing_goes_off_and_on(ben: Api, bought: str) -> None:
    path = f"/subscriptions/{bought}/recurring-billing"
    seen = ben.tag(f"/subscriptions/{bought}")
    off = done_once(ben, "PUT", path, OFF, other=ON, tag=seen).json()
    assert told(off) == ["subscription.recurring_billing_turned_off"]
    assert off["events"][0]["subject"] == bought
    refused(ben.ask("PUT", path, json=ON, tag=seen), 412, "changed_meanwhile")
    seen = ben.tag(f"/subscriptions/{bought}")
    assert told(ben.put(path, ON, tag=seen)) == ["subscription.recurring_billing_turned_on"]
    assert ben.put(path, ON)["events"] == []  # it was so
    refused(ben.ask("PUT", path, json=ON), 428, "if_match_required")
    refused(ben.ask("PUT", path, json=ON, tag="W/1"), 400, "if_match_malformed")
    refused(ben.ask("PUT", path, json={"on": 1}, tag="*"), 422, "bad_input")


def test_a_cancellation_at_the_terms_end_can_be_withdrawn(ben: Api, bought: str) -> None:
    path, words = f"/subscriptions/{bought}/cancellation", "it was nice with you"
    body = AT_THE_END | {"feedback": words}
    answer = done_once(ben, "POST", path, body, other=body | {"reason": "other"})
    assert told(answer.json()) == [
        "subscription.recurring_billing_turned_off",
        "subscription.cancellation_scheduled",
    ]
    assert words not in answer.text
    purchase = ben.get(f"/subscriptions/{bought}")
    assert (purchase["cancellation_scheduled"], purchase["state"]) == (True, "active")
    elsewhere = f"/subscriptions/{uuid4()}/cancellation"
    back = done_once(ben, "DELETE", path, other_path=elsewhere).json()
    assert "subscription.cancellation_withdrawn" in told(back)
    assert not ben.get(f"/subscriptions/{bought}")["cancellation_scheduled"]


def test_cancelled_now_it_ends_and_the_money_comes_back(ben: Api, bought: str) -> None:
    path = f"/subscriptions/{bought}/cancellation"
    document = done_once(ben, "POST", path, NOW, other=AT_THE_END).json()
    assert {
        "subscription.subscription_cancelled",
        "license_pool.license_pool_closed",
        "invoice.credit_note_issued",
        "payment.refund_requested",
    } <= set(told(document))
    assert told_of(document, "payment.refund_requested")["amount_minor"] == 140_000
    assert ben.get(f"/subscriptions/{bought}")["state"] == "disabled"
    refused(ben.ask("POST", path, json=AT_THE_END), 409, "subscription_not_active")


def test_for_others_it_does_not_exist(chris: Api, ben: Api, bought: str, operator: Api) -> None:
    david, elsewhere = chris.as_(OTHER), founded(operator).as_(PURCHASER)
    purchase = f"/subscriptions/{bought}"
    for somebody in (david, elsewhere, chris.in_role("purchaser")):
        refused(somebody.ask("PUT", f"{purchase}/recurring-billing", json=OFF, tag='"7-7"'), 404, "not_found")
        refused(somebody.ask("POST", f"{purchase}/cancellation", json=NOW), 404, "not_found")
        refused(somebody.ask("DELETE", f"{purchase}/cancellation"), 404, "not_found")
    refused(chris.ask("POST", f"{purchase}/cancellation", json=NOW), 403, "not_allowed")  # an admin takes it over
    refused(ben.within("contoso").ask("POST", f"{purchase}/cancellation", json=NOW), 404, "not_found")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("adoption", {"reason": "requested"}),
        ("users-moved", {"target_id": str(uuid4())}),
        ("taken-over-cancellation", {"reason": "other"}),
    ],
)
def test_only_an_admin_takes_a_purchase_over(
    chris: Api, bought: str, path: str, body: dict[str, str], operator: Api
) -> None:
    refused(chris.as_(PURCHASER).ask("POST", f"/subscriptions/{bought}/{path}", json=body), 403, "not_allowed")
    refused(chris.in_role("purchaser").ask("POST", f"/subscriptions/{bought}/{path}", json=body), 403, "not_allowed")
    refused(chris.ask("POST", f"/subscriptions/{uuid4()}/{path}", json=body), 404, "not_found")
    refused(founded(operator).ask("POST", f"/subscriptions/{bought}/{path}", json=body), 404, "not_found")
    refused(chris.ask("POST", f"/subscriptions/{bought}/{path}", json=body | {"reason": "bored"}), 422, "bad_input")


def test_an_adopted_purchase_is_billed_on_a_profile_of_the_admins(chris: Api, ben: Api, bought: str) -> None:
    chris = chris.as_(ADMIN)  # in the usual role of these routes
    profile_id = can_pay(chris)
    path = f"/subscriptions/{bought}/adoption"
    document = done_once(chris, "POST", path, {"reason": "requested"}, other={"reason": "other"}).json()
    assert "subscription.subscription_adopted" in told(document)
    purchase = chris.in_role("admin").get(f"/subscriptions/{bought}")
    assert (purchase["channel"], purchase["billing_profile_id"]) == ("central", profile_id)
    assert purchase["purchaser"]["user_name"] == ADMIN
    refused(ben.ask("POST", f"/subscriptions/{bought}/cancellation", json=NOW), 404, "not_found")


def test_users_move_to_a_central_subscription(chris: Api, ben: Api, bought: str, offer_id: str) -> None:
    can_pay(chris)
    holder = member_id_of(chris, OTHER)
    ben.post(f"/subscriptions/{bought}/assignments", {"user_ids": [holder]})
    order = {"offer_id": offer_id, "licenses": 1, "channel": "central"}
    target = chris.post("/subscriptions", order)["subscription_id"]
    path, body = f"/subscriptions/{bought}/users-moved", {"target_id": target, "reason": "bought_elsewhere"}
    document = done_once(chris, "POST", path, body, other=body | {"reason": "other"}).json()
    assert {
        "license_pool.license_assigned",
        "license_pool.license_unassigned",
        "subscription.subscription_cancelled",
    } < set(told(document))
    moved = chris.get(f"/subscriptions/{target}/assignments")["items"]
    assert [one["member"]["member_id"] for one in moved] == [holder]
    assert chris.get(f"/subscriptions/{bought}")["state"] == "disabled"


def test_a_window_passes_for_the_purchaser_and_not_for_the_admin(
    operator: Api, offer_id: str, api_settings: Settings
) -> None:
    chris = founded(operator, simulation=True)
    ben = chris.as_(PURCHASER)
    can_pay(ben)
    bought = ben.post("/subscriptions", {"offer_id": offer_id, "licenses": 2})["subscription_id"]
    advances(api_settings, chris.handle, (datetime.now(UTC) + timedelta(days=9)).date())
    found = refused(
        ben.ask("POST", f"/subscriptions/{bought}/cancellation", json=NOW), 409, "cancellation_window_passed"
    )
    assert found["facts"]["ends_on"]
    path = f"/subscriptions/{bought}/taken-over-cancellation"
    document = done_once(chris, "POST", path, {"reason": "not_used_enough"}, other={"reason": "other"}).json()
    assert told_of(document, "subscription.subscription_cancelled")["when"] == "taken_over"
    assert "payment.refund_requested" not in told(document)
