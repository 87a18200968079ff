"""Stripe, through its official client: PaymentIntents, with the keys and metadata that find them again.

A card's lasting token is `customer/payment method`: charges need both. Nothing is sent twice by the client itself;
whether to send again is the services' decision. Errors are translated in stripe_wire.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from datetime import date, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import stripe
from pydantic import SecretStr

from adapters.payments.keys import key_of, refund_key
from adapters.payments.limits import limits_of
from adapters.payments.stripe_cards import StripeCards
from adapters.payments.stripe_settlement import settled
from adapters.payments.stripe_wire import (
    answering,
    code_of,
    declined,
    dispute_of,
    is_missing,
    metadata_of,
    not_taken,
    payment_of,
    refund_of,
    silence,
    statement_of,
    to_wire,
)
from services.ports_payments import (
    Card,
    CardEdit,
    ChargeRequest,
    Limits,
    PaymentHandle,
    ProviderPayment,
    ProviderRefund,
    SettlementRow,
)

if TYPE_CHECKING:
    from stripe.params import PaymentIntentCreateParams

CONNECT_S, ANSWER_S = 5.0, 30.0
CLOCKS_DIFFER = timedelta(minutes=15)  # ours and Stripe's, at most
AFTER_CONFIRMING = "https://stripe.com"  # where a payer lands after the bank's page, unless told otherwise


class StripeGateway:
    """Stripe as a payment provider; safe for threads. `base` is another server for tests."""

    name = "stripe"

    def __init__(
        self,
        api_key: SecretStr,
        *,
        base: str | None = None,
        return_url: str = AFTER_CONFIRMING,
        http: Callable[..., stripe.HTTPClient] = stripe.RequestsClient,
    ) -> None:
        silence()
        self._client = stripe.StripeClient(
            api_key.get_secret_value(),
            http_client=http(timeout=(CONNECT_S, ANSWER_S)),
            max_network_retries=0,  # unset, the client sends again by itself
            base_addresses={"api": base} if base else {},
        )
        self._cards, self._return_url = StripeCards(self._client), return_url

    # Cards

    def store(self, token: str, *, owner_id: UUID, organization_id: UUID) -> Card:
        return self._cards.store(token, owner_id=owner_id, organization_id=organization_id)

    def edit(self, token: str, changes: CardEdit) -> Card:
        return self._cards.edit(token, changes)

    def forget(self, token: str) -> None:
        self._cards.forget(token)

    # Payments

    def authorize(self, request: ChargeRequest) -> ProviderPayment:
        return self._attempt("authorize", request)

    def charge(self, request: ChargeRequest) -> ProviderPayment:
        return self._attempt("charge", request)

    def _attempt(self, step: str, request: ChargeRequest) -> ProviderPayment:
        handle, amount, currency, on_session, description = request
        customer, _, method = handle.token.partition("/")
        params: PaymentIntentCreateParams = {
            "amount": to_wire(amount, currency),
            "currency": currency.lower(),
            "customer": customer,
            "payment_method": method,
            "allowed_payment_method_types": ["card"],
            "capture_method": "manual" if step == "authorize" else "automatic",
            "confirm": True,
            "description": description,
            "metadata": {"payment_id": str(handle.payment_id), "attempt": str(handle.attempt)},
        }
        if statement := statement_of(description):
            params["statement_descriptor_suffix"] = statement
        if on_session:
            params["return_url"] = self._return_url
        else:
            params["off_session"] = True
        key = key_of(handle, step)
        with answering(key):
            try:
                intent = self._client.v1.payment_intents.create(params, {"idempotency_key": key})
            except stripe.CardError as why:
                intent_id = getattr(getattr(why.error, "payment_intent", None), "id", "")
                return declined(handle, intent_id, amount, code_of(why))
            except stripe.InvalidRequestError as why:
                code = "no_such_card" if why.param in {"payment_method", "customer"} else code_of(why)
                return declined(handle, "", amount, code)
        return payment_of(handle, intent)

    def capture(self, handle: PaymentHandle, amount_minor: int) -> ProviderPayment:
        """Takes what is held, once: another capture answers what was taken."""
        intent = self._intent(handle)
        if intent is None:
            return declined(handle, "", amount_minor, "no_such_payment")
        before, key = payment_of(handle, intent), key_of(handle, "capture")
        if before.state != "authorized":
            return not_taken(before, "")
        with answering(key):
            try:
                taken = self._client.v1.payment_intents.capture(
                    intent.id,
                    {"amount_to_capture": to_wire(amount_minor, intent.currency.upper())},
                    {"idempotency_key": key},
                )
            except stripe.InvalidRequestError as why:
                return not_taken(self._seen(handle, intent.id), code_of(why))
            except stripe.CardError as why:
                return declined(handle, intent.id, before.amount_minor, code_of(why))
        return payment_of(handle, taken)

    def release(self, handle: PaymentHandle) -> ProviderPayment | None:
        intent = self._intent(handle)
        if intent is None:
            return None
        if intent.status in {"requires_capture", "requires_action"}:
            with answering():
                try:
                    return payment_of(handle, self._client.v1.payment_intents.cancel(intent.id))
                except stripe.InvalidRequestError:
                    pass  # it has moved on meanwhile: what it has become is the answer
        return self._seen(handle, intent.id)

    def refund(self, handle: PaymentHandle, refund_id: UUID, amount_minor: int, currency: str) -> ProviderRefund:
        intent = self._intent(handle)
        if intent is None:
            return ProviderRefund(refund_id, amount_minor, "failed", "no_such_payment")
        if intent.status != "succeeded":
            return ProviderRefund(refund_id, amount_minor, "failed", "nothing_captured")
        if intent.currency.upper() != currency:
            return ProviderRefund(refund_id, amount_minor, "failed", "other_currency")
        key = refund_key(handle, refund_id)
        metadata = {**metadata_of(intent), "refund_id": str(refund_id)}
        with answering(key):
            try:
                made = self._client.v1.refunds.create(
                    {"payment_intent": intent.id, "amount": to_wire(amount_minor, currency), "metadata": metadata},
                    {"idempotency_key": key},
                )
            except (stripe.InvalidRequestError, stripe.CardError) as why:
                # Stripe tells a refund beyond what is left by the parameter, at times without a code.
                code = "more_than_is_left" if getattr(why, "param", None) == "amount" else code_of(why)
                return ProviderRefund(refund_id, amount_minor, "failed", code)
        return refund_of(made) or ProviderRefund(refund_id, amount_minor, "pending")

    def find(self, handle: PaymentHandle) -> ProviderPayment | None:
        intent = self._intent(handle)
        return None if intent is None else self._with_what_followed(handle, intent)

    def together(self) -> AbstractContextManager[None]:
        """Each call travels alone: Stripe has no batches."""
        return nullcontext()

    def limits(self, currency: str) -> Limits:
        return limits_of(currency)

    def settlement(self, since: date, until: date) -> Iterable[SettlementRow]:
        with answering():
            return settled(self._client, since, until)

    def _intent(self, handle: PaymentHandle) -> stripe.PaymentIntent | None:
        """The PaymentIntent by its reference, or by its metadata among the customer's own.

        It is listed, not searched for: Stripe's search shows what was written only after a while.
        """
        intents = self._client.v1.payment_intents
        with answering():
            if handle.reference:
                try:
                    return intents.retrieve(handle.reference, {"expand": ["latest_charge"]})
                except stripe.InvalidRequestError as why:
                    if is_missing(why):
                        return None
                    raise
            ours = {"payment_id": str(handle.payment_id), "attempt": str(handle.attempt)}
            listed = intents.list(
                {
                    "customer": handle.token.partition("/")[0],
                    "created": {"gte": int((handle.requested_at - CLOCKS_DIFFER).timestamp())},
                    "limit": 100,
                    "expand": ["data.latest_charge"],
                }
            )
            return next(
                (found for found in listed.auto_paging_iter() if ours.items() <= metadata_of(found).items()), None
            )

    def _seen(self, handle: PaymentHandle, reference: str) -> ProviderPayment:
        with answering():
            intent = self._client.v1.payment_intents.retrieve(reference, {"expand": ["latest_charge"]})
        return self._with_what_followed(handle, intent)

    def _with_what_followed(self, handle: PaymentHandle, intent: stripe.PaymentIntent) -> ProviderPayment:
        payment = payment_of(handle, intent)
        if payment.state != "captured":
            return payment
        with answering():
            refunds = self._client.v1.refunds.list({"payment_intent": intent.id, "limit": 100}).auto_paging_iter()
            made = [seen for refund in refunds if (seen := refund_of(refund))]
            raised = []
            if getattr(intent.latest_charge, "disputed", False):
                disputes = self._client.v1.disputes.list({"payment_intent": intent.id}).auto_paging_iter()
                raised = [told for dispute in disputes if (told := dispute_of(dispute))]
        return payment._replace(refunds=tuple(reversed(made)), disputes=tuple(reversed(raised)))
