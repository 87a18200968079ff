"""What a reading knows of each invoice, profile, subscription, pool and payment: what events add up to."""

from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Any
from uuid import UUID

from domain.invoice_line import CreditLine, InvoiceLine
from domain.offer import PriceFacts
from domain.tax import TaxRate


@dataclass
class LineRead:
    """A line, and what was taken back from it."""

    line: InvoiceLine
    quantity: int
    days: int
    credited: int = 0
    earned: int = 0
    by_the_day: bool = True  # the days that were credited never rose

    def amount(self, quantity: int, days: int) -> int:
        return rounded(Fraction(self.line.unit_price_minor * quantity * days, self.line.cycle_days))

    def take_back(self, credit: CreditLine) -> None:
        assert credit.quantity_before == self.quantity
        assert 0 <= credit.quantity < self.quantity
        assert credit.amount_minor >= 0, "a credit takes money"
        in_full = credit.days == self.line.days
        assert in_full or credit.days <= self.days, "days that were used are credited"
        self.by_the_day = self.by_the_day and credit.days <= self.days
        self.earned += self.amount(self.quantity, self.days) - self.amount(self.quantity, credit.days)
        self.quantity, self.days = credit.quantity, min(self.days, credit.days)
        self.credited += credit.amount_minor
        assert self.credited <= self.line.amount_minor, "more is credited of a line than it charged"
        if self.by_the_day:
            left = self.amount(self.quantity, self.days)
            assert self.line.amount_minor - self.credited == self.earned + left, (
                "what a line earned is not what is left"
            )


@dataclass
class InvoiceRead:
    """An invoice by its events: total = credits + paid + due."""

    profile_id: UUID
    number: str
    total: int
    net: int
    rate: TaxRate
    lines: dict[int, LineRead]
    credited_net: int = 0
    credited_tax: int = 0
    received: dict[UUID, int] = field(default_factory=dict)
    refunded: dict[UUID, tuple[UUID, int]] = field(default_factory=dict)
    disputed: dict[str, tuple[UUID, int]] = field(default_factory=dict)
    applied: int = 0
    moved: int = 0
    state: str = "open"

    @property
    def credits(self) -> int:
        return self.credited_net + self.credited_tax

    @property
    def paid(self) -> int:
        back = sum(amount for _, amount in (*self.refunded.values(), *self.disputed.values()))
        return sum(self.received.values()) - back + self.applied - self.moved

    @property
    def due(self) -> int:
        return self.total - self.credits - self.paid

    def credit(self, event: Any) -> None:
        for line in event.lines:
            self.lines[line.line].take_back(line)
        net = sum(line.amount_minor for line in event.lines)
        left = self.net - self.credited_net
        tax = tax_on(left, self.rate) - tax_on(left - net, self.rate)
        assert (event.net_minor, event.tax_minor, event.total_minor) == (net, tax, net + tax)
        assert tax >= 0, "a credit note takes tax"
        self.credited_net += net
        self.credited_tax += tax
        assert self.credits <= self.total, "more is credited than was invoiced"


def tax_on(net: int, rate: TaxRate) -> int:
    return rounded(Fraction(net * rate.rate_ppm, 1_000_000))


def rounded(amount: Fraction) -> int:
    """To the nearest whole, a half away from zero: by the library's decimals, not by our own arithmetic."""
    exact = Decimal(amount.numerator) / Decimal(amount.denominator)
    return int(exact.quantize(Decimal(1), ROUND_HALF_UP))


@dataclass
class ProfileRead:
    invoices: int = 0
    credit_notes: int = 0
    moved_in: int = 0
    used: int = 0

    @property
    def balance(self) -> int:
        return self.moved_in - self.used


@dataclass
class SubscriptionRead:
    pool_id: UUID
    price: PriceFacts
    anchor: date
    term_number: int = 0
    unpaid: set[UUID] = field(default_factory=set)
    life: str = "active"


@dataclass
class PoolRead:
    subscription_id: UUID
    total: int
    batches: dict[int, int]
    assigned: set[UUID] = field(default_factory=set)
    over_assigned_until: date | None = None
    closed: bool = False


@dataclass
class PaymentRead:
    profile_id: UUID
    amount: int
    attempt: int = 1
    status: str = "requested"
    captured: int = 0
    refunds: dict[UUID, tuple[int, str]] = field(default_factory=dict)
    disputes: dict[str, str] = field(default_factory=dict)

    @property
    def open(self) -> bool:
        return self.status in {"requested", "unknown", "action_required", "authorized"}

    @property
    def waits(self) -> bool:
        """For a bank: a refund is under way, or a dispute open."""
        return "open" in self.disputes.values() or any(state == "requested" for _, state in self.refunds.values())

    @property
    def given_back(self) -> int:
        return sum(amount for amount, state in self.refunds.values() if state != "failed")
