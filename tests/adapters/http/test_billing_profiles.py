"""Billing profiles over HTTP: who is billed, by which card, and who has a role there."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from tests.adapters.http.asking import done_once, member_id_of, told, told_of
from tests.adapters.http.conftest import OTHER, PURCHASER, Api, can_pay, founded, refused

NAME, STREET, TAX_ID = "Contoso Ltd", "1 Main Street\nSpringfield", "US-1"


@pytest.fixture
def card(chris: Api) -> str:
    return str(chris.as_(PURCHASER).post("/payment-methods", {"token": "tok_visa"})["payment_method_id"])


@pytest.fixture
def profile(chris: Api, card: str) -> str:
    """The path of Ben's profile."""
    opened = chris.as_(PURCHASER).post("/billing-profiles", {"payment_method_id": card, "bill_to": NAME})
    return f"/billing-profiles/{opened['billing_profile_id']}"


def test_a_profile_says_who_is_billed_by_which_card(chris: Api, card: str) -> None:
    ben = chris.as_(PURCHASER)
    body = {"payment_method_id": card, "country": "US", "bill_to": NAME, "address": STREET, "tax_id": TAX_ID}
    answer = done_once(ben, "POST", "/billing-profiles", body, other=body | {"country": "DE"}, status=201)
    document = answer.json()
    assert told(document) == ["billing_profile.billing_profile_opened"]
    assert answer.headers["Location"] == ben.path(f"/billing-profiles/{document['billing_profile_id']}")
    for personal in (NAME, "Main Street", TAX_ID):
        assert personal not in answer.text
    shown = ben.get(answer.headers["Location"])
    assert (shown["bill_to"], shown["tax_id"], shown["country"]) == ([NAME, *STREET.splitlines()], TAX_ID, "US")
    assert (shown["card"]["payment_method_id"], shown["card"]["last4"]) == (card, "4242")
    assert (shown["owner"]["user_name"], shown["people"], shown["balance_minor"]) == (PURCHASER, [], 0)
    further = ben.post("/billing-profiles", {"payment_method_id": card})
    assert further["billing_profile_id"] != document["billing_profile_id"]
    again = ben.post("/billing-profiles", {"payment_method_id": card}, key="once")
    assert ben.post("/billing-profiles", {"payment_method_id": card}, key="once") == again  # and not the first one


def test_the_list_has_those_on_which_the_caller_is(chris: Api, profile: str) -> None:
    ben, david = chris.as_(PURCHASER), chris.as_(OTHER)
    of_david = can_pay(david)
    [mine] = ben.get("/billing-profiles")["items"]
    assert (f"/billing-profiles/{mine['billing_profile_id']}", mine["owner"]["user_name"]) == (profile, PURCHASER)
    first = chris.get("/billing-profiles", limit=1)
    rest = chris.get("/billing-profiles", limit=1, cursor=first["next"])
    ids = [one["billing_profile_id"] for one in first["items"] + rest["items"]]
    assert sorted(ids) == sorted([mine["billing_profile_id"], of_david])
    assert chris.get("/billing-profiles", mine=True)["items"] == []
    other_question = {"limit": 1, "mine": True, "cursor": first["next"]}
    refused(chris.ask("GET", "/billing-profiles", params=other_question), 400, "cursor_not_accepted")


def test_who_is_billed_changes_as_it_was_seen(chris: Api, profile: str) -> None:
    ben, path = chris.as_(PURCHASER), f"{profile}/bill-to"
    seen = ben.tag(profile)
    change = {"country": "DE", "tax_id": TAX_ID}
    document = done_once(ben, "PATCH", path, change, other=change | {"tax_id": "other"}, tag=seen).json()
    assert told(document) == ["billing_profile.bill_to_changed"]
    shown = ben.get(profile)
    assert (shown["country"], shown["tax_id"], shown["bill_to"]) == ("DE", TAX_ID, [NAME])  # what is left out stays
    refused(ben.ask("PATCH", path, json={"country": "US"}, tag=seen), 412, "changed_meanwhile")
    refused(ben.ask("PATCH", path, json={"country": "US"}), 428, "if_match_required")
    refused(ben.ask("PATCH", path, json={}, tag="*"), 422, "bad_input")
    refused(ben.ask("PATCH", path, json={"country": "XX"}, tag="*"), 422, "unknown_country")
    refused(
        ben.ask("PATCH", path, json={"bill_to": "Card 4111 1111 1111 1111"}, tag="*"), 422, "card_data_not_accepted"
    )


def test_another_card_is_charged(chris: Api, profile: str, card: str) -> None:
    ben, path = chris.as_(PURCHASER), f"{profile}/payment-method"
    seen = ben.tag(profile)
    amex = ben.post("/payment-methods", {"token": "tok_amex"})["payment_method_id"]
    document = done_once(
        ben, "PUT", path, {"payment_method_id": amex}, other={"payment_method_id": card}, tag=seen
    ).json()
    assert told_of(document, "billing_profile.payment_method_replaced")["payment_method_id"] == amex
    assert ben.get(profile)["card"]["last4"] == "8431"
    refused(ben.ask("PUT", path, json={"payment_method_id": card}, tag=seen), 412, "changed_meanwhile")
    of_david = chris.as_(OTHER).post("/payment-methods", {"token": "tok_visa"})["payment_method_id"]
    refused(ben.ask("PUT", path, json={"payment_method_id": of_david}, tag="*"), 404, "not_found")


