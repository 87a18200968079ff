"""Organizations over HTTP: founded by operators, seen by those who belong to them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from domain.organization import organization_id_of
from tests.adapters.http.asking import done_once, member_id_of, told, told_of
from tests.adapters.http.conftest import ADMIN, PURCHASER, Api, refused

FOUNDING = {"country": "US", "currency": "USD", "first_admin": {"user_name": ADMIN, "display_name": "Chris Green"}}


def a_handle() -> str:
    return f"fabrikam-{uuid4().hex[:12]}"


def test_an_operator_founds_one_with_its_first_admin(operator: Api) -> None:
    handle = a_handle()
    other = FOUNDING | {"country": "DE"}
    answer = done_once(operator, "POST", f"/v1/organizations/{handle}", FOUNDING, other=other, status=201)
    founded = answer.json()
    assert answer.headers["Location"] == f"/v1/organizations/{handle}"
    assert founded["organization_id"] == str(organization_id_of(handle))
    assert told(founded) == ["organization.organization_created", "member.member_added"]
    assert told_of(founded, "organization.organization_created")["first_admin_id"] == founded["first_admin_id"]
    chris = replace(operator.as_(ADMIN), handle=handle)
    assert member_id_of(chris, ADMIN) == founded["first_admin_id"]
    assert chris.get("") == {
        "organization_id": founded["organization_id"],
        "handle": handle,
        "country": "US",
        "currency": "USD",
        "currency_exponent": 2,
        "simulation": False,
    }


@pytest.mark.parametrize(("currency", "exponent"), [("JPY", 0), ("EUR", 2), ("KWD", 3)])
def test_nobody_has_to_know_the_decimals_of_a_currency(operator: Api, currency: str, exponent: int) -> None:
    handle = a_handle()
    operator.post(f"/v1/organizations/{handle}", FOUNDING | {"currency": currency, "simulation": True})
    found = operator.get(f"/v1/organizations/{handle}")
    assert (found["currency"], found["currency_exponent"], found["simulation"]) == (currency, exponent, True)


def test_a_handle_is_taken_once(operator: Api, chris: Api) -> None:
    for taken in (chris.handle, "catalog"):
        refused(operator.ask("POST", f"/v1/organizations/{taken}", json=FOUNDING), 409, "organization_exists")


def test_for_operators(chris: Api) -> None:
    for caller in (chris, chris.as_(PURCHASER), chris.of_the_house("service")):
        refused(caller.ask("POST", f"/v1/organizations/{chris.handle}", json=FOUNDING), 403, "not_allowed")
    refused(chris.ask("POST", f"/v1/organizations/{a_handle()}", json=FOUNDING), 404, "not_found")


@pytest.mark.parametrize(
    ("changed", "status", "code", "pointer"),
    [
        ({"country": "us"}, 422, "bad_input", "/country"),
        ({"country": "XX"}, 422, "unknown_country", None),
        ({"currency": "USDT"}, 422, "bad_input", "/currency"),
        ({"currency": "XAU"}, 422, "unknown_currency", None),
        ({"simulation": "yes"}, 422, "bad_input", "/simulation"),
        ({"handle": "other"}, 422, "bad_input", ""),
        ({"currency_exponent": 0}, 422, "bad_input", ""),
        ({"first_admin": {"user_name": ""}}, 422, "bad_input", "/first_admin/user_name"),
        ({"first_admin": {"user_name": "chris green"}}, 422, "bad_input", "/first_admin/user_name"),
        ({"first_admin": {"user_name": "c\0"}}, 422, "bad_input", "/first_admin/user_name"),
        ({"first_admin": {"user_name": ADMIN, "first_name": "x" * 257}}, 422, "bad_input", "/first_admin/first_name"),
        ({"first_admin": {"user_name": ADMIN, "phone": "1"}}, 422, "bad_input", "/first_admin"),
    ],
)
def test_what_is_wrong_is_named(
    operator: Api, changed: dict[str, Any], status: int, code: str, pointer: str | None
) -> None:
    handle = a_handle()
    problem = refused(operator.ask("POST", f"/v1/organizations/{handle}", json=FOUNDING | changed), status, code)
    assert [error["pointer"] for error in problem["errors"]] == ([pointer] if pointer is not None else [])
    refused(operator.ask("GET", f"/v1/organizations/{handle}"), 404, "not_found")


@pytest.mark.parametrize("handle", ["Fabrikam", "-fabrikam", "fabri_kam", "x" * 64])
def test_a_handle_is_plain(operator: Api, handle: str) -> None:
    refused(operator.ask("POST", f"/v1/organizations/{handle}", json=FOUNDING), 400, "bad_parameter")


def test_everybody_who_belongs_to_it_sees_what_is_fixed(chris: Api) -> None:
    facts = chris.get("")
    assert chris.as_(PURCHASER).get("") == facts
    assert chris.of_the_house("operator").get("") == facts
    ben = member_id_of(chris, PURCHASER)
    for role in ("auditor", "billing_reader"):
        refused(chris.as_(PURCHASER, role).ask("GET", ""), 403, "not_allowed")
        chris.post("/roles", {"member_id": ben, "role": role})
        assert chris.as_(PURCHASER, role).get("") == facts


def test_nobody_else_sees_that_it_is_there(chris: Api, operator: Api) -> None:
    refused(chris.within("fabrikam").ask("GET", ""), 404, "not_found")
    refused(operator.ask("GET", f"/v1/organizations/{a_handle()}"), 404, "not_found")
    refused(chris.as_("nobody@contoso.com").ask("GET", ""), 403, "not_allowed")


@pytest.mark.parametrize("role", ["operator", "service"])
def test_a_member_cannot_say_to_be_of_the_house(chris: Api, role: str) -> None:
    """The services trust the adapter for these roles: whoever got one would need no other."""
    for member in (chris, chris.as_(PURCHASER)):
        impostor = member.in_role(role)
        for method, path, body in (
            ("GET", "", None),
            ("GET", "/members", None),
            ("GET", "/subscriptions", None),
            ("GET", "/v1/catalog/products", None),
            ("POST", "/members", {"rows": [{"user_name": "eve@contoso.com"}]}),
            ("POST", f"/v1/organizations/{chris.handle}", FOUNDING),
            ("POST", "/v1/catalog/imports", {}),
        ):
            refused(impostor.ask(method, path, json=body), 403, "not_allowed")
