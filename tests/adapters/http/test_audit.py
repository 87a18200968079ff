"""Audit over HTTP: the history of a thing page by page, and what it was at any moment."""

from __future__ import annotations

from base64 import b64decode
from typing import Any
from uuid import uuid4

import pytest

from services.ledger import product_aggregate_id
from tests.adapters.http.asking import member_id_of
from tests.adapters.http.conftest import OTHER, PURCHASER, Api, founded, refused


@pytest.fixture
def auditor(chris: Api) -> Api:
    """David, who acts as auditor without saying so."""
    chris.post("/roles", {"member_id": member_id_of(chris, OTHER), "role": "auditor"})
    return chris.as_(OTHER)


@pytest.fixture
def used(chris: Api, ben: Api, bought: str) -> str:
    """A subscription some of whose licenses were given and taken."""
    for user_name in (PURCHASER, OTHER, "cynthia@contoso.com"):
        ben.post(f"/subscriptions/{bought}/assignments", {"user_ids": [member_id_of(chris, user_name)]})
    return bought


def whole(caller: Api, aggregate_id: str, **query: Any) -> list[dict[str, Any]]:
    """All pages."""
    found: list[dict[str, Any]] = []
    cursor = None
    while not found or cursor:
        page = caller.get(f"/history/{aggregate_id}", **query, **({"cursor": cursor} if cursor else {}))
        assert len(page["items"]) <= query.get("limit", 50)
        found += page["items"]
        cursor = page["next"]
    return found


def test_everything_that_happened_to_a_subscription(auditor: Api, used: str) -> None:
    entries = whole(auditor, used)
    assert [entry["event"] for entry in entries] == [
        "Subscription.SubscriptionPurchased",
        "LicensePool.LicensePoolOpened",
        *["LicensePool.LicenseAssigned"] * 3,
    ]
    assert [entry["organization_seq"] for entry in entries] == sorted(entry["organization_seq"] for entry in entries)
    first = entries[0]
    assert (first["aggregate_id"], first["version"], first["actor_role"]) == (used, 1, "purchaser")
    assert (first["command"], first["facts"]["licenses"]) == ("buy_subscription", 100)
    assert len(first["chain_hash"]) == 64
    for limit in (1, 2, 4, 5, 200):
        assert whole(auditor, used, limit=limit) == entries
    pool_id = entries[1]["aggregate_id"]
    assert whole(auditor, pool_id, limit=3) == entries[1:]


def test_names_stand_in_no_history(auditor: Api, chris: Api) -> None:
    ben = member_id_of(chris, PURCHASER)
    text = auditor.ask("GET", f"/history/{ben}").text + auditor.ask("GET", f"/state/{ben}", params={"at": 10**12}).text
    assert "ben@" not in text
    assert "Ben" not in text


def test_what_it_was_at_a_moment(auditor: Api, used: str) -> None:
    entries = whole(auditor, used)
    pool_id, moments = entries[1]["aggregate_id"], entries[1:]
    for number, entry in enumerate(moments):
        for at in (entry["position"], entry["recorded_at"], entry["recorded_at"].replace("Z", "+00:00")):
            found = auditor.get(f"/state/{pool_id}", at=at)
            assert (found["aggregate"], found["aggregate_id"]) == ("LicensePool", pool_id)
            assert (found["version"], found["position"]) == (number + 1, entry["position"])
            assert len(b64decode(found["state"]["holders"])) == 16 * number  # as snapshots keep them: id after id
    refused(auditor.ask("GET", f"/state/{pool_id}", params={"at": moments[0]["position"] - 1}), 404, "not_found")
    refused(auditor.ask("GET", f"/state/{pool_id}", params={"at": "2020-01-01T00:00Z"}), 404, "not_found")


@pytest.mark.parametrize(
    "at",
    ["", "yesterday", "2025-08-01", "2025-08-01T10:00:00", "2025-13-01T10:00:00Z", "-1", "1e3", "1" * 19, "١٢", "0x10"],
)
def test_a_moment_is_a_position_or_a_time_with_its_zone(auditor: Api, at: str) -> None:
    answer = auditor.ask("GET", f"/state/{uuid4()}", params={"at": at})
    problem = refused(answer, 400, "bad_parameter")
    assert [error["pointer"] for error in problem["errors"]] == ["at"]
    assert not at or at not in problem["detail"].replace("2025-08-01T14:30:00Z", "")


def test_what_does_not_exist_has_no_history(auditor: Api, operator: Api) -> None:
    another = founded(operator)
    theirs = member_id_of(another, PURCHASER)
    for aggregate_id in (uuid4(), theirs):
        refused(auditor.ask("GET", f"/history/{aggregate_id}"), 404, "not_found")
        refused(auditor.ask("GET", f"/state/{aggregate_id}", params={"at": 10**12}), 404, "not_found")
        refused(another.of_the_house("operator").within("nowhere").ask("GET", f"/history/{theirs}"), 404, "not_found")
    refused(auditor.within(str(another.handle)).ask("GET", f"/history/{theirs}"), 404, "not_found")
    refused(auditor.ask("GET", "/history/everything"), 400, "bad_parameter")
    refused(auditor.ask("GET", f"/state/{uuid4()}"), 400, "bad_parameter")


def test_for_auditors_and_operators(chris: Api, auditor: Api, ben: Api, bought: str) -> None:
    operator = chris.of_the_house("operator")
    assert whole(operator, bought) == whole(auditor, bought)
    for caller in (chris, chris.in_role("auditor"), ben, auditor.in_role("purchaser"), chris.of_the_house("service")):
        refused(caller.ask("GET", f"/history/{bought}"), 403, "not_allowed")
        refused(caller.ask("GET", f"/state/{bought}", params={"at": 10**12}), 403, "not_allowed")


def test_the_catalogs_history_is_the_houses_own(operator: Api, auditor: Api) -> None:
    product = f"/v1/organizations/catalog/history/{product_aggregate_id('CFQ7TTC0H9MP')}"
    [listed] = operator.get(product)["items"]
    assert (listed["event"], listed["facts"]["product"]["name"]) == ("Product.ProductListed", "Power BI Pro")
    refused(auditor.ask("GET", product), 404, "not_found")
    refused(auditor.of_the_house("service").ask("GET", product), 403, "not_allowed")


def test_a_cursor_is_for_its_history(auditor: Api, chris: Api, used: str) -> None:
    cursor = auditor.get(f"/history/{used}", limit=1)["next"]
    other = f"/history/{member_id_of(chris, OTHER)}"
    refused(auditor.ask("GET", other, params={"cursor": cursor}), 400, "cursor_not_accepted")
    mine = chris.of_the_house("operator").ask("GET", f"/history/{used}", params={"cursor": cursor})
    refused(mine, 400, "cursor_not_accepted")
