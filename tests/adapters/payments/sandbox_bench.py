"""The sandbox on the bench of the contract, on a clock that tests move."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from uuid import uuid4

from adapters.payments.sandbox import Sandbox
from adapters.payments.sandbox_faults import Faults, Step
from services.ports_payments import Card, ChargeRequest, PaymentGateway, PaymentHandle

KINDS = {
    "good": "tok_visa",
    "declined": "tok_declined",
    "refused": "tok_refused",
    "asks": "tok_action_required",
    "disputed": "tok_disputed",
    "refund_fails": "tok_refund_fails",
    "expires_soon": "tok_expires_soon",
}


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.at = datetime(2026, 3, 10, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at


class SandboxBench:
    """What the contract asks of a provider."""

    def __init__(self, path: Path | None) -> None:
        self.clock, self._numbers = Clock(), count()
        self.sandbox = Sandbox(path, clock=self.clock)
        self.gateway: PaymentGateway = self.sandbox

    def token(self, kind: str) -> str:
        return f"{KINDS[kind]}:{next(self._numbers)}"

    def now(self) -> datetime:
        return self.clock.at

    def pass_time(self, time: timedelta) -> None:
        self.clock.at += time

    def confirm(self, handle: PaymentHandle) -> None:
        self.sandbox.confirm(handle.payment_id, handle.attempt)

    @contextmanager
    def lose_answer(self, step: Step) -> Iterator[None]:
        self.sandbox.script(Faults().lost_answer(step))
        yield

    # For tests of the sandbox alone

    def card(self, kind: str = "good") -> Card:
        return self.sandbox.store(self.token(kind), owner_id=uuid4(), organization_id=uuid4())

    def request(
        self, card: Card, *, amount: int = 1200, on_session: bool = False, currency: str = "USD"
    ) -> ChargeRequest:
        return ChargeRequest(PaymentHandle(uuid4(), 1, card.token, self.now()), amount, currency, on_session, "Visio")
