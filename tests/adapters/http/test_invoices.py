"""Invoices over HTTP: listed, shown, printed, explained and paid."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest

from adapters.settings import Settings
from tests.adapters.http.asking import advances, confirms, done_once, member_id_of, replaces_card, told
from tests.adapters.http.conftest import OTHER, PURCHASER, Api, can_pay, founded, refused


@dataclass(frozen=True)
class PastDue:
    """Ben's renewal in a simulation, which his card did not pay."""

    ben: Api
    subscription_id: str
    invoice_id: str

    @property
    def payments(self) -> str:
        return f"/invoices/{self.invoice_id}/payments"


def past_due(operator: Api, offer_id: str, settings: Settings, card: str) -> PastDue:
    ben = founded(operator, simulation=True).as_(PURCHASER)
    can_pay(ben)
    bought = ben.post("/subscriptions", {"offer_id": offer_id, "licenses": 2})["subscription_id"]
    replaces_card(ben, card)
    renewal = date.fromisoformat(ben.get(f"/subscriptions/{bought}")["term_end"])
    advances(settings, ben.handle, renewal)
    last = ben.put(f"/billing-profiles/{profile_of(ben)}/po-number", {"po_number": "PO-1"})["position"]
    [invoice] = ben.get("/invoices", state="past_due", at_least=last)["items"]
    return PastDue(ben, bought, invoice["invoice_id"])


def profile_of(member: Api) -> str:
    return str(member.get("/billing-profiles", mine=True)["items"][0]["billing_profile_id"])


@pytest.fixture
def purchase(ben: Api, offer_id: str) -> dict[str, str]:
    """Of 100 licenses, with its invoice."""
    ben.done("PATCH", f"/billing-profiles/{profile_of(ben)}/bill-to", {"bill_to": "Contoso Ltd"}, tag="*")
    return dict(ben.post("/subscriptions", {"offer_id": offer_id, "licenses": 100}))


@pytest.fixture
def invoice_id(purchase: dict[str, str]) -> str:
    return purchase["invoice_id"]


def test_an_invoice_says_everything_that_stands_on_it(ben: Api, purchase: dict[str, str], invoice_id: str) -> None:
    ben.put(f"/subscriptions/{purchase['subscription_id']}/licenses", {"total": 90})
    shown = ben.get(f"/invoices/{invoice_id}")
    assert (shown["invoice_id"], shown["state"], shown["currency"]) == (invoice_id, "paid", "USD")
    assert (shown["total_minor"], shown["credited_minor"], shown["due_minor"]) == (140_000, 14_000, 0)
    assert [line["quantity"] for line in shown["lines"]] == [100]
    assert [note["total_minor"] for note in shown["credit_notes"]] == [-14_000]
    assert [(paid["what"], paid["amount_minor"]) for paid in shown["payments"]] == [
        ("Visa ending in 4242", 140_000),
        ("refund to Visa ending in 4242", -14_000),
    ]
    assert (shown["bill_to"], bool(shown["seller"])) == (["Contoso Ltd"], True)


def test_the_list_is_by_date_and_state_a_page_at_a_time(chris: Api, ben: Api, offer_id: str) -> None:
    for licenses in (1, 2, 3):
        ben.post("/subscriptions", {"offer_id": offer_id, "licenses": licenses})
    david = chris.as_(OTHER)
    of_david = can_pay(david)
    david.post("/subscriptions", {"offer_id": offer_id, "licenses": 4})
    first = ben.get("/invoices", limit=2, past_months=6)
    rest = ben.get("/invoices", limit=2, past_months=6, cursor=first["next"])
    numbers = [one["number"] for one in first["items"] + rest["items"]]
    assert (len(numbers), rest["next"]) == (3, None)
    assert numbers == sorted(numbers, reverse=True)
    assert [one["total_minor"] for one in rest["items"]] == [1_400]
    assert len(chris.get("/invoices")["items"]) == 4
    assert len(chris.get("/invoices", billing_profile_id=of_david)["items"]) == 1
    assert ben.get("/invoices", billing_profile_id=of_david)["items"] == []
    assert ben.get("/invoices", state="past_due")["items"] == []
    today = datetime.now(UTC).date()
    yesterday = (today - timedelta(days=1)).isoformat()
    assert ben.get("/invoices", until=yesterday)["items"] == []
    assert len(ben.get("/invoices", since=yesterday, until=today.isoformat())["items"]) == 3
    refused(ben.ask("GET", "/invoices", params={"limit": 2, "cursor": first["next"]}), 400, "cursor_not_accepted")


@pytest.mark.parametrize(
    "question",
    [
        {"past_months": 4},
        {"past_months": "six"},
        {"past_months": 6, "since": "2026-01-01"},
        {"since": "2026-02-01", "until": "2026-01-01"},
        {"since": "January"},
        {"until": "2026-01-01T00:00:00"},
        {"state": "lost"},
        {"billing_profile_id": "K7Q2ZD"},
        {"limit": 201},
        {"past": 6},
    ],
    ids=str,
)
def test_a_bad_question_is_refused(ben: Api, question: dict[str, str]) -> None:
    answer = ben.ask("GET", "/invoices", params=question)
    assert refused(answer, 400, "bad_parameter")["errors"]
    assert not any(value in answer.text for value in ("six", "January", "K7Q2ZD"))


