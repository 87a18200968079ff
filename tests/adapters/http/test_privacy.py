"""Privacy over HTTP: forget, export, and what an auditor may read under a grant."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from domain.auditor_access import access_id_of
from domain.organization import organization_id_of
from tests.adapters.http.asking import member_id_of
from tests.adapters.http.conftest import OTHER, PURCHASER, Api, refused

CYNTHIA = "cynthia@contoso.com"


@pytest.fixture
def auditor(chris: Api) -> Api:
    chris.post("/roles", {"member_id": member_id_of(chris, CYNTHIA), "role": "auditor"})
    return chris.as_(CYNTHIA, "auditor")


def removed(chris: Api, user_name: str) -> str:
    """A member who has left, by id."""
    member_id = member_id_of(chris, user_name)
    chris.done("DELETE", f"/members/{member_id}")
    return member_id


def access_of(chris: Api, user_name: str) -> UUID:
    """Where the history of an auditor's access is."""
    return access_id_of(organization_id_of(str(chris.handle)), UUID(member_id_of(chris, user_name)))


def granted(chris: Api, **more: Any) -> str:
    until = (datetime.now(UTC) + timedelta(days=7)).isoformat()
    body = {"auditor_id": member_id_of(chris, CYNTHIA), "purpose": "tax_audit", "ends_at": until, **more}
    return str(chris.post("/access-grants", body)["grant_id"])


def test_a_person_is_forgotten_and_a_repeat_is_answered(chris: Api) -> None:
    member_id = removed(chris, OTHER)
    body = {"reason": "asked_by_subject"}
    first = chris.ask("POST", f"/members/{member_id}/erasure", json=body, key="forget-David")
    assert first.status_code == 200, first.text
    assert first.json()["erased"] >= 2
    assert first.json()["kept"] == []
    (event,) = first.json()["events"]
    assert event["type"] == "seatledger.member.personal_data_erased.v1"
    assert event["data"]["reason"] == "asked_by_subject"
    again = chris.ask("POST", f"/members/{member_id}/erasure", json=body, key="forget-David")
    assert (again.content, again.headers["Idempotency-Replayed"]) == (first.content, "true")
    assert chris.post(f"/members/{member_id}/exports")["facts"] == []
    second = chris.post(f"/members/{member_id}/erasure", body)
    assert (second["erased"], second["events"]) == (0, [])


def test_a_person_who_is_there_is_not_forgotten(chris: Api) -> None:
    answer = chris.ask("POST", f"/members/{member_id_of(chris, OTHER)}/erasure", json={"reason": "objected"})
    refused(answer, 409, "member_still_active")
    answer = chris.ask("POST", f"/members/{member_id_of(chris, OTHER)}/erasure", json={"reason": "David asked"})
    refused(answer, 422, "bad_input")


def test_what_stands_on_invoices_is_kept_with_its_day(chris: Api, ben: Api, bought: str) -> None:
    profile = ben.get("/billing-profiles", mine=True)["items"][0]["billing_profile_id"]
    ben.done("PATCH", f"/billing-profiles/{profile}/bill-to", {"bill_to": "Ben Andrews"}, tag="*")
    ben.put(f"/subscriptions/{bought}/licenses", {"total": 101})  # an invoice of its own
    ben.post(f"/subscriptions/{bought}/cancellation", {"when": "now", "reason": "other"})
    member_id = removed(chris, PURCHASER)
    path, year = f"/members/{member_id}/erasure", datetime.now(UTC).year
    kept = refused(chris.ask("POST", path, json={"reason": "objected"}), 409, "personal_facts_kept")
    assert kept["facts"]["keep_until"] == f"{year + 10}-12-31"
    done = chris.post(path, {"reason": "objected", "what_may_go": True})
    assert [(one["purpose"], one["keep_until"]) for one in done["kept"]] == [("bill_to_name", f"{year + 10}-12-31")]
    assert [one["purpose"] for one in chris.post(f"/members/{member_id}/exports")["facts"]] == ["bill_to_name"]


def test_exported_by_themselves_and_by_nobody_else(chris: Api, ben: Api) -> None:
    bens, davids = member_id_of(chris, PURCHASER), member_id_of(chris, OTHER)
    own = ben.in_role("purchaser").post(f"/members/{bens}/exports")
    assert {fact["value"] for fact in own["facts"]} >= {PURCHASER}
    refused(ben.in_role("purchaser").ask("POST", f"/members/{davids}/exports"), 404, "not_found")
    assert chris.post(f"/members/{davids}/exports")["member_id"] == davids


def test_an_auditor_reads_names_under_a_grant_alone(chris: Api, auditor: Api, bought: str) -> None:
    def purchaser() -> Any:
        return auditor.get(f"/subscriptions/{bought}")["purchaser"]["user_name"]

    def facts() -> set[str]:
        return {one["value"] for one in auditor.get(f"/facts/{member_id_of(chris, PURCHASER)}")["items"]}

    assert (purchaser(), facts()) == (None, {"[withheld]"})
    grant_id = granted(chris)
    assert purchaser() == PURCHASER
    assert PURCHASER in facts()
    (listed,) = auditor.get("/access-grants")["items"]
    assert (listed["grant_id"], listed["open"]) == (grant_id, True)
    chris.done("DELETE", f"/auditors/{member_id_of(chris, CYNTHIA)}/access-grants/{grant_id}")
    assert (purchaser(), facts()) == (None, {"[withheld]"})


def test_each_reading_stands_in_history_before_it_is_answered(chris: Api, auditor: Api, bought: str) -> None:
    granted(chris)
    auditor.get("/subscriptions")
    auditor.get(f"/subscriptions/{bought}")
    auditor.get(f"/history/{bought}")  # has no names
    told = auditor.get(f"/history/{access_of(chris, CYNTHIA)}", limit=200)["items"]
    read = [one["facts"] for one in told if one["event"] == "AuditorAccess.PersonalDataRead"]
    assert [one["operation"] for one in read] == ["list_purchases", "show_purchase"]
    assert all(one["subject_ids"] == [member_id_of(chris, PURCHASER)] for one in read)


def test_a_kept_value_is_checked_and_not_kept(chris: Api, auditor: Api) -> None:
    fact = chris.post(f"/members/{member_id_of(chris, OTHER)}/exports")["facts"][0]
    kept = {name: fact[name] for name in ("fact_id", "value", "salt")}
    assert auditor.post("/disclosures", kept)["matches"] is True
    assert auditor.post("/disclosures", {**kept, "value": "somebody else"})["matches"] is False
    refused(chris.in_role("admin").ask("POST", "/disclosures", json=kept), 403, "not_allowed")


def state(auditor: Api, member_id: str) -> dict[str, dict[str, str]]:
    """What history knows of a member by now: commitments."""
    found: dict[str, dict[str, str]] = auditor.get(f"/state/{member_id}", at=str(10**15))["state"]["details"]
    return found


def test_replay_marks_what_was_erased(chris: Api, auditor: Api) -> None:
    member_id = removed(chris, OTHER)
    assert "[erased]" not in auditor.ask("GET", f"/history/{member_id}").text
    before = state(auditor, member_id)
    chris.post(f"/members/{member_id}/erasure", {"reason": "objected"})
    after = state(auditor, member_id)
    assert after == {purpose: {**ref, "value": "[erased]"} for purpose, ref in before.items()}
    (added, *_) = auditor.get(f"/history/{member_id}")["items"]
    assert {ref["value"] for ref in added["facts"]["details"].values()} == {"[erased]"}
