"""Purchases and licenses over HTTP."""

from __future__ import annotations

import csv
import io
from uuid import uuid4

from tests.adapters.http.conftest import ADMIN, OTHER, PURCHASER, Api, can_pay, refused

CINDY = "cynthia@contoso.com"


def ids_of(admin: Api, *user_names: str) -> list[str]:
    members = {one["user_name"]: one["member_id"] for one in admin.get("/members")["items"]}
    return [members[name] for name in user_names]


def test_what_was_bought_is_listed_and_shown(ben: Api, chris: Api, bought: str) -> None:
    listed = ben.get("/subscriptions")
    assert [one["subscription_id"] for one in listed["items"]] == [bought]
    assert listed["next"] is None
    answer = ben.ask("GET", f"/subscriptions/{bought}")
    shown = answer.json()
    assert shown["licenses_total"] == 100
    assert shown["purchase_price_minor"] == 140_000
    assert shown["purchaser"]["user_name"] == PURCHASER
    orders = ben.get(f"/subscriptions/{bought}/orders")["items"]
    assert [event["type"].split(".")[2] for event in orders] == [
        "subscription_purchased",
        "license_pool_opened",
    ]
    assert answer.headers["ETag"] == f'"{shown["subscription_version"]}-{shown["pool_version"]}"'
    assert [one["subscription_id"] for one in chris.get("/subscriptions")["items"]] == [bought]
    assert chris.in_role("purchaser").get("/subscriptions")["items"] == []
    refused(chris.as_(OTHER).ask("GET", f"/subscriptions/{bought}"), 404, "not_found")


def test_licenses_are_resized_on_what_was_seen(ben: Api, bought: str) -> None:
    path = f"/subscriptions/{bought}/licenses"
    tag = ben.tag(f"/subscriptions/{bought}")
    key = str(uuid4())
    first = ben.ask("PUT", path, json={"total": 105, "expected_total": 100}, tag=tag, key=key)
    assert first.status_code == 200, first.text
    assert "seatledger.license_pool.licenses_resized.v1" in [one["type"] for one in first.json()["events"]]
    assert "Idempotency-Replayed" not in first.headers
    stale = ben.ask("PUT", path, json={"total": 106}, tag=tag)
    refused(stale, 412, "changed_meanwhile")
    again = ben.ask("PUT", path, json={"total": 105, "expected_total": 100}, tag=tag, key=key)
    assert (again.content, again.headers["Idempotency-Replayed"]) == (first.content, "true")
    refused(ben.ask("PUT", path, json={"total": 107}, tag="*", key=key), 422, "command_id_reused")
    shown = ben.get(f"/subscriptions/{bought}")
    assert shown["licenses_total"] == 105
    new = ben.tag(f"/subscriptions/{bought}")
    refused(ben.ask("PUT", path, json={"total": 106, "expected_total": 100}, tag=new), 409, "stale_version")
    refused(ben.ask("PUT", path, json={"total": 106, "expected_amount_minor": 1}, tag=new), 409, "quote_changed")
    ben.put(path, {"total": 106}, tag=new)