def test_it_is_printed_to_the_same_bytes(ben: Api, invoice_id: str) -> None:
    first, again = (ben.ask("GET", f"/invoices/{invoice_id}/pdf") for _ in range(2))
    assert (first.status_code, first.headers["content-type"]) == (200, "application/pdf")
    assert first.content.startswith(b"%PDF-")
    assert first.content == again.content
    number = ben.get(f"/invoices/{invoice_id}")["number"]
    assert first.headers["content-disposition"] == f'inline; filename="{number}.pdf"'
    assert first.headers["cache-control"] == "no-store"


def test_every_amount_is_explained(ben: Api, purchase: dict[str, str], invoice_id: str) -> None:
    ben.put(f"/subscriptions/{purchase['subscription_id']}/licenses", {"total": 90})
    explained = ben.get(f"/invoices/{invoice_id}/explanation")
    assert (explained["invoice_id"], explained["contradictions"]) == (invoice_id, [])
    [line] = explained["lines"]
    assert line["arithmetic"] == {"text": "100 x 1400 = 140000", "exact": None, "amount_minor": 140_000}
    assert "Subscription.SubscriptionPurchased" in [cause["event"] for cause in line["causes"]]
    assert [note["total_minor"] for note in explained["credit_notes"]] == [14_000]
    assert explained["due_minor"] == 0


def test_for_others_it_does_not_exist(chris: Api, ben: Api, invoice_id: str, operator: Api) -> None:
    elsewhere = founded(operator)
    for somebody in (chris.as_(OTHER), elsewhere.as_(PURCHASER), elsewhere):
        for path in ("", "/pdf", "/explanation"):
            refused(somebody.ask("GET", f"/invoices/{invoice_id}{path}"), 404, "not_found")
        refused(somebody.ask("POST", f"/invoices/{invoice_id}/payments"), 404, "not_found")
    assert chris.get(f"/invoices/{invoice_id}")["invoice_id"] == invoice_id
    assert chris.get(f"/invoices/{invoice_id}/explanation")["contradictions"] == []
    refused(ben.ask("GET", f"/invoices/{uuid4()}/pdf"), 404, "not_found")
    refused(ben.ask("GET", "/invoices/K7Q2ZD-94MXPA-000001"), 400, "bad_parameter")
    refused(ben.within("contoso").ask("GET", f"/invoices/{invoice_id}"), 404, "not_found")


def test_an_auditor_sees_it_without_names(chris: Api, invoice_id: str) -> None:
    chris.post("/roles", {"member_id": member_id_of(chris, OTHER), "role": "auditor"})
    auditor = chris.as_(OTHER, "auditor")
    assert auditor.get(f"/invoices/{invoice_id}")["bill_to"] == ["[withheld]"]
    assert auditor.get(f"/invoices/{invoice_id}/explanation")["contradictions"] == []
    refused(auditor.ask("POST", f"/invoices/{invoice_id}/payments"), 403, "not_allowed")


def test_what_is_paid_is_not_due(ben: Api, invoice_id: str) -> None:
    refused(ben.ask("POST", f"/invoices/{invoice_id}/payments", json={}), 409, "nothing_due")


def test_what_is_past_due_is_paid_with_another_card(operator: Api, offer_id: str, api_settings: Settings) -> None:
    due = past_due(operator, offer_id, api_settings, "tok_declined_insufficient_funds")
    ben = due.ben
    assert ben.get(f"/subscriptions/{due.subscription_id}")["state"] == "in_grace"
    found = refused(ben.ask("POST", due.payments), 402, "payment_declined")
    assert found["facts"]["why"] == "insufficient_funds"
    other = ben.post("/payment-methods", {"token": "tok_mastercard"})["payment_method_id"]
    document = done_once(ben, "POST", due.payments, {"payment_method_id": other}, other={}).json()
    assert document["invoice_id"] == due.invoice_id
    assert {"payment.payment_captured", "invoice.payment_received", "subscription.charge_recovered"} <= set(
        told(document)
    )
    invoice = ben.get(f"/invoices/{due.invoice_id}")
    assert (invoice["state"], invoice["due_minor"]) == ("paid", 0)
    assert [paid["what"] for paid in invoice["payments"]] == ["Mastercard ending in 4444"]
    assert ben.get(f"/subscriptions/{due.subscription_id}")["state"] == "active"
    refused(ben.ask("POST", due.payments, json={"payment_method_id": str(uuid4())}), 409, "nothing_due")


def test_the_payer_confirms_and_the_same_call_goes_on(operator: Api, offer_id: str, api_settings: Settings) -> None:
    due = past_due(operator, offer_id, api_settings, "tok_action_required")
    ben, key = due.ben, str(uuid4())
    waits = ben.ask("POST", due.payments, key=key)
    found = refused(waits, 409, "payment_action_required")
    assert int(waits.headers["Retry-After"]) > 0
    assert found["facts"]["url"]
    refused(ben.ask("POST", due.payments, key=key), 409, "payment_action_required")
    confirms(api_settings, found["facts"]["payment_id"], ben.handle)
    done = [ben.ask("POST", due.payments, key=key) for _ in range(2)]
    assert [answer.status_code for answer in done] == [200, 200]
    assert done[0].content == done[1].content
    assert ben.get(f"/invoices/{due.invoice_id}")["state"] == "paid"
