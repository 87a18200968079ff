"""Cards over HTTP: by the provider's tokens alone, seen by their owners, changed on what was seen."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from tests.adapters.http.asking import done_once, member_id_of, told
from tests.adapters.http.conftest import OTHER, PURCHASER, Api, can_pay, founded, refused

HOLDER, STREET = "Ben Andrews", "1 Main Street"


@pytest.fixture
def card(ben: Api) -> str:
    """A card of Ben's that nothing charges."""
    return str(ben.post("/payment-methods", {"token": "tok_mastercard", "holder": HOLDER})["payment_method_id"])


def test_a_card_is_stored_by_its_token_and_named_to_its_owner(ben: Api) -> None:
    body = {"token": "tok_amex", "holder": HOLDER, "address": STREET}
    answer = done_once(ben, "POST", "/payment-methods", body, other=body | {"token": "tok_visa"}, status=201)
    document = answer.json()
    assert told(document) == ["payment_method.payment_method_added"]
    assert answer.headers["Location"] == ben.path(f"/payment-methods/{document['payment_method_id']}")
    for secret in ("tok_amex", HOLDER, STREET):
        assert secret not in answer.text
    shown = ben.get(answer.headers["Location"])
    assert (shown["brand"], shown["last4"], shown["country"]) == ("amex", "8431", "US")
    assert (shown["holder"], shown["address"], shown["charged_by"]) == (HOLDER, STREET, [])
    assert "token" not in shown


def test_the_list_has_the_callers_own_a_page_at_a_time(chris: Api, ben: Api, card: str) -> None:
    can_pay(chris.as_(OTHER))
    added = ben.post("/payment-methods", {"token": "tok_visa:third"})
    first = ben.get("/payment-methods", limit=2)
    rest = ben.get("/payment-methods", limit=2, cursor=first["next"])
    found = [one["payment_method_id"] for one in first["items"] + rest["items"]]
    assert (len(found), rest["next"]) == (3, None)
    assert found == sorted(found)
    assert {card, added["payment_method_id"]} < set(found)
    assert {one["owner_id"] for one in first["items"]} == {member_id_of(chris, PURCHASER)}
    refused(
        chris.as_(OTHER).ask("GET", "/payment-methods", params={"cursor": first["next"]}), 400, "cursor_not_accepted"
    )
    refused(ben.ask("GET", "/payment-methods", params={"state": "removed"}), 400, "bad_parameter")


def test_a_card_is_edited_as_it_was_seen(ben: Api, card: str) -> None:
    path = f"/payment-methods/{card}"
    seen = ben.tag(path)
    change = {"expiry": {"month": 6, "year": 2040}, "security_code_token": "cvctok_ok:1"}
    answer = done_once(ben, "PATCH", path, change, other=change | {"holder": HOLDER}, tag=seen)
    [event] = answer.json()["events"]
    assert (event["subject"], answer.json()["payment_method_id"]) == (card, card)
    assert "cvctok" not in answer.text
    assert ben.get(path)["expiry"] == {"month": 6, "year": 2040}
    assert ben.get(path)["holder"] == HOLDER  # what was left out stays
    refused(ben.ask("PATCH", path, json={"holder": "Benjamin Andrews"}, tag=seen), 412, "changed_meanwhile")
    done = ben.done("PATCH", path, {"holder": "Benjamin Andrews"}, tag=ben.tag(path))
    assert len(done["events"]) == 1
    refused(ben.ask("PATCH", path, json={"holder": HOLDER}), 428, "if_match_required")


