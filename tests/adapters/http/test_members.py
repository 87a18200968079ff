"""Members over HTTP: imported, found by name, deactivated, reactivated and removed."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import pytest

from tests.adapters.http.asking import asked, done_once, member_id_of, told
from tests.adapters.http.conftest import ADMIN, OTHER, PURCHASER, Api, founded, refused

EVE = {"user_name": "eve@contoso.com", "display_name": "Eve Park", "first_name": "Eve", "last_name": "Park"}


def statuses(chris: Api, **query: Any) -> dict[str, str]:
    return {one["user_name"]: one["status"] for one in chris.get("/members", **query)["items"]}


def test_rows_become_members_once(chris: Api) -> None:
    rows = {"rows": [EVE, {"user_name": "guest#EXT#@contoso.com", "kind": "guest"}]}
    imported = done_once(chris, "POST", "/members", rows, other={"rows": [EVE]}).json()
    assert told(imported) == ["member.member_added"] * 2
    [eve] = chris.get("/members", name="eve")["items"]
    assert imported["events"][0]["subject"] == eve["member_id"]
    assert eve == {
        "member_id": eve["member_id"],
        **EVE,
        "job_title": None,
        "department": None,
        "kind": "member",
        "status": "active",
        "roles": [],
    }
    [guest] = chris.get("/members", name="guest#")["items"]
    assert guest["kind"] == "guest"
    assert chris.post("/members", rows)["events"] == []


def test_a_known_name_is_the_same_member_in_whatever_case(chris: Api) -> None:
    changed = chris.post("/members", {"rows": [{"user_name": PURCHASER.upper(), "job_title": "Head of Ben"}]})
    [event] = changed["events"]
    assert event["subject"] == member_id_of(chris, PURCHASER)
    [ben] = chris.get("/members", name="ben")["items"]
    assert ben["job_title"] == "Head of Ben"


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/rows"),
        ({"rows": []}, "/rows"),
        ({"rows": [EVE] * 1_001}, "/rows"),
        ({"rows": [EVE, {"display_name": "Nobody"}]}, "/rows/1/user_name"),
        ({"rows": [EVE, EVE | {"kind": "admin"}]}, "/rows/1/kind"),
        ({"rows": [EVE | {"department": 7}]}, "/rows/0/department"),
        ({"rows": [EVE | {"department": "\ud800"}]}, "/rows/0/department"),
        ({"rows": [EVE | {"department": "a\0b"}]}, "/rows/0/department"),
        ({"rows": [EVE | {"mobile_phone": "1"}]}, "/rows/0"),
    ],
)
def test_a_bad_row_is_named_and_none_is_taken(chris: Api, body: Any, pointer: str) -> None:
    content, headers = json.dumps(body), {"Content-Type": "application/json"}
    answer = chris.ask("POST", "/members", content=content, headers=headers)
    assert [error["pointer"] for error in refused(answer, 422, "bad_input")["errors"]] == [pointer]
    assert "Eve" not in answer.text
    assert statuses(chris, name="eve") == {}


def test_found_by_the_beginning_of_a_name(chris: Api) -> None:
    assert list(statuses(chris, name="cynthia ca")) == ["cynthia@contoso.com"]
    assert len(statuses(chris)) == 5
    assert list(statuses(chris, limit=2)) == ["ben@contoso.com", "cynthia@contoso.com"]  # Carey
    assert statuses(chris, name="%") == {}
    assert [one["roles"] for one in chris.get("/members", name="chris")["items"]] == [["admin"]]
    for wrong in ({"limit": 0}, {"limit": 1_001}, {"name": "x" * 257}, {"prefix": "c"}):
        refused(chris.ask("GET", "/members", params=wrong), 400, "bad_parameter")


def test_who_gives_licenses_finds_them_too(chris: Api) -> None:
    """Names go to no auditor and no service."""
    assert len(statuses(chris.as_(PURCHASER, "purchaser"))) == 5
    assert len(statuses(chris.of_the_house("operator"))) == 5
    chris.post("/roles", {"member_id": member_id_of(chris, OTHER), "role": "auditor"})
    for caller in (chris.as_(OTHER, "auditor"), chris.of_the_house("service"), chris.as_(PURCHASER)):
        refused(caller.ask("GET", "/members"), 403, "not_allowed")


def test_deactivated_and_active_again(chris: Api) -> None:
    david = member_id_of(chris, OTHER)
    gone = f"/members/{david}/deactivation"
    back = f"/members/{david}/reactivation"
    done_once(chris, "POST", gone, other_path=f"/members/{uuid4()}/deactivation")
    assert statuses(chris, name="david") == {OTHER: "deactivated"}
    refused(chris.as_(OTHER).ask("GET", ""), 409, "member_not_active")
    assert chris.post(gone)["events"] == []
    done_once(chris, "POST", back, other_path=f"/members/{uuid4()}/reactivation")
    assert chris.as_(OTHER).get("")["handle"] == chris.handle


def test_who_is_removed_leaves_licenses_and_roles(chris: Api, ben: Api, bought: str) -> None:
    david = member_id_of(chris, OTHER)
    ben.post(f"/subscriptions/{bought}/assignments", {"user_ids": [david]})
    chris.post("/roles", {"member_id": david, "role": "auditor"})
    removed = done_once(chris, "DELETE", f"/members/{david}", other_path=f"/members/{uuid4()}").json()
    assert [event["type"].split(".")[1] for event in removed["events"]] == ["member", "organization", "license_pool"]
    assert [event["commandid"] for event in removed["events"]][:2] == [removed["command_id"]] * 2
    assert statuses(chris, name="david") == {OTHER: "removed"}
    assert ben.get(f"/subscriptions/{bought}", at_least=removed["position"])["licenses_assigned"] == 0
    for path in ("", "/subscriptions", "/v1/catalog/products"):
        refused(chris.as_(OTHER).ask("GET", path), 409, "member_not_active")
    refused(chris.ask("POST", f"/members/{david}/reactivation"), 409, "member_not_active")
    chris.post("/members", {"rows": [{"user_name": OTHER}]})
    assert statuses(chris, name="david") == {OTHER: "active"}


def test_the_last_admin_stays(chris: Api) -> None:
    mine = member_id_of(chris, ADMIN)
    refused(chris.ask("DELETE", f"/members/{mine}"), 409, "last_admin")
    refused(chris.ask("POST", f"/members/{mine}/deactivation"), 409, "last_admin")


COMMANDS = [
    ("POST", "/members", {"rows": [EVE]}),
    ("POST", "/members/{}/deactivation", None),
    ("POST", "/members/{}/reactivation", None),
    ("DELETE", "/members/{}", None),
]


@pytest.mark.parametrize(("method", "path", "body"), COMMANDS)
def test_for_admins_of_this_organization(chris: Api, operator: Api, method: str, path: str, body: Any) -> None:
    path = path.format(member_id_of(chris, OTHER))
    for caller in (chris.as_(PURCHASER), chris.in_role("purchaser"), chris.of_the_house("service")):
        refused(asked(caller, method, path, body), 403, "not_allowed")
    another = founded(operator)
    refused(asked(another.within(str(chris.handle)), method, path, body), 404, "not_found")
    if body is None:  # somebody of another organization does not exist in one's own
        refused(asked(another, method, path, body), 404, "not_found")
        refused(asked(chris, method, path.replace(path.split("/")[2], "david"), body), 400, "bad_parameter")
    assert statuses(chris, name="david") == {OTHER: "active"}
    assert statuses(chris, name="eve") == {}
    asked(chris.of_the_house("operator"), method, path, body).raise_for_status()