def test_the_tag_changes_with_the_card_too(chris: Api, profile: str, card: str) -> None:
    ben = chris.as_(PURCHASER)
    before = ben.tag(profile)
    ben.done("PATCH", f"/payment-methods/{card}", {"expiry": {"month": 1, "year": 2040}}, tag="*")
    assert ben.tag(profile) != before


def test_the_invoices_to_come_carry_an_order_number(chris: Api, profile: str) -> None:
    ben, path = chris.as_(PURCHASER), f"{profile}/po-number"
    seen = ben.tag(profile)
    done_once(ben, "PUT", path, {"po_number": "PO-2026-17"}, other={"po_number": None}, tag=seen)
    assert ben.get(profile)["po_number"] == "PO-2026-17"
    refused(ben.ask("PUT", path, json={"po_number": None}, tag=seen), 412, "changed_meanwhile")
    ben.put(path, {"po_number": None}, tag=ben.tag(profile))
    assert ben.get(profile)["po_number"] is None
    refused(ben.ask("PUT", path, json={}, tag="*"), 422, "bad_input")
    refused(ben.ask("PUT", path, json={"po_number": "P" * 65}, tag="*"), 422, "bad_input")


def test_its_owner_gives_roles_and_takes_them(chris: Api, profile: str) -> None:
    ben, david = chris.as_(PURCHASER), chris.as_(OTHER)
    david_id, ben_id = member_id_of(chris, OTHER), member_id_of(chris, PURCHASER)
    path, seen = f"{profile}/roles/{david_id}", ben.tag(profile)
    refused(david.ask("GET", profile), 404, "not_found")
    granted = done_once(ben, "PUT", path, {"role": "reader"}, other={"role": "contributor"}, tag=seen).json()
    assert told(granted) == ["billing_profile.profile_role_granted"]
    refused(ben.ask("PUT", path, json={"role": "contributor"}, tag=seen), 412, "changed_meanwhile")
    shown = david.get(profile)
    assert (shown["roles"], shown["people"][0]["user_name"]) == ({david_id: "reader"}, OTHER)
    for change in ({"role": "contributor"}, {"role": "invoice_manager"}):
        refused(david.ask("PUT", path, json=change, tag="*"), 403, "billing_profile_role_needed")
    refused(ben.ask("PUT", f"{profile}/roles/{uuid4()}", json={"role": "reader"}, tag="*"), 404, "not_found")
    refused(ben.ask("PUT", path, json={"role": "owner"}, tag="*"), 422, "bad_input")
    revoked = done_once(ben, "DELETE", path, other_path=f"{profile}/roles/{ben_id}").json()
    assert told(revoked) == ["billing_profile.profile_role_revoked"]
    refused(david.ask("GET", profile), 404, "not_found")


def test_for_others_a_profile_does_not_exist(chris: Api, profile: str, card: str, operator: Api) -> None:
    changes: list[tuple[str, str, Any]] = [
        ("PATCH", "/bill-to", {"country": "DE"}),
        ("PUT", "/payment-method", {"payment_method_id": card}),
        ("PUT", "/po-number", {"po_number": "PO-1"}),
        ("PUT", f"/roles/{uuid4()}", {"role": "reader"}),
    ]
    elsewhere = founded(operator)
    for somebody in (chris.as_(OTHER), elsewhere.as_(PURCHASER), elsewhere):
        refused(somebody.ask("GET", profile), 404, "not_found")
        for method, path, body in changes:
            refused(somebody.ask(method, f"{profile}{path}", json=body, tag='"99-99"'), 404, "not_found")
        refused(somebody.ask("DELETE", f"{profile}/roles/{uuid4()}"), 404, "not_found")
    of_david = chris.as_(OTHER).ask("POST", "/billing-profiles", json={"payment_method_id": card})
    refused(of_david, 404, "not_found")  # another's card
    refused(chris.as_(PURCHASER).within("contoso").ask("GET", profile), 404, "not_found")


def test_an_admin_sees_every_profile_and_an_auditor_no_name(chris: Api, profile: str) -> None:
    assert chris.get(profile)["bill_to"] == [NAME]
    chris.post("/roles", {"member_id": member_id_of(chris, OTHER), "role": "auditor"})
    auditor = chris.as_(OTHER, "auditor")
    shown = auditor.get(profile)
    assert (shown["bill_to"], shown["owner"]["user_name"]) == (["[withheld]"], None)
    assert [one["owner"]["user_name"] for one in auditor.get("/billing-profiles")["items"]] == [None]
