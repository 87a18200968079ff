"""The catalog over HTTP: what everybody may look at, and what operators change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from tests.adapters.http.asking import asked, done_once, member_id_of, told
from tests.adapters.http.conftest import OTHER, PURCHASER, Api, refused

PRODUCTS = "/v1/catalog/products"
TODAY = datetime.now(UTC).date()
TOMORROW, DAY_AFTER = (str(TODAY + timedelta(days=days)) for days in (1, 2))


def a_product(**facts: Any) -> dict[str, Any]:
    code = f"TEST{uuid4().hex[:12]}"
    policies = ["Enabled", "Disabled"]
    return {"product_id": code, "name": f"Tests of {code}", "self_service": True, "policies": policies, **facts}


def an_offer(product: dict[str, Any], minor: int = 1_400, **terms: Any) -> dict[str, Any]:
    usual = {"product_id": product["product_id"], "term": "P1M", "plan": "monthly", "currency": "USD", "maximum": 50}
    return {"terms": usual | terms, "unit_price_minor": minor}


def listed(caller: Api, product: dict[str, Any]) -> Any:
    [found] = caller.get(PRODUCTS, name=product["name"])["items"]
    return found


A_PRODUCT = a_product()


@pytest.fixture
def product(operator: Api) -> dict[str, Any]:
    """Of a test's own, with a monthly offer."""
    product = a_product()
    operator.post("/v1/catalog/imports", {"products": [product], "offers": [an_offer(product)]})
    return product


@pytest.fixture
def offer(operator: Api, product: dict[str, Any]) -> str:
    """The path of its offer."""
    [found] = listed(operator, product)["offers"]
    return f"/v1/catalog/offers/{found['offer_id']}"


