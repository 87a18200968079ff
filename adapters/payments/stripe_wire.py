"""Between Stripe's words and the port's: amounts, states, codes and errors."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any, Literal
from uuid import UUID

import stripe
from stripe import _util as stripe_logging

from adapters.payments.keys import IdempotencyKeyReused
from services.ports_payments import (
    CardRefused,
    GatewayUnavailable,
    PaymentHandle,
    ProviderDispute,
    ProviderPayment,
    ProviderRefund,
    ProviderState,
)

# Where Stripe's smallest unit is not that of ISO 4217: (times, divided by). https://docs.stripe.com/currencies
_SCALES = {"ISK": (100, 1), "UGX": (100, 1), "MGA": (1, 100)}
_STATEMENT_SUFFIX = 10
_STATES: dict[str, ProviderState] = {
    "requires_capture": "authorized",
    "succeeded": "captured",
    "requires_action": "action_required",
    "requires_payment_method": "declined",
    "canceled": "released",
}
_REFUND_STATES: dict[str, Literal["pending", "succeeded", "failed"]] = {
    "pending": "pending",
    "requires_action": "pending",
    "succeeded": "succeeded",
    "failed": "failed",
    "canceled": "failed",
}
_DISPUTE_STATES: dict[str, Literal["open", "won", "lost"]] = {"won": "won", "prevented": "won", "lost": "lost"}
# What Stripe calls otherwise than the port and the sandbox.
_CODES = {
    "incorrect_cvc": "incorrect_security_code",
    "invalid_cvc": "incorrect_security_code",
    "invalid_expiry_month": "expired_card",
    "invalid_expiry_year": "expired_card",
    "payment_intent_authentication_failure": "authentication_failed",
    "charge_already_refunded": "more_than_is_left",
}


def to_wire(amount_minor: int, currency: str) -> int:
    times, by = _SCALES.get(currency, (1, 1))
    return amount_minor * times // by


def from_wire(amount: int, currency: str) -> int:
    times, by = _SCALES.get(currency.upper(), (1, 1))
    return amount * by // times


def statement_of(description: str) -> str | None:
    """What of a description may follow the account's name on a card statement: 22 characters for both."""
    suffix = "".join(letter for letter in description if letter.isascii() and (letter.isalnum() or letter in " .-"))
    suffix = suffix[:_STATEMENT_SUFFIX].strip()
    return suffix if any(letter.isalpha() for letter in suffix) else None


def said(code: str | None) -> str:
    """A stable word for why."""
    return _CODES.get(code or "", code or "unknown")


def code_of(error: stripe.StripeError) -> str:
    """Why Stripe refuses: the bank's word where there is one."""
    return said((error.error and error.error.decline_code) or error.code)


@contextmanager
def answering(key: str = "") -> Iterator[None]:
    """Turns errors that are no answers into the port's; without their cause, whose text repeats what was sent."""
    try:
        yield
    except stripe.IdempotencyError:
        raise IdempotencyKeyReused(key) from None
    except (stripe.APIConnectionError, stripe.RateLimitError, stripe.APIError):
        raise GatewayUnavailable from None  # of the last kind are 5xx, and 409: the key is in use right now


def payment_of(handle: PaymentHandle, intent: Any) -> ProviderPayment:
    """A PaymentIntent as the port tells it, without refunds and disputes."""
    currency = str(intent.currency).upper()
    state = _STATES.get(intent.status)
    if state is None:  # processing, and what may come: not known yet
        raise GatewayUnavailable
    return ProviderPayment(
        payment_id=handle.payment_id,
        attempt=handle.attempt,
        reference=intent.id,
        state=state,
        amount_minor=from_wire(intent.amount, currency),
        captured_minor=from_wire(intent.amount_received, currency),
        code=_why(intent, state),
        action_url=_action_url(intent) if state == "action_required" else None,
    )


def _why(intent: Any, state: ProviderState) -> str | None:
    if state == "released":
        return "hold_expired" if getattr(intent, "cancellation_reason", None) in {"automatic", "expired"} else None
    error = intent.last_payment_error if state == "declined" else None
    return said(getattr(error, "decline_code", None) or getattr(error, "code", None)) if state == "declined" else None


def _action_url(intent: Any) -> str | None:
    redirect = getattr(intent.next_action, "redirect_to_url", None)
    return getattr(redirect, "url", None)


def refund_of(refund: stripe.Refund) -> ProviderRefund | None:
    """A refund of ours; None for one that somebody made by hand at Stripe."""
    refund_id = metadata_of(refund).get("refund_id")
    if refund_id is None:
        return None
    state = _REFUND_STATES.get(refund.status or "", "pending")
    code = said(getattr(refund, "failure_reason", None)) if state == "failed" else None
    return ProviderRefund(UUID(refund_id), from_wire(refund.amount, refund.currency), state, code)


def dispute_of(dispute: stripe.Dispute) -> ProviderDispute | None:
    """A dispute; None for an inquiry (`warning_…`), which takes no money."""
    if dispute.status.startswith("warning_"):
        return None
    state = _DISPUTE_STATES.get(dispute.status, "open")
    return ProviderDispute(dispute.id, from_wire(dispute.amount, dispute.currency), state)


def metadata_of(found: Any) -> dict[str, str]:
    metadata = getattr(found, "metadata", None)
    return dict(metadata.to_dict()) if metadata else {}


def refuse_card(error: stripe.CardError | stripe.InvalidRequestError) -> CardRefused:
    """What a refused card is called; a token that is not there is no card either."""
    return CardRefused("no_such_token" if is_missing(error) else code_of(error))


def is_missing(error: stripe.StripeError) -> bool:
    return error.code == "resource_missing" or error.http_status == HTTPStatus.NOT_FOUND


def silence() -> None:
    """Nothing that is sent to Stripe may be logged: the client logs bodies, and prints them where STRIPE_LOG is set."""
    logging.getLogger("stripe").setLevel(logging.CRITICAL)
    stripe_logging.STRIPE_LOG = None
    stripe.log = None
    stripe.enable_telemetry = False


def declined(handle: PaymentHandle, reference: str, amount_minor: int, code: str) -> ProviderPayment:
    return ProviderPayment(handle.payment_id, handle.attempt, reference, "declined", amount_minor, 0, code)


def not_taken(now: ProviderPayment, code: str) -> ProviderPayment:
    """Why a capture was refused, by what has become of the hold."""
    if now.state == "captured":
        return now
    codes = {"released": "hold_expired", "declined": "not_authorized", "action_required": "not_authorized"}
    return now._replace(state="declined", code=codes.get(now.state, code), action_url=None)