@pytest.mark.parametrize(
    ("body", "code", "pointers"),
    [
        ({}, "bad_input", [""]),
        ({"holder": None}, "bad_input", [""]),
        ({"number": "x"}, "bad_input", [""]),
        ({"holder": ""}, "bad_input", ["/holder"]),
        ({"expiry": {"month": 13, "year": 2040}}, "bad_input", ["/expiry/month"]),
        ({"expiry": {"month": "6", "year": 2040}}, "bad_input", ["/expiry/month"]),
        ({"expiry": "06/2040"}, "bad_input", ["/expiry"]),
        ({"holder": "4111 1111 1111 1111"}, "card_data_not_accepted", ["/holder"]),
        ({"security_code_token": "737"}, "card_data_not_accepted", ["/security_code_token"]),
        ({"cvc": "737"}, "card_data_not_accepted", ["/cvc"]),
        ({"security_code_token": "cvctok_wrong"}, "card_not_accepted", []),
        ({"expiry": {"month": 1, "year": 2024}}, "card_not_accepted", []),
    ],
)
def test_what_a_change_is_refused_for(
    ben: Api, card: str, body: dict[str, Any], code: str, pointers: list[str]
) -> None:
    answer = ben.ask("PATCH", f"/payment-methods/{card}", json=body, tag="*")
    found = refused(answer, 402 if code == "card_not_accepted" else 422, code)
    assert [error["pointer"] for error in found["errors"]] == pointers
    told = answer.text.replace(found["request_id"], "")  # in which three digits may stand by chance
    for sent in ("4111", "737", "cvctok"):
        assert sent not in told


def test_what_a_card_is_refused_for(ben: Api) -> None:
    for token, status, code in (
        ("tok_refused", 402, "card_not_accepted"),
        ("tok_nonsense", 402, "card_not_accepted"),
        ("tok_visa_kr", 409, "card_of_another_country"),
        ("4111111111111111", 422, "card_data_not_accepted"),
        ("", 422, "bad_input"),
    ):
        answer = ben.ask("POST", "/payment-methods", json={"token": token})
        refused(answer, status, code)
        assert not token or token not in answer.text


def test_a_card_is_removed_when_nothing_charges_it(ben: Api, card: str) -> None:
    [charged] = [one for one in ben.get("/payment-methods")["items"] if one["charged_by"]]
    in_use = refused(
        ben.ask("DELETE", f"/payment-methods/{charged['payment_method_id']}"), 409, "payment_method_in_use"
    )
    assert len(in_use["facts"]["billing_profile_ids"]) == 1
    other_path = f"/payment-methods/{charged['payment_method_id']}"
    document = done_once(ben, "DELETE", f"/payment-methods/{card}", other_path=other_path).json()
    assert told(document) == ["payment_method.payment_method_removed"]
    refused(ben.ask("GET", f"/payment-methods/{card}"), 404, "not_found")
    refused(ben.ask("PATCH", f"/payment-methods/{card}", json={"holder": HOLDER}, tag="*"), 404, "not_found")
    left = ben.get("/payment-methods")["items"]
    assert card not in [one["payment_method_id"] for one in left]


def test_for_others_a_card_does_not_exist(chris: Api, ben: Api, card: str, operator: Api) -> None:
    path = f"/payment-methods/{card}"
    for somebody in (chris.as_(OTHER), chris, founded(operator).as_(PURCHASER)):
        refused(somebody.ask("GET", path), 404, "not_found")
        refused(somebody.ask("PATCH", path, json={"holder": HOLDER}, tag='"9"'), 404, "not_found")
        refused(somebody.ask("DELETE", path), 404, "not_found")
    refused(ben.ask("GET", f"/payment-methods/{uuid4()}"), 404, "not_found")
    refused(ben.ask("GET", "/payment-methods/visa"), 400, "bad_parameter")
    refused(ben.within("contoso").ask("GET", path), 404, "not_found")
    refused(chris.of_the_house("operator").ask("GET", path), 403, "not_allowed")


def test_who_may_charge_a_profile_sees_its_card_without_its_owners_name(chris: Api, ben: Api, card: str) -> None:
    opened = ben.post("/billing-profiles", {"payment_method_id": card})["billing_profile_id"]
    role = f"/billing-profiles/{opened}/roles/{member_id_of(chris, OTHER)}"
    ben.put(role, {"role": "contributor"})
    david = chris.as_(OTHER)
    shown = david.get(f"/payment-methods/{card}")
    assert (shown["last4"], shown["holder"], shown["charged_by"]) == ("4444", "[withheld]", [opened])
    david.done("PATCH", f"/payment-methods/{card}", {"expiry": {"month": 7, "year": 2041}}, tag=f'"{shown["version"]}"')
