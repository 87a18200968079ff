"""What the contract of the payment port asks of a provider, and what its checks begin with."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Literal, NamedTuple, Protocol
from uuid import uuid4

from services.ports_payments import (
    Card,
    ChargeRequest,
    PaymentGateway,
    PaymentHandle,
)


class Provider(Protocol):
    """A provider on the bench: the gateway, and the world around it."""

    gateway: PaymentGateway

    def token(self, kind: str) -> str:
        """A new one-time token for a card that behaves so."""

    def now(self) -> datetime: ...

    def pass_time(self, time: timedelta) -> None: ...

    def confirm(self, handle: PaymentHandle) -> None:
        """The payer does what the bank asks."""

    def lose_answer(self, step: Literal["charge"]) -> AbstractContextManager[None]:
        """The next answer of this step gets lost, after it was done."""


class Attempt(NamedTuple):
    card: Card
    request: ChargeRequest

    @property
    def handle(self) -> PaymentHandle:
        return self.request.handle


PROMISES: list[Callable[[Provider], None]] = []


def promise(check: Callable[[Provider], None]) -> Callable[[Provider], None]:
    PROMISES.append(check)
    return check


def stored(provider: Provider, kind: str = "good") -> Card:
    return provider.gateway.store(provider.token(kind), owner_id=uuid4(), organization_id=uuid4())


def attempt(provider: Provider, kind: str = "good", *, amount: int = 1200, on_session: bool = False) -> Attempt:
    card = stored(provider, kind)
    handle = PaymentHandle(uuid4(), 1, card.token, provider.now())
    return Attempt(card, ChargeRequest(handle, amount, "USD", on_session, "Power BI Pro"))


def charged(provider: Provider, kind: str = "good", amount: int = 1200) -> PaymentHandle:
    new = attempt(provider, kind, amount=amount)
    return new.handle._replace(reference=provider.gateway.charge(new.request).reference)
