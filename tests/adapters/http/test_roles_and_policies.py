"""Roles and self-service policies over HTTP, and what policies do to those who buy."""

from __future__ import annotations

from typing import Any

import pytest

from tests.adapters.http.asking import asked, done_once, member_id_of, told, told_of
from tests.adapters.http.conftest import ADMIN, OTHER, PURCHASER, Api, founded, refused

POWER_BI_PRO = "CFQ7TTC0H9MP"
NOT_SELF_SERVICE = "420af87e-8177-4146-a780-3786adaffbca"  # Power BI Pro CE
POLICY = f"/policies/{POWER_BI_PRO}"


def held(chris: Api) -> dict[str, list[str]]:
    return {one["member"]["user_name"]: one["roles"] for one in chris.get("/roles")["items"]}


def test_granted_and_taken_back(chris: Api) -> None:
    david = member_id_of(chris, OTHER)
    grant = {"member_id": david, "role": "auditor"}
    granted = done_once(chris, "POST", "/roles", grant, other=grant | {"role": "billing_reader"}).json()
    event = told_of(granted, "organization.role_granted")
    assert (event["member_id"], event["role"]) == (david, "auditor")
    chris.post("/roles", {"member_id": david, "role": "billing_reader"})
    assert held(chris) == {ADMIN: ["admin"], OTHER: ["auditor", "billing_reader"]}
    assert chris.post("/roles", grant)["events"] == []
    of_david = f"/members/{david}/roles"
    revoked = done_once(chris, "DELETE", f"{of_david}/auditor", other_path=f"{of_david}/billing_reader").json()
    assert told(revoked) == ["organization.role_revoked"]
    assert held(chris) == {ADMIN: ["admin"], OTHER: ["billing_reader"]}
    assert chris.done("DELETE", f"{of_david}/auditor")["events"] == []


def test_the_last_admin_stays(chris: Api) -> None:
    mine = f"/members/{member_id_of(chris, ADMIN)}/roles/admin"
    refused(chris.ask("DELETE", mine), 409, "last_admin")
    chris.post("/roles", {"member_id": member_id_of(chris, OTHER), "role": "admin"})
    chris.done("DELETE", mine)
    refused(chris.ask("GET", "/roles"), 403, "not_allowed")
    assert held(chris.as_(OTHER, "admin")) == {OTHER: ["admin"]}


@pytest.mark.parametrize("role", ["purchaser", "operator", "service", "owner", None, 7])
def test_only_these_roles_are_granted(chris: Api, role: Any) -> None:
    david = member_id_of(chris, OTHER)
    problem = refused(chris.ask("POST", "/roles", json={"member_id": david, "role": role}), 422, "bad_input")
    assert [error["pointer"] for error in problem["errors"]] == ["/role"]
    refused(chris.ask("DELETE", f"/members/{david}/roles/{role}"), 400, "bad_parameter")


def test_roles_are_granted_to_active_members(chris: Api) -> None:
    david = member_id_of(chris, OTHER)
    chris.post(f"/members/{david}/deactivation")
    refused(chris.ask("POST", "/roles", json={"member_id": david, "role": "auditor"}), 409, "member_not_active")


def policy_of(chris: Api, product_id: str = POWER_BI_PRO) -> Any:
    [found] = [one for one in chris.get("/policies")["items"] if one["product_id"] == product_id]
    return found


def test_every_self_service_product_has_a_policy(chris: Api) -> None:
    found = chris.get("/policies")["items"]
    assert len(found) >= 17  # other tests list products of their own
    assert {one["policy"] for one in found} == {"Enabled"}
    assert policy_of(chris) == {
        "product_id": POWER_BI_PRO,
        "product": "Power BI Pro",
        "policy": "Enabled",
        "allowed": ["Enabled", "Disabled"],
    }


