"""localstripe as a process of its own, on this machine's loopback only, and what it does not know of Stripe's wire.

Its own command binds all interfaces and keeps card numbers in a file under /tmp; started so, it does neither.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode

import stripe
from pydantic import SecretStr

from adapters.payments.stripe_gateway import StripeGateway
from services.ports_payments import PaymentGateway, PaymentHandle

PROGRAM = """
import socket
from aiohttp import web
from localstripe import resources, server
resources.Store.dump_to_disk = lambda self: None
listening = socket.socket()
listening.bind(("127.0.0.1", 0))
listening.listen()  # before the port is told: what comes early waits
print(listening.getsockname()[1], flush=True)
web.run_app(server.app, sock=listening, print=None, access_log=None)
"""
UNKNOWN_PARAMETERS = ("allowed_payment_method_types", "description", "return_url", "statement_descriptor_suffix")
TOKENS = {
    "good": "pm_card_visa",
    "declined": "pm_card_chargeCustomerFail",
    "refused": "pm_card_visa_chargeDeclined",
}

# Promises that localstripe 1.15.10 cannot show, each with its reason. The strict ones are shown on the sandbox.
NO_KEYS = "it ignores idempotency keys: the same request twice is done twice"
NO_LISTS = "it answers a list of a customer's payment intents with 400"
NO_CLOCK = "its clock is the machine's"
NO_TOKEN = "it makes a card that asks, or is disputed, only of a card number, or not at all"
EXCLUDED = {
    "the_same_token_is_the_same_card": "a test token is another card at every call",
    "an_edit_changes_the_expiry_and_nothing_else": "an edit of the expiry loses brand, last4 and country",
    "an_expiry_in_the_past_is_refused": "it takes an expiry in the past",
    "a_wrong_security_code_is_refused": "it knows no tokens of security codes",
    "a_security_code_may_be_checked_again_after_a_lost_answer": "it knows no tokens of security codes",
    "a_forgotten_card_is_charged_no_more": "it charges a payment method that was detached",
    "a_charge_is_found_by_our_own_ids": NO_LISTS,
    "what_never_got_there_is_not_found": NO_LISTS,
    "another_attempt_is_not_found_for_this_one": NO_LISTS,
    "a_charge_sent_twice_is_one_charge": NO_KEYS,
    "a_key_with_another_content_is_a_defect": NO_KEYS,
    "after_a_day_sending_again_charges_again": NO_CLOCK,
    "a_declined_charge_is_found": "a decline does not name its payment intent",
    "an_amount_below_the_minimum_is_declined": "it takes every amount",
    "a_lost_answer_is_found": NO_LISTS,
    "a_hold_is_taken_later_in_part": "a part that is taken shows as a refund of the rest",
    "a_hold_is_taken_once": NO_CLOCK,
    "no_more_than_the_hold_is_taken": NO_LISTS,
    "a_hold_lasts_for_a_week": NO_CLOCK,
    "a_payer_who_is_there_is_asked": NO_TOKEN,
    "a_payer_who_is_not_there_is_not_asked": NO_TOKEN,
    "a_hold_that_waits_for_its_payer_is_released": NO_TOKEN,
    "no_more_is_given_back_than_is_left": "it gives back more than was taken",
    "a_refund_sent_twice_is_one_refund": NO_KEYS,
    "a_disputed_amount_is_not_given_back": NO_TOKEN,
    "what_moved_is_settled_on_its_day": "its charges carry no metadata of their payment intent",
}


class LocalStripeWire(stripe.RequestsClient):
    """Leaves out what localstripe does not know, and adds the amount that it does not tell."""

    def request(  # type: ignore[override]  # as RequestsClient has it, which overrides the same way
        self, method: str, url: str, headers: Mapping[str, str] | None, post_data: Any = None
    ) -> tuple[bytes, int, Mapping[str, str]]:
        if post_data:
            sent = [(name, text) for name, text in parse_qsl(post_data) if not name.startswith(UNKNOWN_PARAMETERS)]
            post_data = urlencode(sent)
        body, status, answered = super().request(method, url, headers, post_data)
        told = json.loads(body)
        if told.get("object") == "payment_intent":
            told["amount_received"] = told["amount"] if told["status"] == "succeeded" else 0
        return json.dumps(told).encode(), status, answered


class LocalStripeBench:
    """The Stripe adapter on localstripe, as the contract asks for a provider."""

    def __init__(self, base: str) -> None:
        self.gateway: PaymentGateway = StripeGateway(SecretStr("sk_test_none"), base=base, http=LocalStripeWire)

    def token(self, kind: str) -> str:
        return TOKENS[kind]

    def now(self) -> datetime:
        return datetime.now(UTC)

    def pass_time(self, time: timedelta) -> None:
        raise NotImplementedError(NO_CLOCK)

    def confirm(self, handle: PaymentHandle) -> None:
        raise NotImplementedError(NO_TOKEN)

    def lose_answer(self, step: str) -> AbstractContextManager[None]:
        raise NotImplementedError(NO_LISTS)


@contextmanager
def local_stripe() -> Iterator[str]:
    """Runs localstripe and gives its address."""
    server = subprocess.Popen([sys.executable, "-W", "ignore", "-c", PROGRAM], stdout=subprocess.PIPE, text=True)
    with server:
        try:
            assert server.stdout is not None
            port = int(server.stdout.readline())
            yield f"http://127.0.0.1:{port}"
        finally:
            server.kill()  # it keeps nothing
