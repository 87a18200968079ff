"""Buying and reactivating over HTTP: paid for first, answered once, refused with what to do."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest

from adapters.settings import Settings
from tests.adapters.http.asking import confirms, done_once, member_id_of, replaces_card, told, told_of
from tests.adapters.http.conftest import OTHER, PURCHASER, Api, can_pay, founded, refused

PAID_FOR = {
    "subscription.subscription_purchased",
    "license_pool.license_pool_opened",
    "invoice.invoice_issued",
    "payment.payment_authorized",
}


def test_what_is_bought_is_there_and_paid_for(ben: Api, offer_id: str) -> None:
    order = {"offer_id": offer_id, "licenses": 100, "expected_amount_minor": 140_000}
    answer = done_once(ben, "POST", "/subscriptions", order, other=order | {"licenses": 101}, status=201)
    bought = answer.json()
    assert set(told(bought)) == PAID_FOR
    assert answer.headers["Location"] == ben.path(f"/subscriptions/{bought['subscription_id']}")
    purchase = ben.get(answer.headers["Location"], at_least=bought["position"])
    assert (purchase["subscription_id"], purchase["pool_id"]) == (bought["subscription_id"], bought["pool_id"])
    assert (purchase["licenses_total"], purchase["state"], purchase["channel"]) == (100, "active", "self_service")
    invoice = ben.get(f"/invoices/{bought['invoice_id']}")
    assert (invoice["total_minor"], invoice["due_minor"], invoice["state"]) == (140_000, 0, "paid")
    assert told_of(bought, "invoice.invoice_issued")["total_minor"] == 140_000


def test_the_events_say_who_and_why(ben: Api, offer_id: str) -> None:
    correlation_id = str(uuid4())
    headers = {"Correlation-Id": correlation_id}
    bought = ben.post("/subscriptions", {"offer_id": offer_id, "licenses": 1}, headers=headers)
    for event in bought["events"]:
        assert (event["commandid"], event["correlationid"]) == (bought["command_id"], correlation_id)
        assert event["actorrole"] == "purchaser"
    assert [int(event["position"]) for event in bought["events"]][-1] == bought["position"]


def test_an_admin_buys_centrally_for_a_member(chris: Api, ben: Api, offer_id: str) -> None:
    order = {"offer_id": offer_id, "licenses": 2, "channel": "central", "purchaser_id": member_id_of(chris, PURCHASER)}
    refused(ben.ask("POST", "/subscriptions", json=order), 403, "not_allowed")
    bought = chris.post("/subscriptions", order)
    assert told_of(bought, "subscription.subscription_purchased")["channel"] == "central"
    by_operator = chris.of_the_house("operator").post("/subscriptions", order)
    assert by_operator["events"][0]["actorrole"] == "operator"


@pytest.mark.parametrize(
    ("changed", "pointer"),
    [
        ({"licenses": 0}, "/licenses"),
        ({"licenses": True}, "/licenses"),
        ({"licenses": "5"}, "/licenses"),
        ({"licenses": 1_000_001}, "/licenses"),
        ({"expected_amount_minor": -1}, "/expected_amount_minor"),
        ({"expected_amount_minor": 14.0}, "/expected_amount_minor"),
        ({"offer_id": "power-bi"}, "/offer_id"),
        ({"channel": "shop"}, "/channel"),
        ({"card": "tok_visa"}, ""),
        ({"purchaser_id": str(UUID(int=7))}, ""),  # only a central purchase is for somebody else
    ],
)
def test_a_bad_order_is_refused_by_its_field(ben: Api, offer_id: str, changed: dict[str, Any], pointer: str) -> None:
    order = {"offer_id": offer_id, "licenses": 5} | changed
    found = refused(ben.ask("POST", "/subscriptions", json=order), 422, "bad_input")
    assert [error["pointer"] for error in found["errors"]] == [pointer]


def test_what_refuses_a_purchase(chris: Api, ben: Api, offer_id: str) -> None:
    order = {"offer_id": offer_id, "licenses": 5}
    found = refused(ben.ask("POST", "/subscriptions", json=order | {"expected_amount_minor": 1}), 409, "quote_changed")
    assert found["facts"]["actual_minor"] == 7_000
    david = chris.as_(OTHER)
    refused(david.ask("POST", "/subscriptions", json=order), 409, "billing_profile_required")
    refused(ben.ask("POST", "/subscriptions", json=order | {"offer_id": str(uuid4())}), 404, "not_found")
    for not_his in (can_pay(david), str(uuid4())):
        refused(ben.ask("POST", "/subscriptions", json=order | {"billing_profile_id": not_his}), 404, "not_found")
    refused(ben.within("contoso").ask("POST", "/subscriptions", json=order), 404, "not_found")
    number = order | {"billing_profile_id": "4111 1111 1111 1111"}
    found = refused(ben.ask("POST", "/subscriptions", json=number), 422, "card_data_not_accepted")
    assert found["errors"][0]["pointer"] == "/billing_profile_id"
    assert ben.get("/subscriptions")["items"] == []


def test_a_declined_card_buys_nothing_and_the_same_key_tries_again(chris: Api, offer_id: str) -> None:
    ben, key, order = chris.as_(PURCHASER), str(uuid4()), {"offer_id": offer_id, "licenses": 5}
    can_pay(ben, "tok_declined_insufficient_funds")
    for _ in range(2):
        found = refused(ben.ask("POST", "/subscriptions", json=order, key=key), 402, "payment_declined")
        assert found["facts"]["why"] == "insufficient_funds"
    refused(ben.ask("POST", "/subscriptions", json=order | {"licenses": 6}, key=key), 422, "command_id_reused")
    replaces_card(ben, "tok_visa")
    bought = ben.post("/subscriptions", order, key=key)
    assert ben.post("/subscriptions", order, key=key) == bought
    [purchase] = ben.get("/subscriptions")["items"]
    assert purchase["licenses_total"] == 5


def test_the_payer_confirms_and_the_same_call_goes_on(chris: Api, offer_id: str, api_settings: Settings) -> None:
    ben, key, order = chris.as_(PURCHASER), str(uuid4()), {"offer_id": offer_id, "licenses": 5}
    can_pay(ben, "tok_action_required")
    waits = [ben.ask("POST", "/subscriptions", json=order, key=key) for _ in range(2)]
    for answer in waits:
        found = refused(answer, 409, "payment_action_required")
        assert int(answer.headers["Retry-After"]) > 0
        assert found["facts"]["url"]
    assert waits[0].json()["facts"] == waits[1].json()["facts"]  # one payment, however often is asked
    confirms(api_settings, found["facts"]["payment_id"], ben.handle)
    done = [ben.ask("POST", "/subscriptions", json=order, key=key) for _ in range(2)]
    assert [(answer.status_code, answer.headers.get("Idempotency-Replayed")) for answer in done] == [
        (201, None),
        (201, "true"),
    ]
    assert done[0].content == done[1].content
    assert done[0].headers["Location"] == ben.path(f"/subscriptions/{done[0].json()['subscription_id']}")


def test_a_new_one_takes_the_place_of_one_that_ended(chris: Api, ben: Api, bought: str) -> None:
    path = f"/subscriptions/{bought}/reactivation"
    found = refused(ben.ask("POST", path, json={}), 409, "nothing_to_reactivate")
    assert found["facts"]["state"] == "active"
    holder = member_id_of(chris, OTHER)
    ben.post(f"/subscriptions/{bought}/assignments", {"user_ids": [holder]})
    ben.post(f"/subscriptions/{bought}/cancellation", {"when": "now", "reason": "bought_by_mistake"})
    refused(chris.as_(OTHER).ask("POST", path), 404, "not_found")
    answer = done_once(ben, "POST", path, {"licenses": 3}, other={"licenses": 4}, status=201)
    document = answer.json()
    assert document["subscription_id"] == bought
    new_id = document["new_subscription_id"]
    assert answer.headers["Location"] == ben.path(f"/subscriptions/{new_id}")
    assert {"subscription.subscription_reactivated", "subscription.subscription_purchased"} < set(told(document))
    purchase = ben.get(f"/subscriptions/{new_id}")
    assert (purchase["pool_id"], purchase["replaces_id"]) == (document["pool_id"], bought)
    assert (purchase["licenses_total"], purchase["licenses_assigned"]) == (3, 1)
    assert ben.get(f"/invoices/{document['invoice_id']}")["total_minor"] == 3 * 1_400
    refused(ben.ask("POST", path), 409, "nothing_to_reactivate")


def test_it_comes_back_without_a_body(ben: Api, bought: str) -> None:
    """As it was."""
    ben.post(f"/subscriptions/{bought}/cancellation", {"when": "now", "reason": "bought_by_mistake"})
    again = ben.post(f"/subscriptions/{bought}/reactivation")
    assert told_of(again, "subscription.subscription_purchased")["licenses"] == 100


def test_another_organizations_purchase_does_not_exist(operator: Api, bought: str) -> None:
    elsewhere = founded(operator).as_(PURCHASER)
    can_pay(elsewhere)
    refused(elsewhere.ask("POST", f"/subscriptions/{bought}/reactivation"), 404, "not_found")
