"""Cards at Stripe: PaymentMethods, each attached to a customer that stands for its owner."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any
from uuid import UUID

import stripe

from adapters.payments.limits import limits_of
from adapters.payments.stripe_wire import answering, code_of, is_missing, metadata_of, refuse_card
from services.ports_payments import Card, CardEdit, CardRefused

if TYPE_CHECKING:
    from stripe.params import PaymentMethodUpdateParams

_CHECK_CURRENCY = "USD"


class StripeCards:
    """Stores, edits and forgets cards; tokens are `customer/payment method`."""

    def __init__(self, client: stripe.StripeClient) -> None:
        self._client = client

    def store(self, token: str, *, owner_id: UUID, organization_id: UUID) -> Card:
        """After a day the same owner gets another customer: it is no more than the drawer that a card lies in."""
        owner = {"owner_id": str(owner_id), "organization_id": str(organization_id)}
        with answering():
            try:
                method = self._client.v1.payment_methods.retrieve(token)
                if method.customer:
                    return self._stored_before(method, owner)
                key = f"customer:{organization_id}:{owner_id}"
                customer = self._client.v1.customers.create({"metadata": owner}, {"idempotency_key": key})
                method = self._client.v1.payment_methods.attach(
                    token, {"customer": customer.id}, {"idempotency_key": f"attach:{customer.id}:{token}"}
                )
            except (stripe.CardError, stripe.InvalidRequestError) as why:
                raise refuse_card(why) from None
        return _card(method, customer.id)

    def edit(self, token: str, changes: CardEdit) -> Card:
        customer, _, method = token.partition("/")
        with answering():
            try:
                if changes.security_code_token:
                    self._check_code(customer, method, changes.security_code_token)
                return _card(self._client.v1.payment_methods.update(method, _update(changes)), customer)
            except (stripe.CardError, stripe.InvalidRequestError) as why:
                raise CardRefused("no_such_card" if is_missing(why) else code_of(why)) from None

    def forget(self, token: str) -> None:
        with answering():
            try:
                self._client.v1.payment_methods.detach(token.partition("/")[2])
            except stripe.InvalidRequestError:
                return  # not there, or let go of before

    def _stored_before(self, method: stripe.PaymentMethod, owner: dict[str, str]) -> Card:
        customer = method.customer if isinstance(method.customer, str) else str(getattr(method.customer, "id", ""))
        if metadata_of(self._client.v1.customers.retrieve(customer)) != owner:
            raise CardRefused("token_already_used")
        return _card(method, customer)

    def _check_code(self, customer: str, method: str, code_token: str) -> None:
        """Holds the smallest amount and lets go of it: of a stored card Stripe checks a code only with a charge."""
        digest = sha256(f"{method}:{code_token}".encode()).hexdigest()
        intents = self._client.v1.payment_intents
        hold = intents.create(
            {
                "amount": limits_of(_CHECK_CURRENCY).minimum_minor,
                "currency": _CHECK_CURRENCY.lower(),
                "customer": customer,
                "payment_method": method,
                "allowed_payment_method_types": ["card"],
                "payment_method_options": {"card": {"cvc_token": code_token}},
                "capture_method": "manual",
                "confirm": True,
                "metadata": {"purpose": "security_code_check"},
                "expand": ["latest_charge"],
            },
            {"idempotency_key": f"check:{digest}"},
        )
        if hold.status in {"requires_capture", "requires_action"}:
            intents.cancel(hold.id)
        charge: Any = hold.latest_charge
        card = getattr(getattr(charge, "payment_method_details", None), "card", None)
        if getattr(getattr(card, "checks", None), "cvc_check", None) == "fail":
            raise CardRefused("incorrect_security_code")


def _update(changes: CardEdit) -> PaymentMethodUpdateParams:
    update: PaymentMethodUpdateParams = {}
    card = {"exp_month": changes.expiry_month, "exp_year": changes.expiry_year}
    details = {
        "name": changes.holder,
        "address": {"line1": changes.address} if changes.address else None,
    }
    if any(card.values()):
        update["card"] = {name: value for name, value in card.items() if value is not None}  # type: ignore[typeddict-item]  # the names are above
    if any(details.values()):
        update["billing_details"] = {name: value for name, value in details.items() if value is not None}  # type: ignore[typeddict-item]  # likewise
    return update


def _card(method: stripe.PaymentMethod, customer: str) -> Card:
    card = method.card
    if card is None:
        raise CardRefused("not_a_card")
    return Card(
        token=f"{customer}/{method.id}",
        brand=card.brand,
        last4=card.last4 or "",
        expiry_month=card.exp_month,
        expiry_year=card.exp_year,
        country=card.country or "",
    )
