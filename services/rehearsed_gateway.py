"""A provider for quotes: it moves nothing, and answers as if everything went well."""

from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from datetime import date
from typing import NoReturn
from uuid import UUID

from services.ports_payments import (
    Card,
    CardEdit,
    ChargeRequest,
    Limits,
    PaymentGateway,
    PaymentHandle,
    ProviderPayment,
    ProviderRefund,
    SettlementRow,
)

REFERENCE = "rehearsed"


class RehearsedGateway:
    """Knows the limits of the real one, and nothing else of it."""

    def __init__(self, real: PaymentGateway) -> None:
        self.name = real.name
        self.limits_of = real.limits

    def together(self) -> AbstractContextManager[None]:
        return nullcontext()

    def limits(self, currency: str) -> Limits:
        return self.limits_of(currency)

    def charge(self, request: ChargeRequest) -> ProviderPayment:
        """A first attempt goes well; what was declined before would be declined again."""
        handle, amount = request.handle, request.amount_minor
        if handle.attempt > 1:
            return ProviderPayment(handle.payment_id, handle.attempt, REFERENCE, "declined", amount, 0, REFERENCE)
        return ProviderPayment(handle.payment_id, handle.attempt, REFERENCE, "captured", amount, amount)

    def capture(self, handle: PaymentHandle, amount_minor: int) -> ProviderPayment:
        return ProviderPayment(handle.payment_id, handle.attempt, REFERENCE, "captured", amount_minor, amount_minor)

    def refund(self, handle: PaymentHandle, refund_id: UUID, amount_minor: int, currency: str) -> ProviderRefund:  # noqa: ARG002
        return ProviderRefund(refund_id, amount_minor, "succeeded")

    def find(self, handle: PaymentHandle) -> ProviderPayment | None:  # noqa: ARG002
        """Nothing got there yet: what is under way is rehearsed as well."""
        return None

    def release(self, handle: PaymentHandle) -> ProviderPayment | None:  # noqa: ARG002
        return None

    def authorize(self, request: ChargeRequest) -> NoReturn:
        raise NotImplementedError("a quote ends before anything is held")

    def store(self, token: str, *, owner_id: UUID, organization_id: UUID) -> Card:
        raise NotImplementedError("a quote stores no card")

    def edit(self, token: str, changes: CardEdit) -> Card:
        raise NotImplementedError("a quote changes no card")

    def forget(self, token: str) -> None:
        raise NotImplementedError("a quote changes no card")

    def settlement(self, since: date, until: date) -> Iterable[SettlementRow]:
        raise NotImplementedError("a quote settles nothing")