def test_everybody_looks_through_it_page_by_page(chris: Api) -> None:
    ben, names, cursor, pages = chris.as_(PURCHASER), [], None, 0
    while pages == 0 or cursor:
        page = ben.get(PRODUCTS, limit=200, **({"cursor": cursor} if cursor else {}))
        assert len(page["items"]) <= 200
        names += [(one["name"].lower(), one["product_id"]) for one in page["items"]]
        cursor, pages = page["next"], pages + 1
    assert len(names) == len(set(names)) >= 571
    assert names == sorted(names)
    assert pages == -(-len(names) // 200)


def test_what_can_be_bought_today(chris: Api) -> None:
    found = chris.get(PRODUCTS, on_sale=True, limit=200)["items"]
    assert 0 < len(found) < 200
    assert all(any(offer["price"] for offer in one["offers"]) for one in found)
    [pro] = [one for one in found if one["name"] == "Power BI Pro"]
    assert pro["self_service"]
    assert pro["policies"] == ["Enabled", "Disabled"]
    [offer] = pro["offers"]
    assert (offer["terms"]["term"], offer["terms"]["currency"], offer["price"]["unit_price_minor"]) == (
        "P1M",
        "USD",
        1_400,
    )
    shown = chris.get(f"/v1/catalog/offers/{offer['offer_id']}")
    assert shown == offer | {"product_name": "Power BI Pro", "self_service": True}
    names = {one["name"] for one in chris.get(PRODUCTS, name="BI PRO")["items"]}
    assert "Power BI Pro" in names
    assert all("bi pro" in name.lower() for name in names)


def test_a_cursor_is_for_its_question(chris: Api) -> None:
    cursor = chris.get(PRODUCTS, limit=1)["next"]
    for other in ({"name": "a"}, {"on_sale": True}):
        wrong = chris.ask("GET", PRODUCTS, params={"cursor": cursor, **other})
        refused(wrong, 400, "cursor_not_accepted")
    refused(chris.as_(PURCHASER).ask("GET", PRODUCTS, params={"cursor": cursor}), 400, "cursor_not_accepted")
    refused(chris.ask("GET", PRODUCTS, params={"cursor": cursor[:-1]}), 400, "cursor_not_accepted")
    for wrong_one in ({"limit": 0}, {"limit": 201}, {"on_sale": "perhaps"}, {"names": "x"}):
        refused(chris.ask("GET", PRODUCTS, params=wrong_one), 400, "bad_parameter")


def test_who_may_look(chris: Api) -> None:
    for caller in (
        chris,
        chris.as_(PURCHASER),
        chris.of_the_house("operator"),
        chris.of_the_house("service"),
        chris.in_role("purchaser"),
    ):
        assert caller.get(PRODUCTS, limit=1)["items"]
    chris.post("/roles", {"member_id": member_id_of(chris, OTHER), "role": "billing_reader"})
    refused(chris.as_(OTHER, "billing_reader").ask("GET", PRODUCTS), 403, "not_allowed")
    refused(chris.as_(PURCHASER, "auditor").ask("GET", PRODUCTS), 403, "not_allowed")
    refused(chris.as_("nobody@contoso.com").ask("GET", PRODUCTS), 403, "not_allowed")


def test_who_was_removed_looks_no_more(chris: Api) -> None:
    """Their token is good for a while; the catalog is of another organization than they were removed from."""
    david = chris.as_(OTHER)
    [offer, *_] = david.get(PRODUCTS, on_sale=True)["items"][0]["offers"]
    chris.done("DELETE", f"/members/{member_id_of(chris, OTHER)}")
    for path in (PRODUCTS, f"/v1/catalog/offers/{offer['offer_id']}"):
        refused(david.ask("GET", path), 409, "member_not_active")


def test_a_member_of_nowhere_sees_nothing(chris: Api) -> None:
    issuer = chris.issuer
    for organization in ("catalog", "nowhere"):
        token = issuer.issue(organization, "chris@contoso.com", None, 1)
        headers = {"Authorization": f"Bearer {token}"}
        refused(chris.http.get(PRODUCTS, headers=headers), 403, "not_allowed")


def test_an_unknown_offer(chris: Api) -> None:
    refused(chris.ask("GET", f"/v1/catalog/offers/{uuid4()}"), 404, "not_found")
    refused(chris.ask("GET", "/v1/catalog/offers/power-bi-pro"), 400, "bad_parameter")


def test_imported_once_and_there_at_once(operator: Api, chris: Api) -> None:
    product = a_product(sku_part_number="TEST_SKU", sku_id=str(uuid4()))
    offers = [an_offer(product), an_offer(product, 500, term="P1Y", currency="JPY")]
    part = {"products": [product], "offers": offers}
    imported = done_once(operator, "POST", "/v1/catalog/imports", part, other={"products": [product]}).json()
    assert told(imported) == ["product.product_listed", "offer.offer_published", "offer.offer_published"]
    found = listed(chris, product)
    assert {name: found[name] for name in product} == product
    assert {one["terms"]["currency"]: one["terms"]["currency_exponent"] for one in found["offers"]} == {
        "USD": 2,
        "JPY": 0,
    }
    renamed = product | {"name": f"{product['name']}, renamed"}
    again = {"products": [renamed], "offers": [an_offer(product, 9_999)]}
    assert told(operator.post("/v1/catalog/imports", again)) == ["product.product_described_anew"]
    found = listed(chris, renamed)
    assert sorted(one["price"]["unit_price_minor"] for one in found["offers"]) == [500, 1_400]
    assert operator.post("/v1/catalog/imports", {})["events"] == []


@pytest.mark.parametrize(
    ("part", "code", "pointer"),
    [
        ({"products": [a_product(self_service="yes")]}, "bad_input", "/products/0/self_service"),
        ({"products": [a_product(name="")]}, "bad_input", "/products/0/name"),
        ({"products": [a_product(name="a\0b")]}, "bad_input", "/products/0/name"),
        ({"products": [a_product(name="x" * 257)]}, "bad_input", "/products/0/name"),
        ({"products": [a_product(product_id="a/b")]}, "bad_input", "/products/0/product_id"),
        ({"products": [a_product(policies=["Perhaps"])]}, "bad_input", "/products/0/policies/0"),
        ({"offers": [an_offer(a_product(), -1)]}, "bad_input", "/offers/0/unit_price_minor"),
        ({"offers": [an_offer(a_product(), maximum=0)]}, "bad_input", "/offers/0/terms/maximum"),
        ({"offers": [an_offer(a_product(), currency="usd")]}, "bad_input", "/offers/0/terms/currency"),
        ({"offers": [an_offer(a_product(), currency_exponent=2)]}, "bad_input", "/offers/0/terms"),
        ({"offers": [an_offer(a_product(), currency="XXX")]}, "unknown_currency", None),
        ({"products": [A_PRODUCT], "offers": [an_offer(A_PRODUCT, plan="annual")]}, "plan_longer_than_term", None),
    ],
)
def test_what_is_wrong_is_named(operator: Api, part: Any, code: str, pointer: str | None) -> None:
    problem = refused(operator.ask("POST", "/v1/catalog/imports", json=part), 422, code)
    assert [error["pointer"] for error in problem["errors"]] == ([pointer] if pointer else [])


def test_an_offer_is_of_a_product_that_is_listed(operator: Api) -> None:
    product = a_product()
    offers = {"offers": [an_offer(product)]}
    refused(operator.ask("POST", "/v1/catalog/imports", json=offers), 404, "not_found")
    operator.post("/v1/catalog/imports", {"products": [product]})
    operator.post("/v1/catalog/imports", offers)


def test_a_price_is_scheduled_and_withdrawn(operator: Api, chris: Api, offer: str) -> None:
    price = {"effective_on": TOMORROW, "unit_price_minor": 1_500}
    other = price | {"unit_price_minor": 1_600}
    done = done_once(operator, "POST", f"{offer}/prices", price, other=other).json()
    assert told(done) == ["offer.price_version_scheduled"]
    shown = chris.get(offer)
    assert shown["price"]["unit_price_minor"] == 1_400
    assert [(one["effective_on"], one["unit_price_minor"]) for one in shown["prices"]] == [
        (str(TODAY), 1_400),
        (TOMORROW, 1_500),
    ]
    refused(operator.ask("POST", f"{offer}/prices", json=other), 409, "price_version_exists")
    of_the_day, of_another = f"{offer}/prices/{TOMORROW}", f"{offer}/prices/{DAY_AFTER}"
    withdrawn = done_once(operator, "DELETE", of_the_day, other_path=of_another).json()
    assert told(withdrawn) == ["offer.price_version_withdrawn"]
    assert len(chris.get(offer)["prices"]) == 1
    assert operator.done("DELETE", of_the_day)["events"] == []


def test_a_price_changes_from_tomorrow_on(operator: Api, offer: str) -> None:
    for day in (str(TODAY), "2020-02-29"):
        price = {"effective_on": day, "unit_price_minor": 1}
        refused(operator.ask("POST", f"{offer}/prices", json=price), 422, "effective_date_too_early")
        refused(operator.ask("DELETE", f"{offer}/prices/{day}"), 422, "effective_date_too_early")
    for wrong in (
        {"effective_on": "2030-02-30", "unit_price_minor": 1},
        {"effective_on": f"{TOMORROW}T00:00:00Z", "unit_price_minor": 1},
        {"effective_on": 1_900_000_000, "unit_price_minor": 1},
        {"effective_on": TOMORROW, "unit_price_minor": -1},
        {"effective_on": TOMORROW, "unit_price_minor": 15.5},
        {"effective_on": TOMORROW, "unit_price_minor": None},
        {"effective_on": TOMORROW, "unit_price_minor": 10**16},
        {"effective_on": TOMORROW},
    ):
        refused(operator.ask("POST", f"{offer}/prices", json=wrong), 422, "bad_input")
    refused(operator.ask("DELETE", f"{offer}/prices/tomorrow"), 400, "bad_parameter")


def test_an_offer_is_withdrawn_and_stays_after_all(operator: Api, chris: Api, offer: str) -> None:
    body = {"withdrawn_on": TOMORROW}
    done = done_once(operator, "POST", f"{offer}/withdrawal", body, other={"withdrawn_on": DAY_AFTER}).json()
    assert told(done) == ["offer.offer_withdrawn"]
    shown = chris.get(offer)
    assert (shown["withdrawn_on"], shown["price"]["unit_price_minor"]) == (TOMORROW, 1_400)
    another = f"/v1/catalog/offers/{uuid4()}/withdrawal"
    revoked = done_once(operator, "DELETE", f"{offer}/withdrawal", other_path=another).json()
    assert told(revoked) == ["offer.offer_withdrawal_revoked"]
    assert chris.get(offer)["withdrawn_on"] is None
    refused(
        operator.ask("POST", f"{offer}/withdrawal", json={"withdrawn_on": str(TODAY)}), 422, "effective_date_too_early"
    )


COMMANDS = [
    ("POST", "/v1/catalog/imports", {"products": [a_product()]}),
    ("POST", "{}/prices", {"effective_on": TOMORROW, "unit_price_minor": 1}),
    ("DELETE", f"{{}}/prices/{TOMORROW}", None),
    ("POST", "{}/withdrawal", {"withdrawn_on": TOMORROW}),
    ("DELETE", "{}/withdrawal", None),
]


@pytest.mark.parametrize(("method", "path", "body"), COMMANDS)
def test_for_operators(chris: Api, offer: str, method: str, path: str, body: Any) -> None:
    here, operator = path.format(offer), chris.of_the_house("operator")
    for caller in (chris, chris.as_(PURCHASER), chris.as_("nobody@contoso.com"), chris.of_the_house("service")):
        refused(asked(caller, method, here, body), 403, "not_allowed")
    if "{}" in path:
        nowhere = path.format(f"/v1/catalog/offers/{uuid4()}")
        refused(asked(operator, method, nowhere, body), 404, "not_found")
    asked(operator, method, here, body).raise_for_status()


def test_a_key_is_its_callers_own(operator: Api, chris: Api, offer: str) -> None:
    """Who sends the key of another gets no answer of theirs."""
    key, body = str(uuid4()), {"withdrawn_on": TOMORROW}
    assert operator.ask("POST", f"{offer}/withdrawal", json=body, key=key).status_code == 200
    refused(chris.ask("POST", f"{offer}/withdrawal", json=body, key=key), 403, "not_allowed")
