"""The Stripe adapter keeps the port's promises, the strict ones too, on a stand-in for Stripe's wire."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable, Iterator

import pytest
from pydantic import SecretStr
from stripe import Dispute, Refund

from adapters.payments.stripe_gateway import StripeGateway
from adapters.payments.stripe_wire import dispute_of, from_wire, refund_of, statement_of, to_wire
from services.ports_payments import CardEdit, GatewayUnavailable
from tests.adapters.payments.contract import PROMISES, Provider
from tests.adapters.payments.contract_provider import attempt, stored
from tests.adapters.payments.sandbox_bench import SandboxBench
from tests.adapters.payments.stripe_wire_server import stripe_wire
from tests.adapters.payments.stripe_world import StripeWorld


@pytest.fixture
def stripe(bench: SandboxBench) -> Iterator[SandboxBench]:
    """The bench of the sandbox, with Stripe's wire and our adapter between the two."""
    with stripe_wire(StripeWorld(bench)) as address:
        bench.gateway = StripeGateway(SecretStr("sk_test_none"), base=address)
        yield bench


@pytest.mark.parametrize("check", PROMISES, ids=lambda check: check.__name__)
def test_the_stripe_adapter_keeps_its_promises(check: Callable[[Provider], None], stripe: SandboxBench) -> None:
    check(stripe)


def test_a_provider_that_is_not_there_is_unavailable() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        gateway = StripeGateway(SecretStr("sk_test_none"), base=f"http://127.0.0.1:{closed.getsockname()[1]}")
        with pytest.raises(GatewayUnavailable) as raised:
            gateway.forget("cus_1/pm_1")
    assert raised.value.__cause__ is None


def test_nothing_that_is_sent_is_logged(
    stripe: SandboxBench, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    card = stored(stripe)
    stripe.gateway.edit(card.token, CardEdit(holder="Chris Green", address="1 Main Street"))
    stripe.gateway.charge(attempt(stripe).request)
    said = caplog.text + "".join(capsys.readouterr())
    assert "Green" not in said
    assert "Main Street" not in said
    assert "sk_test" not in said


def test_a_refund_made_by_hand_is_not_ours() -> None:
    facts = {"object": "refund", "id": "re_1", "amount": 100, "currency": "usd", "status": "succeeded", "metadata": {}}
    assert refund_of(Refund.construct_from(facts, "key")) is None


@pytest.mark.parametrize(
    ("status", "state"),
    [("needs_response", "open"), ("won", "won"), ("lost", "lost"), ("warning_needs_response", None)],
)
def test_an_inquiry_is_no_dispute(status: str, state: str | None) -> None:
    facts = {"object": "dispute", "id": "dp_1", "amount": 100, "currency": "usd", "status": status}
    dispute = dispute_of(Dispute.construct_from(facts, "key"))
    assert (dispute and dispute.state) == state


@pytest.mark.parametrize(("minor", "currency", "wire"), [(500, "ISK", 50_000), (700, "MGA", 7), (120, "JPY", 120)])
def test_amounts_are_in_stripes_units(minor: int, currency: str, wire: int) -> None:
    assert to_wire(minor, currency) == wire
    assert from_wire(wire, currency.lower()) == minor


@pytest.mark.parametrize(
    ("said", "shown"), [("Power BI Pro", "Power BI P"), ("Visio*<>", "Visio"), ("365", None), ("오피스", None)]
)
def test_a_statement_shows_what_cards_can_print(said: str, shown: str | None) -> None:
    assert statement_of(said) == shown
