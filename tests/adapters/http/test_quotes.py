"""Quotes over HTTP: what a command would come to, and nothing recorded."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from tests.adapters.http.asking import replaces_card
from tests.adapters.http.conftest import OTHER, PURCHASER, Api, founded, refused


def position_of(ben: Api, bought: str) -> int:
    return int(ben.get(f"/subscriptions/{bought}")["last_position"])


def test_a_purchase_comes_to_what_was_quoted(chris: Api, ben: Api, offer_id: str) -> None:
    quoted = ben.get("/quotes/purchase", offer_id=offer_id, licenses=100)
    assert (quoted["what"], quoted["currency"], quoted["currency_exponent"]) == ("purchase", "USD", 2)
    assert (quoted["total_minor"], quoted["charge_minor"], quoted["lines"][0]["quantity"]) == (140_000, 140_000, 100)
    assert ben.get("/subscriptions")["items"] == []
    order = {"offer_id": offer_id, "licenses": 100, "expected_amount_minor": quoted["total_minor"]}
    ben.post("/subscriptions", order)
    [mine] = ben.get("/billing-profiles")["items"]
    central: dict[str, Any] = {"channel": "central", "billing_profile_id": mine["billing_profile_id"]}
    question = {"offer_id": offer_id, "licenses": 2, "purchaser_id": mine["owner_id"], **central}
    assert chris.get("/quotes/purchase", **question)["total_minor"] == 2_800
    refused(ben.ask("GET", "/quotes/purchase", params=question), 403, "not_allowed")


def test_the_card_is_not_asked(ben: Api, offer_id: str) -> None:
    """What it would answer is found out by whoever buys."""
    replaces_card(ben, "tok_declined")
    assert ben.get("/quotes/purchase", offer_id=offer_id, licenses=1)["charge_minor"] == 1_400


def test_every_change_of_a_subscription_is_quoted_and_none_is_recorded(ben: Api, bought: str) -> None:
    quotes, before = f"/subscriptions/{bought}/quotes", position_of(ben, bought)
    more = ben.get(f"{quotes}/resize", total=105)
    assert (more["what"], more["total_minor"]) == ("increase", 5 * 1_400)
    fewer = ben.get(f"{quotes}/resize", total=90)
    assert (fewer["what"], fewer["total_minor"], fewer["refund_minor"]) == ("decrease", -14_000, 14_000)
    at_once = ben.get(f"{quotes}/cancellation", when="now")
    assert (at_once["what"], at_once["refund_minor"]) == ("cancellation", 140_000)
    assert ben.get(f"{quotes}/cancellation", when="term_end")["what"] == "nothing"
    renewal = ben.get(f"{quotes}/renewal")
    assert (renewal["what"], renewal["total_minor"]) == ("renewal", 140_000)
    assert renewal["on"] == ben.get(f"/subscriptions/{bought}")["term_end"]
    refused(ben.ask("GET", f"{quotes}/reactivation"), 409, "nothing_to_reactivate")
    assert position_of(ben, bought) == before
    ben.post(f"/subscriptions/{bought}/cancellation", {"when": "now", "reason": "other"})
    assert ben.get(f"{quotes}/reactivation")["total_minor"] == 140_000
    assert ben.get(f"{quotes}/reactivation", licenses=2)["total_minor"] == 2_800
    refused(ben.ask("GET", f"{quotes}/renewal"), 409, "subscription_not_active")


@pytest.mark.parametrize(
    "question",
    [
        "/quotes/purchase?licenses=5",
        "/quotes/purchase?offer_id=power-bi&licenses=5",
        "/quotes/purchase?offer_id={offer}&licenses=0",
        "/quotes/purchase?offer_id={offer}&licenses=many",
        "/quotes/purchase?offer_id={offer}&licenses=5&total=6",
        "/quotes/purchase?offer_id={offer}&licenses=5&purchaser_id={offer}",  # which only a central one has
        "/subscriptions/{offer}/quotes/resize",
        "/subscriptions/{offer}/quotes/resize?total=-1",
        "/subscriptions/{offer}/quotes/cancellation?when=soon",
        "/subscriptions/mine/quotes/renewal",
    ],
)
def test_a_bad_question_is_refused(chris: Api, offer_id: str, question: str) -> None:
    answer = chris.as_(PURCHASER).ask("GET", chris.path(question.format(offer=offer_id)))
    found = refused(answer, 400, "bad_parameter")
    assert found["errors"]


def test_a_quote_is_refused_as_the_command_would_be(chris: Api, bought: str, offer_id: str, operator: Api) -> None:
    david, elsewhere = chris.as_(OTHER), founded(operator).as_(PURCHASER)
    question = {"offer_id": offer_id, "licenses": 5}
    refused(david.ask("GET", "/quotes/purchase", params=question), 409, "billing_profile_required")
    unknown = question | {"offer_id": str(uuid4())}
    refused(chris.as_(PURCHASER).ask("GET", "/quotes/purchase", params=unknown), 404, "not_found")
    for somebody in (david, elsewhere):
        for path in ("resize?total=5", "cancellation?when=now", "renewal", "reactivation"):
            refused(somebody.ask("GET", somebody.path(f"/subscriptions/{bought}/quotes/{path}")), 404, "not_found")
    refused(david.within("contoso").ask("GET", "/quotes/purchase", params=question), 404, "not_found")
