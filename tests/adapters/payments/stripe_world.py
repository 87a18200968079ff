"""A strict stand-in for Stripe: only what the adapter uses, with the sandbox's rules behind it.

Shapes and error codes follow Stripe's published API; where it is strict (keys, ceilings, holds, clock), so is this.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid5

from services.ports_payments import (
    Card,
    CardEdit,
    CardRefused,
    ChargeRequest,
    PaymentHandle,
    ProviderPayment,
)
from tests.adapters.payments.sandbox_bench import SandboxBench

Json = dict[str, Any]
STATUS = {
    "authorized": "requires_capture",
    "captured": "succeeded",
    "action_required": "requires_action",
    "declined": "requires_payment_method",
    "released": "canceled",
}
CATEGORIES = {"capture": "charge", "refund": "refund", "dispute": "dispute"}
NOBODY = UUID(int=0)


class WireError(Exception):
    def __init__(self, status: int, kind: str = "invalid_request_error", **more: object) -> None:
        super().__init__(status)
        self.status, self.body = status, {"error": {"type": kind, "message": "no", **more}}


def missing(param: str = "id") -> WireError:
    return WireError(404, code="resource_missing", param=param)


class StripeWorld:
    """The objects of one Stripe account."""

    def __init__(self, bench: SandboxBench) -> None:
        self.bench, self.sandbox = bench, bench.sandbox
        self.customers: dict[str, Json] = {}
        self.cards: dict[str, tuple[str, Card]] = {}  # payment method: its customer and the sandbox's card

    def answer(  # noqa: C901, PLR0911, PLR0912 - one case for each endpoint reads best as one table
        self, method: str, path: list[str], sent: Json, key: str
    ) -> Json:
        match method, path:
            case "POST", ["customers"]:
                name = f"cus_{uuid5(NOBODY, key).hex[:14]}"
                return self.customers.setdefault(name, {"id": name, "object": "customer", "metadata": sent["metadata"]})
            case "GET", ["customers", name]:
                return self.customers[name]
            case "GET", ["payment_methods", name]:
                if name not in self.cards and not name.startswith("tok_"):
                    raise missing("payment_method")
                return self.method(name)
            case "POST", ["payment_methods", name, *verb]:
                return self.change(name, "".join(verb), sent)
            case "POST", ["payment_intents"]:
                return self.pay(sent)
            case "GET", ["payment_intents"]:
                found = reversed(self.sandbox.payments())
                return self.listed(
                    [self.intent(one) for one in found if self.created(one) >= int(sent["created"]["gte"])]
                )
            case "GET", ["payment_intents", name]:
                return self.intent(self.payment(name))
            case "POST", ["payment_intents", name, verb]:
                return self.move(self.payment(name), verb, sent)
            case "POST", ["refunds"]:
                return self.give_back(self.payment(sent["payment_intent"]), sent)
            case "GET", ["refunds"]:
                refunds = self.payment(sent["payment_intent"]).refunds
                return self.listed([self.refund(*one) for one in reversed(refunds)])
            case "GET", ["disputes"]:
                disputes = self.payment(sent["payment_intent"]).disputes
                return self.listed(
                    [{"id": d.dispute_id, "object": "dispute", "amount": d.amount_minor, "currency": "usd"}
                     | {"status": "needs_response" if d.state == "open" else d.state} for d in disputes]
                )  # fmt: skip
            case "GET", ["balance_transactions"]:
                return self.listed(list(self.movements(sent["created"])))
            case _:
                raise WireError(404, code="unrecognized_url")

    def listed(self, objects: list[Json]) -> Json:
        return {"object": "list", "data": objects, "has_more": False, "url": "/v1/x"}

    # Cards

    def method(self, name: str) -> Json:
        customer, card = self.cards.get(name, (None, None))
        return {"id": name, "object": "payment_method", "customer": customer} | {"card": card and wire_card(card)}

    def change(self, name: str, verb: str, sent: Json) -> Json:
        if verb == "attach":
            try:
                owner = UUID(self.customers[sent["customer"]]["metadata"]["owner_id"])
                self.cards[name] = sent["customer"], self.sandbox.store(name, owner_id=owner, organization_id=owner)
            except CardRefused as why:
                raise WireError(402, "card_error", code=why.code) from None
            return self.method(name)
        if name not in self.cards:
            raise missing()
        customer, card = self.cards[name]
        if verb == "detach":
            self.sandbox.forget(card.token)
            del self.cards[name]
            return self.method(name)
        expiry = sent.get("card", {})
        edit = CardEdit(expiry_month=expiry.get("exp_month"), expiry_year=expiry.get("exp_year"))
        try:
            self.cards[name] = customer, self.sandbox.edit(card.token, edit)
        except CardRefused:
            raise WireError(402, "card_error", code="invalid_expiry_year", param="exp_year") from None
        return self.method(name)

    # Payments

    def pay(self, sent: Json) -> Json:
        if sent["payment_method"] not in self.cards:
            raise missing("payment_method")
        card = self.cards[sent["payment_method"]][1]
        if sent["metadata"].get("purpose") == "security_code_check":
            return self.checked(sent)
        metadata = sent["metadata"]
        handle = PaymentHandle(UUID(metadata["payment_id"]), int(metadata["attempt"]), card.token, self.bench.now())
        on_session = "off_session" not in sent
        request = ChargeRequest(handle, int(sent["amount"]), sent["currency"].upper(), on_session, sent["description"])
        taken = self.sandbox.authorize if sent["capture_method"] == "manual" else self.sandbox.charge
        payment = taken(request)
        if payment.code == "amount_too_small":
            raise WireError(400, code=payment.code, param="amount")
        if payment.state == "declined":
            intent = self.intent(payment)
            raise WireError(402, "card_error", payment_intent=intent, **intent["last_payment_error"])
        return self.intent(payment)

    def checked(self, sent: Json) -> Json:
        """A hold that checks a security code."""
        if "wrong" in sent["payment_method_options"]["card"]["cvc_token"]:
            raise WireError(402, "card_error", code="incorrect_cvc")
        charge = {"object": "charge", "payment_method_details": {"card": {"checks": {"cvc_check": "pass"}}}}
        return {"id": "pi_check", "object": "payment_intent", "status": "canceled", "latest_charge": charge}

    def payment(self, name: str) -> ProviderPayment:
        found = next((one for one in self.sandbox.payments() if one.reference == name), None)
        if found is None:
            raise missing("intent")
        return found

    def handle(self, payment: ProviderPayment) -> PaymentHandle:
        return PaymentHandle(payment.payment_id, payment.attempt, "", self.bench.now(), payment.reference)

    def move(self, payment: ProviderPayment, verb: str, sent: Json) -> Json:
        if verb == "cancel":
            released = self.sandbox.release(self.handle(payment))
            assert released is not None
            return self.intent(released)
        taken = self.sandbox.capture(self.handle(payment), int(sent["amount_to_capture"]))
        if taken.state == "declined":
            gone = taken.code != "amount_too_large"
            raise WireError(400, code="payment_intent_unexpected_state" if gone else taken.code)
        return self.intent(taken)

    def give_back(self, payment: ProviderPayment, sent: Json) -> Json:
        refund = self.sandbox.refund(
            self.handle(payment), UUID(sent["metadata"]["refund_id"]), int(sent["amount"]), "USD"
        )
        if refund.state == "failed":
            raise WireError(400, param="amount")  # Stripe gives no code for it
        return self.refund(*refund)

    def refund(self, refund_id: UUID, amount: int, state: str, code: str | None) -> Json:
        facts = {"id": f"re_{refund_id.hex}", "object": "refund", "status": state, "failure_reason": code}
        return facts | {"amount": amount, "currency": "usd", "metadata": {"refund_id": str(refund_id)}}

    def created(self, payment: ProviderPayment) -> int:
        first = next(call.at for call in self.sandbox.calls(payment.payment_id) if call.step in {"authorize", "charge"})
        return first // 1_000_000

    def intent(self, payment: ProviderPayment) -> Json:
        url = {"type": "redirect_to_url", "redirect_to_url": {"url": payment.action_url}}
        declined = payment.state == "declined"
        return {
            "id": payment.reference,
            "object": "payment_intent",
            "status": STATUS[payment.state],
            "amount": payment.amount_minor,
            "amount_received": payment.captured_minor,
            "currency": "usd",
            "metadata": {"payment_id": str(payment.payment_id), "attempt": str(payment.attempt)},
            "cancellation_reason": "automatic" if payment.code == "hold_expired" else None,
            "last_payment_error": {"code": "card_declined", "decline_code": payment.code} if declined else None,
            "next_action": url if payment.action_url else None,
            "latest_charge": {"object": "charge", "disputed": bool(payment.disputes)},
        }

    def movements(self, created: Json) -> Iterator[Json]:
        days = [datetime.fromtimestamp(int(at), UTC).date() for at in (created["gte"], int(created["lt"]) - 1)]
        for row in reversed(list(self.sandbox.settlement(days[0], days[1]))):
            metadata = {"payment_id": str(row.payment_id), "attempt": str(row.attempt)}
            if row.refund_id:
                metadata["refund_id"] = str(row.refund_id)
            source: Json = {
                "object": "refund" if row.refund_id else "charge",
                "amount": row.amount_minor,
                "currency": "usd",
            }
            source |= {"amount_captured": row.amount_minor, "metadata": metadata}
            at = int(datetime(row.settled_on.year, row.settled_on.month, row.settled_on.day, 9, tzinfo=UTC).timestamp())
            facts = {"id": f"txn_{row.reference}", "object": "balance_transaction", "created": at, "currency": "eur"}
            yield facts | {"reporting_category": CATEGORIES[row.kind], "amount": 1, "source": source}


def wire_card(card: Card) -> Json:
    names = {"exp_month": card.expiry_month, "exp_year": card.expiry_year}
    return names | {"brand": card.brand, "last4": card.last4, "country": card.country}
