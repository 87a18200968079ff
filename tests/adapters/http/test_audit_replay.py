"""Audit over HTTP: organizations, read models and differences as of moments; who held and paid; totals; re-rating."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from tests.adapters.http.asking import member_id_of
from tests.adapters.http.conftest import OTHER, PURCHASER, Api, refused

TODAY = datetime.now(UTC).date()


@pytest.fixture
def auditor(chris: Api) -> Api:
    chris.post("/roles", {"member_id": member_id_of(chris, OTHER), "role": "auditor"})
    return chris.as_(OTHER)


@pytest.fixture
def used(chris: Api, ben: Api, bought: str) -> str:
    """A subscription of 100 licenses, one of which is given."""
    ben.post(f"/subscriptions/{bought}/assignments", {"user_ids": [member_id_of(chris, PURCHASER)]})
    return bought


def whole(caller: Api, path: str, **query: Any) -> list[dict[str, Any]]:
    """All pages."""
    found: list[dict[str, Any]] = []
    cursor = None
    while True:
        page = caller.get(path, limit=7, **query, **({"cursor": cursor} if cursor else {}))
        found += page["items"]
        if (cursor := page["next"]) is None:
            return found


def test_the_timeline_says_who_did_what_and_what_caused_it(auditor: Api, used: str) -> None:
    entries = whole(auditor, "/audit/timeline")
    assert [one["organization_seq"] for one in entries] == list(range(1, len(entries) + 1))
    bought = next(one for one in entries if one["event"] == "Subscription.SubscriptionPurchased")
    assert (bought["aggregate_id"], bought["actor_role"], bought["command"]) == (used, "purchaser", "buy_subscription")
    assert bought["correlation_id"]
    assert (bought["causation_id"], bought["reason"]) == (None, None)
    assert "contoso.com" not in str(entries)


def test_a_whole_organization_and_its_read_models_as_of_a_moment(auditor: Api, used: str) -> None:
    entries = whole(auditor, "/audit/timeline")
    bought = next(one for one in entries if one["event"] == "Subscription.SubscriptionPurchased")
    pool_id = next(one for one in entries if one["event"] == "LicensePool.LicensePoolOpened")["aggregate_id"]
    before, now = bought["position"] - 1, 10**12
    states = {one["aggregate_id"]: one for one in whole(auditor, "/audit/states", at=now)}
    assert states.keys() == {one["aggregate_id"] for one in entries}
    assert states[pool_id] == auditor.get(f"/state/{pool_id}", at=now)
    assert used not in {one["aggregate_id"] for one in whole(auditor, "/audit/states", at=before)}
    assert whole(auditor, "/audit/read-models/purchases", at=before) == []
    for moment in ({"at": now}, {"effective": (datetime.now(UTC) + timedelta(hours=1)).isoformat()}):
        [row] = whole(auditor, "/audit/read-models/purchases", **moment)
        assert (row["subscription_id"], row["licenses_total"], row["licenses_assigned"]) == (used, 100, 1)
    for path in ("/audit/states", "/audit/read-models/purchases", "/audit/differences"):
        refused(auditor.ask("GET", path), 400, "bad_parameter")
    refused(auditor.ask("GET", "/audit/read-models/everything", params={"at": 1}), 400, "bad_parameter")


def test_what_differs_is_told_with_the_events_that_made_it(auditor: Api, used: str) -> None:
    given = next(one for one in whole(auditor, "/audit/timeline") if one["event"] == "LicensePool.LicenseAssigned")
    [pool] = whole(auditor, "/audit/differences", since=given["position"] - 1, until=given["position"])
    [field] = pool["fields"]
    assert field["field"] == f"holders.{given['facts']['member_id']}"
    assert (field["before"], field["after"], field["made_by"]) == (None, "held", [given["position"]])
    [event] = pool["events"]
    assert (event["command"], event["actor_id"]) == ("assign_licenses", given["actor_id"])
    of_one = {"since": given["position"] - 1, "aggregate_id": given["aggregate_id"]}
    assert whole(auditor, "/audit/differences", **of_one) == [pool]
    assert whole(auditor, "/audit/differences", **{**of_one, "aggregate_id": used}) == []
    refused(
        auditor.ask("GET", "/audit/differences", params={"since": 1, "aggregate_id": str(uuid4())}), 404, "not_found"
    )


def test_who_held_a_license_on_a_day_and_who_paid_for_it(auditor: Api, chris: Api, used: str) -> None:
    [held] = auditor.get("/audit/held", on=TODAY.isoformat())["items"]
    assert (held["subscription_id"], held["licenses"]) == (used, 100)
    assert [one["member_id"] for one in held["holders"]] == [member_id_of(chris, PURCHASER)]
    [line], [invoice] = held["lines"], held["invoices"]
    assert line["licenses"] == 100
    [paid] = invoice["paid_by"]
    assert (paid["what"], paid["amount_minor"]) == ("payment", invoice["total_minor"])
    assert paid["payment_method_id"]
    day_before = (TODAY - timedelta(days=1)).isoformat()
    assert auditor.get("/audit/held", on=day_before, subscription_id=used)["items"] == []


@pytest.mark.usefixtures("used")
def test_control_totals_close_also_as_csv(auditor: Api) -> None:
    found = auditor.get("/audit/totals", until=TODAY.isoformat())
    [day] = found["days"]
    assert found["contradictions"] == []
    assert (day["opening_minor"], day["closing_minor"]) == (0, 0)
    assert day["invoiced_minor"] == day["received_minor"] > 0
    answer = auditor.ask("GET", "/audit/totals.csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    [row] = csv.DictReader(io.StringIO(answer.text))
    assert (row["day"], row["billing_profile_id"]) == (day["day"], day["billing_profile_id"])
    assert row["invoiced"] == f"{day['invoiced_minor'] / 100:.2f}"
    assert auditor.get("/audit/totals", since=(TODAY + timedelta(days=1)).isoformat())["days"] == []


@pytest.mark.usefixtures("used")
def test_invoices_are_derived_again_and_rerated(auditor: Api) -> None:
    derived = auditor.get("/audit/derived-invoices")
    assert derived["others"] == []
    [invoice] = derived["invoices"]
    assert invoice["recorded"] == invoice["derived"]
    rerated = auditor.get("/audit/rerated-invoices", rule="days of the cycle, half even")
    assert rerated["totals"][0]["difference_minor"] == 0
    [line] = rerated["documents"][0]["lines"]
    cheaper = auditor.get("/audit/rerated-invoices", price=f"{line['offer_id']}={line['unit_price_minor'] - 1}")
    assert cheaper["documents"][0]["lines"][0]["difference_minor"] == -100
    for query in ({}, {"rule": "sideways"}, {"price": "free"}, {"price": "=1"}, {"price": "x=-1"}):
        refused(auditor.ask("GET", "/audit/rerated-invoices", params=query), 400, "bad_parameter")
    assert auditor.get("/audit/rerated-invoices", price="nothing=1")["unused_prices"] == ["nothing"]


PATHS = (
    *("/audit/timeline", "/audit/states?at=1", "/audit/read-models/purchases?at=1", "/audit/differences?since=1"),
    *(f"/audit/held?on={TODAY}", "/audit/totals", "/audit/totals.csv", "/audit/derived-invoices"),
    "/audit/rerated-invoices?price=x%3D1",
)


def test_for_auditors_and_operators(chris: Api, auditor: Api, ben: Api, bought: str) -> None:
    for path in PATHS:
        url = f"/v1/organizations/{chris.handle}{path}"
        assert chris.of_the_house("operator").ask("GET", url).status_code == 200, path
        for caller in (chris, ben, auditor.in_role("purchaser"), chris.of_the_house("service")):
            refused(caller.ask("GET", url), 403, "not_allowed")
    assert bought