def test_licenses_are_assigned_and_taken_back(ben: Api, chris: Api, bought: str) -> None:
    david, cindy, own = ids_of(chris, OTHER, CINDY, PURCHASER)
    path = f"/subscriptions/{bought}/assignments"
    done = ben.post(path, {"user_ids": [david, cindy]})
    assert [one["data"]["member_id"] for one in done["events"]] == [david, cindy]
    assert ben.post(path, {"user_ids": [david]})["events"] == []
    unknown = str(uuid4())
    problem = refused(ben.ask("POST", path, json={"user_ids": [own, unknown]}), 409, "user_not_in_organization")
    assert unknown in str(problem["facts"])
    many = refused(
        ben.ask("POST", path, json={"user_ids": [str(uuid4()) for _ in range(21)]}), 422, "too_many_users_at_once"
    )
    assert many["facts"]
    held = ben.get(f"/subscriptions/{bought}/assignments")["items"]
    assert [one["member"]["user_name"] for one in held] == [OTHER, CINDY]
    first = ben.get(f"/subscriptions/{bought}/assignments", limit=1)
    second = ben.get(f"/subscriptions/{bought}/assignments", limit=1, cursor=first["next"])
    assert [*first["items"], *second["items"]] == held
    back = ben.post("/unassignments", {"subscription_ids": [bought], "user_ids": [david, own]})
    assert [one["type"] for one in back["events"]] == ["seatledger.license_pool.license_unassigned.v1"]
    assert ben.get(f"/subscriptions/{bought}")["licenses_assigned"] == 1
    chris.post("/roles", {"member_id": cindy, "role": "auditor"})
    seen = chris.as_(CINDY, "auditor").get(f"/subscriptions/{bought}")
    assert seen["purchaser"]["user_name"] is None
    held = chris.as_(CINDY, "auditor").get(f"/subscriptions/{bought}/assignments")["items"]
    assert [one["member"]["user_name"] for one in held] == [None]
    path = f"/subscriptions/{bought}/orders"
    assert len(chris.as_(CINDY, "auditor").get(path)["items"]) == 2
    one, two = ben.get(path, limit=1), None
    two = ben.get(path, limit=1, cursor=one["next"])
    assert [*one["items"], *two["items"]] == ben.get(path)["items"]
    assert two["next"] is None
    for path in (f"/subscriptions/{bought}/orders", f"/subscriptions/{bought}/assignments"):
        refused(chris.as_(OTHER).ask("GET", path), 404, "not_found")


def test_a_change_is_scheduled_and_withdrawn(ben: Api, bought: str) -> None:
    path = f"/subscriptions/{bought}/scheduled-licenses"
    tag = ben.tag(f"/subscriptions/{bought}")
    ben.put(path, {"total": 80}, tag=tag)
    assert ben.get(f"/subscriptions/{bought}")["scheduled_total"] == 80
    refused(ben.ask("PUT", path, json={"total": 70}, tag=tag), 412, "changed_meanwhile")
    ben.done("DELETE", path)
    assert ben.get(f"/subscriptions/{bought}")["scheduled_total"] is None


def test_pages_follow_each_other(ben: Api, chris: Api, offer_id: str) -> None:
    for licenses in (1, 2, 3):
        ben.post("/subscriptions", {"offer_id": offer_id, "licenses": licenses})
    first = ben.get("/subscriptions", limit=2)
    second = ben.get("/subscriptions", limit=2, cursor=first["next"])
    assert [one["licenses_total"] for one in [*first["items"], *second["items"]]] == [1, 2, 3]
    assert second["next"] is None
    for other in (
        ben.ask("GET", "/subscriptions", params={"cursor": first["next"], "state": "active"}),
        chris.ask("GET", "/subscriptions", params={"cursor": first["next"]}),
        ben.ask("GET", "/subscriptions", params={"cursor": first["next"][:-1] + "x"}),
        ben.ask("GET", "/invoices", params={"cursor": first["next"]}),
    ):
        refused(other, 400, "cursor_not_accepted")


def test_the_admins_view_is_exported(ben: Api, chris: Api, bought: str) -> None:
    (david,) = ids_of(chris, OTHER)
    ben.post(f"/subscriptions/{bought}/assignments", {"user_ids": [david]})
    answer = chris.ask("GET", "/purchases.csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    (row,) = csv.DictReader(io.StringIO(answer.text))
    assert row["subscription_id"] == bought
    assert row["purchaser"] == PURCHASER
    assert row["purchase_price"] == "1400.00"
    assert row["assigned_users"] == OTHER
    refused(ben.in_role("admin").ask("GET", "/purchases.csv"), 403, "not_allowed")
    assert ADMIN not in answer.text


def test_who_can_pay_is_found_by_name_and_nobody_else(chris: Api) -> None:
    can_pay(chris.as_(OTHER))
    refused(chris.as_("nobody@contoso.com").ask("GET", "/subscriptions"), 403, "not_allowed")
