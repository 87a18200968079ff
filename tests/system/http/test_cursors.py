"""Cursors of every list are good for its own next page, and for nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pytest

from tests.adapters.http.conftest import refused
from tests.system.http.prepared import Prepared, prepared
from tests.system.http.requests import OPERATIONS, Request, send

if TYPE_CHECKING:
    import httpx

    from tests.adapters.http.conftest import Api

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
OTHERWISE: Mapping[str, Mapping[str, Any]] = {  # another question than that without any filter
    "list_products": {"on_sale": True},
    "list_purchases": {"channel": "central"},
    "list_assignments": {"on": "2020-01-01"},
    "list_orders": {},
    "list_payment_methods": {},
    "list_billing_profiles": {"mine": True},
    "list_invoices": {"past_months": 6},
    "read_history": {},
    "read_timeline": {},
    "show_states_at": {"at": "1"},
    "show_differences": {"until": "999999999999999"},
    "show_read_model_at": {"at": "1"},
}
AUDITED: Mapping[str, Mapping[str, Any]] = {  # by auditors; what is asked where nothing else is said
    "read_history": {},
    "read_timeline": {},
    "show_states_at": {"at": "999999999999999"},
    "show_differences": {"since": "0"},
    "show_read_model_at": {"at": "999999999999999"},
}
PAGED = [name for name, operation in OPERATIONS.items() if "cursor" in operation.parameters("query")]


@pytest.fixture(scope="module")
def there(anybody: Api) -> Prepared:
    """An organization in which there are two of everything that an admin, or an auditor, can list."""
    there = two_of_everything(anybody.of_the_house("operator"))
    there.elsewhere = two_of_everything(anybody.of_the_house("operator")).chris
    return there


def two_of_everything(operator: Api) -> Prepared:
    there = prepared(operator)
    for name in ("subscription", "central", "central leaving"):
        _ = there[name]
    there.chris.post("/payment-methods", {"token": "tok_visa:second"})
    card = there.chris.post("/payment-methods", {"token": "tok_visa:third"})["payment_method_id"]
    there.chris.post("/billing-profiles", {"payment_method_id": card})
    chris = next(one for one in there.chris.get("/members")["items"] if one["user_name"].startswith("chris"))
    ben, david = there.member("ben"), there["member:david"]
    ben.post(f"/subscriptions/{there['subscription']}/assignments", {"user_ids": [david]})
    there.chris.post("/roles", {"member_id": chris["member_id"], "role": "auditor"})
    return there


ABOUT = {"read_history": "aggregate_id", "list_assignments": "subscription_id", "list_orders": "subscription_id"}
FIXED = {"show_read_model_at": {"table": "purchases"}}


def about(there: Prepared, name: str, what: str = "subscription") -> dict[str, str]:
    """The ids in the list's path."""
    return {ABOUT[name]: there[what]} if name in ABOUT else FIXED.get(name, {})


def role_for(name: str) -> str:
    return "auditor" if name in AUDITED else "admin"


def page(there: Prepared, name: str, by: Api | None = None, **query: Any) -> httpx.Response:
    request = Request(about(there, name), {"limit": 1, **AUDITED.get(name, {}), **query})
    return send((by or there.chris).in_role(role_for(name)), name, request, there)


def first(there: Prepared, name: str) -> str:
    answer = page(there, name)
    assert answer.status_code == 200, answer.text
    cursor = answer.json()["next"]
    assert cursor, f"prepare two of what {name} lists"
    return str(cursor)


def refuse(answer: httpx.Response, cursor: str) -> None:
    refused(answer, 400, "cursor_not_accepted")
    assert cursor not in answer.text


def test_every_list_with_a_cursor_is_here() -> None:
    assert set(PAGED) == OTHERWISE.keys(), "add another question of the new list"


@pytest.mark.parametrize("name", PAGED)
def test_a_cursor_leads_to_the_next_page(name: str, there: Prepared) -> None:
    one, other = page(there, name), page(there, name, cursor=first(there, name))
    assert other.status_code == 200
    assert other.json()["items"]
    assert one.json()["items"] != other.json()["items"]


@pytest.mark.parametrize("name", PAGED)
def test_a_cursor_that_was_changed_is_refused(name: str, there: Prepared) -> None:
    cursor = first(there, name)
    for place, letter in enumerate(cursor):
        turned = LETTERS[(LETTERS.index(letter) + 32) % 64] if letter in LETTERS else "x"
        refuse(page(there, name, cursor=f"{cursor[:place]}{turned}{cursor[place + 1 :]}"), cursor)
    for changed in ("", cursor[:-1], f"{cursor}A", f".{cursor}", cursor.partition(".")[0], cursor.rpartition(".")[2]):
        refuse(page(there, name, cursor=changed), cursor)


@pytest.mark.parametrize("name", PAGED)
def test_a_cursor_of_another_question_is_refused(name: str, there: Prepared) -> None:
    cursor = first(there, name)
    if OTHERWISE[name]:
        refuse(page(there, name, cursor=cursor, **OTHERWISE[name]), cursor)
    for other in PAGED:
        if other != name:
            refuse(page(there, other, cursor=cursor), cursor)
    if name in ABOUT:
        request = Request(about(there, name, "central"), {"limit": 1, "cursor": cursor})
        refuse(send(there.chris.in_role(role_for(name)), name, request, there), cursor)


@pytest.mark.parametrize("name", PAGED)
def test_a_cursor_of_another_caller_is_refused(name: str, there: Prepared) -> None:
    cursor = first(there, name)
    for by in (there.member("ben"), there.elsewhere, there.operator):
        query = {"limit": 1, "cursor": cursor, **AUDITED.get(name, {})}
        answer = send(by, name, Request(about(there, name), query), there)
        if answer.status_code not in {403, 404}:
            refuse(answer, cursor)
    other = Prepared(there.elsewhere, there.elsewhere, dict(there.ids))
    query = {"cursor": cursor, **AUDITED.get(name, {})}
    answer = send(there.elsewhere.in_role(role_for(name)), name, Request(about(there, name), query), other)
    if answer.status_code != 404:
        refuse(answer, cursor)