def test_a_policy_is_set_on_what_was_seen(chris: Api, ben: Api, offer_id: str) -> None:
    seen = chris.tag("/policies")
    disabled = {"policy": "Disabled"}
    done = done_once(chris, "PUT", POLICY, disabled, other={"policy": "Enabled"}, tag=seen).json()
    assert told(done) == ["organization.self_service_policy_set"]
    assert policy_of(chris)["policy"] == "Disabled"
    order = {"offer_id": offer_id, "licenses": 1}
    refused(ben.ask("POST", "/subscriptions", json=order), 409, "self_service_disabled")
    stale = refused(chris.ask("PUT", POLICY, tag=seen, json={"policy": "Enabled"}), 412, "changed_meanwhile")
    assert stale["facts"]["actual"] == stale["facts"]["seen"] + 1
    now = chris.tag("/policies")
    assert now != seen
    assert chris.put(POLICY, disabled, tag=now)["events"] == []
    assert chris.tag("/policies") == now
    chris.put(POLICY, {"policy": "Enabled"})
    assert ben.ask("POST", "/subscriptions", json=order).status_code == 201


def test_a_policy_that_the_product_does_not_offer(chris: Api) -> None:
    trials = {"policy": "OnlyTrialsWithoutPaymentMethod"}
    refused(chris.ask("PUT", POLICY, tag="*", json=trials), 422, "policy_not_offered")
    not_sold_so = f"/policies/{NOT_SELF_SERVICE}"
    refused(chris.ask("PUT", not_sold_so, tag="*", json={"policy": "Disabled"}), 422, "policy_not_offered")
    refused(chris.ask("PUT", "/policies/NO-SUCH", tag="*", json={"policy": "Disabled"}), 404, "not_found")
    refused(chris.ask("PUT", POLICY, tag="*", json={"policy": "disabled"}), 422, "bad_input")
    refused(chris.ask("PUT", POLICY, json={"policy": "Disabled"}), 428, "if_match_required")
    refused(chris.ask("PUT", POLICY, tag="x", json={"policy": "Disabled"}), 400, "if_match_malformed")


COMMANDS = [
    ("GET", "/roles", None),
    ("POST", "/roles", {"role": "admin"}),
    ("DELETE", "/members/{}/roles/admin", None),
    ("GET", "/policies", None),
    ("PUT", POLICY, {"policy": "Disabled"}),
]


@pytest.mark.parametrize(("method", "path", "body"), COMMANDS)
def test_for_admins_of_this_organization(chris: Api, operator: Api, method: str, path: str, body: Any) -> None:
    david = member_id_of(chris, OTHER)
    path = path.format(david)
    body = body | {"member_id": david} if body and "role" in body else body
    tag = "*" if method == "PUT" else None
    ben = chris.as_(PURCHASER)
    for caller in (ben, ben.in_role("admin"), chris.in_role("purchaser"), chris.of_the_house("service")):
        refused(asked(caller, method, path, body, tag=tag), 403, "not_allowed")
    another = founded(operator)
    refused(asked(another.within(str(chris.handle)), method, path, body, tag=tag), 404, "not_found")
    assert held(chris) == {ADMIN: ["admin"]}
    assert policy_of(chris)["policy"] == "Enabled"
    asked(chris.of_the_house("operator"), method, path, body, tag=tag).raise_for_status()


def test_a_member_of_another_organization_gets_no_role(chris: Api, operator: Api) -> None:
    stranger = member_id_of(founded(operator), OTHER)
    refused(chris.ask("POST", "/roles", json={"member_id": stranger, "role": "auditor"}), 404, "not_found")
    refused(chris.ask("DELETE", f"/members/{stranger}/roles/auditor"), 404, "not_found")


def test_my_products_sum_the_licenses(chris: Api, ben: Api, bought: str, offer_id: str) -> None:
    ben.post(f"/subscriptions/{bought}/assignments", {"user_ids": [member_id_of(chris, OTHER)]})
    ben.post("/subscriptions", {"offer_id": offer_id, "licenses": 7})
    row = {
        "product_id": POWER_BI_PRO,
        "product_name": "Power BI Pro",
        "subscriptions": 2,
        "licenses_total": 107,
        "licenses_assigned": 1,
    }
    assert ben.get("/products")["items"] == [row]
    assert ben.get("/products", channel="self_service")["items"] == [row]
    assert ben.get("/products", channel="central")["items"] == []
    assert chris.as_(OTHER).get("/products")["items"] == []
    refused(ben.ask("GET", "/products", params={"channel": "retail"}), 400, "bad_parameter")
    refused(chris.of_the_house("service").ask("GET", "/products"), 403, "not_allowed")
    refused(ben.within("fabrikam").ask("GET", "/products"), 404, "not_found")
