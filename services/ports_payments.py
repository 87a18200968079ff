"""What the services need from a payment provider and a tax table, as protocols; the adapters provide it."""

from collections.abc import Iterable
from contextlib import AbstractContextManager
from datetime import date, datetime
from typing import Literal, NamedTuple, Protocol
from uuid import UUID

from pydantic import Field

from domain.kernel import Value
from domain.tax import TaxRate

ProviderState = Literal["authorized", "captured", "declined", "action_required", "released"]


class GatewayUnavailable(Exception):
    """The provider did not answer: whether it acted is not known. The answer is in `find`, never in sending again."""


class CardRefused(Exception):
    """The provider does not take this card, token or security code; `code` is its stable word for why."""

    def __init__(self, code: str) -> None:
        super().__init__(f"the provider refuses the card: {code}")
        self.code = code


class Card(Value):
    """What may be known of a stored card. `token` is the provider's lasting reference to it."""

    token: str = Field(repr=False)
    brand: str
    last4: str = Field(pattern="^[0-9]{4}$")
    expiry_month: int = Field(ge=1, le=12)
    expiry_year: int = Field(ge=2000, le=2999)
    country: str = Field(pattern="^[A-Z]{2}$")  # of the issuer


class CardEdit(Value):
    """What changes about a stored card; what is None stays. The number never changes.

    `security_code_token` is the provider's one-time token for a security code: checked by the provider, kept nowhere.
    """

    expiry_month: int | None = Field(default=None, ge=1, le=12)
    expiry_year: int | None = Field(default=None, ge=2000, le=2999)
    holder: str | None = Field(default=None, repr=False)
    address: str | None = Field(default=None, repr=False)
    security_code_token: str | None = Field(default=None, repr=False)


class PaymentHandle(NamedTuple):
    """Which attempt of which payment. Provider keys are made of payment id, attempt and step."""

    payment_id: UUID
    attempt: int  # from 1
    token: str  # of the card it is charged to
    requested_at: datetime
    reference: str | None = None  # the provider's own, once it is known


class ChargeRequest(NamedTuple):
    """An amount to hold or to take. `on_session`: somebody is there to confirm it, if the bank asks."""

    handle: PaymentHandle
    amount_minor: int
    currency: str
    on_session: bool
    description: str  # what stands on the card statement; no personal data


class ProviderRefund(NamedTuple):
    refund_id: UUID
    amount_minor: int
    state: Literal["pending", "succeeded", "failed"]
    code: str | None = None  # why it failed


class ProviderDispute(NamedTuple):
    dispute_id: str  # the provider's
    amount_minor: int
    state: Literal["open", "won", "lost"]


class ProviderPayment(NamedTuple):
    """An attempt of a payment as the provider has it."""

    payment_id: UUID
    attempt: int
    reference: str
    state: ProviderState
    amount_minor: int  # held or asked for
    captured_minor: int
    code: str | None = None  # why it was declined, or released by the provider
    action_url: str | None = None  # where the payer confirms it
    refunds: tuple[ProviderRefund, ...] = ()
    disputes: tuple[ProviderDispute, ...] = ()


class Limits(NamedTuple):
    """What a provider takes of a currency, in minor units: amounts below the minimum and between steps it refuses."""

    minimum_minor: int
    step_minor: int

    def floored(self, amount_minor: int) -> int:
        """The most of an amount that can be moved, or 0."""
        amount = amount_minor - amount_minor % self.step_minor
        return amount if amount >= self.minimum_minor else 0

    def floored_refund(self, amount_minor: int) -> int:
        """The most of an amount that can be given back: refunds know steps and no minimum."""
        return amount_minor - amount_minor % self.step_minor


class SettlementRow(NamedTuple):
    """A movement that the provider settles with us. `payment_id`: ours, as we told it."""

    settled_on: date
    kind: Literal["capture", "refund", "refund_reversal", "dispute", "dispute_reversal"]  # reversal: it comes back
    payment_id: UUID
    attempt: int
    refund_id: UUID | None
    reference: str
    amount_minor: int  # positive; a refund and a dispute go the other way
    currency: str


class PaymentGateway(Protocol):
    """A payment provider. Every call may raise GatewayUnavailable; a decline is an answer, no error.

    Repeating a call with the same handle and content gives the first answer, for as long as the provider remembers
    keys (a day). After that, and whenever an answer got lost, `find` tells what has become of it.
    """

    name: str

    def store(self, token: str, *, owner_id: UUID, organization_id: UUID) -> Card:
        """Keeps the card behind a one-time token for later charges; raises CardRefused. Same token, same card."""

    def edit(self, token: str, changes: CardEdit) -> Card:
        """Changes what may change about a card; raises CardRefused when the provider refuses the security code."""

    def forget(self, token: str) -> None:
        """Lets go of a card; one that is not there is left alone."""

    def authorize(self, request: ChargeRequest) -> ProviderPayment:
        """Holds an amount: authorized, declined or action_required."""

    def charge(self, request: ChargeRequest) -> ProviderPayment:
        """Holds and takes in one step: captured, declined or action_required."""

    def capture(self, handle: PaymentHandle, amount_minor: int) -> ProviderPayment:
        """Takes what is held; declined (`hold_expired`) when the hold is gone."""

    def release(self, handle: PaymentHandle) -> ProviderPayment | None:
        """Lets go of a hold, also of one that waits for its payer; None where there is no such attempt."""

    def refund(self, handle: PaymentHandle, refund_id: UUID, amount_minor: int, currency: str) -> ProviderRefund:
        """Gives back a part of what was taken; failed when it is more than is left of it."""

    def find(self, handle: PaymentHandle) -> ProviderPayment | None:
        """The attempt as the provider has it now, with refunds and disputes; None: it never got there."""

    def together(self) -> AbstractContextManager[None]:
        """Calls within may travel together; what was answered within counts when the context has ended well."""

    def limits(self, currency: str) -> Limits:
        """The smallest amount and step of a currency."""

    def settlement(self, since: date, until: date) -> Iterable[SettlementRow]:
        """What was settled on these days, both included."""


class TaxRates(Protocol):
    """The table of tax rates."""

    def rate(self, country: str, day: date) -> TaxRate:
        """The rate of a bill-to country on a day; a rate of 0 where no tax is charged."""
