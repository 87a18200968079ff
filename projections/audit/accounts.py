"""Accounts: what is due, paid and owed, derived event by event from prices, quantities and days alone.

A second reading of the rules beside the code that charges: only the named rules of proration are shared.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from fractions import Fraction
from math import floor
from typing import Any
from uuid import UUID

from domain.calendar import BillingPlan, cycles_after
from domain.proration import RULES
from projections.audit.amounts import Told

Amounts = dict[str, int]
Moves = Callable[[str], tuple[int, int]]
"""The smallest amount of a currency that its provider takes, and the step between amounts, in minor units."""

Price = Callable[[int, int], int]
"""What so many licenses cost for so many days, in minor units."""

HALF, PPM = Fraction(1, 2), 1_000_000


def tax_on(net_minor: int, rate: Mapping[str, Any]) -> int:
    """The tax of a sum, a half up; sums are never negative."""
    return floor(Fraction(net_minor * rate["rate_ppm"], PPM) + HALF)


def price_of(rule: str, unit_price_minor: int, quantity: int, days: int, cycle_days: int) -> int:
    return RULES[rule].amount(unit_price_minor=unit_price_minor, quantity=quantity, days=days, cycle_days=cycle_days)


@dataclass(slots=True)
class Sold:
    """A subscription: its price of the term, its calendar, and how many licenses it has."""

    unit_price_minor: int
    anchor: date
    plan: BillingPlan
    term_end: date
    licenses: int = 0


@dataclass(slots=True)
class Line:
    price: Price
    amount_minor: int
    credited_minor: int = 0

    def credit(self, before: int, after: int, days: int) -> int:
        """A(before, days) less A(after, days), and never more than is left of the line."""
        less = self.price(before, days) - self.price(after, days)
        credit = min(less, self.amount_minor - self.credited_minor)
        self.credited_minor += credit
        return credit


@dataclass(slots=True)
class Bill:
    """An invoice: what is due on it, and where its money came from and went."""

    number: str
    profile_id: UUID
    rate: dict[str, Any]
    lines: list[Line]
    net_minor: int  # not credited yet
    total_minor: int
    due_minor: int
    received: dict[UUID, int] = field(default_factory=dict)
    claims: dict[Any, tuple[UUID, int]] = field(default_factory=dict)  # refunds and disputes: of which payment
    moved_minor: int = 0  # to or from the credit balance, last
    failed_minor: int = 0  # of a refund that came back just now

    def left_of(self, payment_id: UUID) -> int:
        return self.received[payment_id] - sum(amount for of, amount in self.claims.values() if of == payment_id)


@dataclass(slots=True)
class Charge:
    """A payment: what its attempt asks for, and what has gone back of it."""

    currency: str
    amount_minor: int
    parts: dict[UUID, int]  # by invoice, oldest first
    captured_minor: int = 0
    gone: dict[Any, int] = field(default_factory=dict)  # refunds that did not fail, disputes that were not won

    @property
    def refundable_minor(self) -> int:
        return self.captured_minor - sum(self.gone.values())


class Accounts:
    """All accounts of one organization."""

    def __init__(self, moves: Moves) -> None:
        self.moves = moves
        self.sold: dict[UUID, Sold] = {}
        self.bills: dict[UUID, Bill] = {}
        self.charges: dict[UUID, Charge] = {}
        self.balances: dict[UUID, int] = {}

    # Payments ask for what is due, oldest first, as far as the provider moves it.

    def shared(self, currency: str, dues: Mapping[UUID, int]) -> dict[UUID, int]:
        """What each invoice gets of a charge for all of them."""
        minimum, step = self.moves(currency)
        total = sum(dues.values())
        left = total - total % step
        left = left if left >= minimum else 0
        parts = {}
        for invoice_id, due in dues.items():
            parts[invoice_id] = min(left, due)
            left -= parts[invoice_id]
        return parts

    def due_of_intent(self, told: Told) -> int:
        """What the invoice will have due that an intent pays first."""
        intent = told.facts["intent"]
        quantity = intent["licenses"] if intent["kind"] == "purchase" else intent["total"] - intent["total_before"]
        price, days = intent["price"], (intent["period"]["end"] - intent["period"]["start"]).days
        net = price_of(price["rule"], price["unit_price_minor"], quantity, days, intent["cycle_days"])
        total = net + tax_on(net, intent["tax_rate"])
        return max(0, total - self.balances.get(told.facts["billing_profile_id"], 0))

    def request(self, told: Told, dues: Mapping[UUID, int]) -> Amounts:
        """An attempt asks for what is due on its invoices."""
        facts = told.facts
        parts = self.shared(facts["currency"], dues)
        self.charges[told.id] = Charge(facts["currency"], sum(parts.values()), parts)
        amounts = self.charge_of(told)
        if intent := facts["intent"]:
            given = intent["price"]["unit_price_minor"]
            sold = self.sold[intent["subscription_id"]] if intent["kind"] == "increase" else None
            amounts["intent.price.unit_price_minor"] = sold.unit_price_minor if sold else given
        return amounts

    def charge_of(self, told: Told) -> Amounts:
        charge = self.charges[told.id]
        amounts = {"amount_minor": charge.amount_minor}
        for place, part in enumerate(told.facts.get("allocation", ())):
            amounts[f"allocation[{place}].amount_minor"] = charge.parts[part["invoice_id"]]
        return amounts

    # Invoices charge for lines, and credit what is taken back.

    def priced(self, line: Mapping[str, Any]) -> tuple[int, Price]:
        """What a license of a line costs for a cycle, and what licenses cost for days of it."""
        unit = self.sold[line["subscription_id"]].unit_price_minor
        return unit, lambda quantity, days: price_of(line["rule"], unit, quantity, days, line["cycle_days"])

    def issue(self, told: Told) -> Amounts:
        facts, lines = told.facts, []
        amounts: Amounts = {}
        for place, line in enumerate(facts["lines"]):
            unit, price = self.priced(line)
            amount = price(line["quantity"], (line["period"]["end"] - line["period"]["start"]).days)
            lines.append(Line(price, amount))
            amounts |= {f"lines[{place}].unit_price_minor": unit, f"lines[{place}].amount_minor": amount}
        net = sum(line.amount_minor for line in lines)
        tax = tax_on(net, facts["tax_rate"])
        total = net + tax
        self.bills[told.id] = Bill(
            facts["number"], facts["billing_profile_id"], facts["tax_rate"], lines, net, total, total
        )
        return amounts | {"net_minor": net, "tax_minor": tax, "total_minor": total}

    def credit(self, told: Told) -> Amounts:
        bill, net = self.bills[told.id], 0
        amounts: Amounts = {}
        for place, line in enumerate(told.facts["lines"]):
            credit = bill.lines[line["line"] - 1].credit(line["quantity_before"], line["quantity"], line["days"])
            amounts[f"lines[{place}].amount_minor"] = credit
            net += credit
        tax = tax_on(bill.net_minor, bill.rate) - tax_on(bill.net_minor - net, bill.rate)
        bill.net_minor -= net
        bill.due_minor -= net + tax
        return amounts | {"net_minor": net, "tax_minor": tax, "total_minor": net + tax, "due_minor": bill.due_minor}

    # What is owed goes back to captures as far as it can, and the rest to the credit balance.

    def refund(self, told: Told) -> int:
        bill, charge = self.bills[told.id], self.charges[told.facts["payment_id"]]
        most = min(-bill.due_minor, charge.refundable_minor, bill.left_of(told.facts["payment_id"]))
        amount = most - most % self.moves(charge.currency)[1]
        bill.claims[told.facts["refund_id"]] = (told.facts["payment_id"], amount)
        return amount

    def still_owed(self, told: Told) -> int:
        """What the later cycles of a term cost."""
        sold = self.sold[told.id]
        cycles = cycles_after(sold.anchor, sold.plan, max(sold.anchor, day_of(told.occurred_at)), sold.term_end)
        return cycles * sold.licenses * sold.unit_price_minor

    def owing(self, ids: Sequence[UUID]) -> Iterator[tuple[Bill, int]]:
        """The invoices on which something is owed that nothing gives back."""
        for bill in (self.bills[one] for one in ids if one in self.bills):
            if bill.due_minor < 0:
                yield bill, -bill.due_minor


def day_of(moment: str) -> date:
    return datetime.fromisoformat(moment).astimezone(UTC).date()
