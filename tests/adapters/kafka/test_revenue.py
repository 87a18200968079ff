"""What a revenue service can count from messages alone: recurring revenue, receivables, cash and what is owed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any
from uuid import UUID, uuid4

import pytest

from adapters.embedded.postgres import EmbeddedPostgres
from adapters.kafka.cloud_event import message_of
from adapters.postgres.directory import PersonalDirectory
from adapters.postgres.ledger import open_ledger
from adapters.postgres.migrate import migrate
from domain.billing_profile import BillingProfile
from domain.license_pool import LicensePool
from domain.refusals import SaveTooLarge
from domain.subscription import Subscription
from services.cancel_subscription import CancelSubscription
from services.command import Command
from services.resize_licenses import ResizeLicenses
from services.schedule_licenses import ScheduleLicenses
from tests.adapters.kafka.conftest import a_database
from tests.examples import POWER_BI_PRO_PRODUCT, PURCHASED_AT, a_line, issuing
from tests.services.contoso import OPERATOR, PAID_YEARLY, Clock, Contoso
from tests.services.on_sale import import_power_bi

MONTHS = {"monthly": 1, "annual": 12}  # of the period that a unit price is for
ENDINGS = [f"seatledger.subscription.subscription_{how}.v1" for how in ("cancelled", "expired", "disabled")]


@pytest.fixture
def contoso(postgres: EmbeddedPostgres) -> Iterator[Contoso]:
    """In a database of its own, with Power BI Pro on sale."""
    clock = Clock(PURCHASED_AT)
    with a_database(postgres) as url:
        migrate(url)
        ledger = open_ledger(url, pool_size=3, clock=clock, fingerprint_key=b"of the tests")
        import_power_bi(ledger)
        yield Contoso.founded(ledger, PersonalDirectory(ledger.recorder.datastore), clock)  # type: ignore[attr-defined]
        ledger.close()


@dataclass
class RevenueService:
    """Knows nothing but names and values of messages, in the order of the topic."""

    recurring: dict[str, Fraction] = field(default_factory=dict)  # by subscription, in minor units a month
    due: dict[str, int] = field(default_factory=dict)  # by invoice; less than zero is owed to the payer
    states: dict[str, str] = field(default_factory=dict)  # by invoice
    balances: dict[str, int] = field(default_factory=dict)  # by billing profile
    cash: int = 0
    revenue: dict[str, int] = field(default_factory=dict)  # by product, charged less credited, before tax
    lines: dict[tuple[str, int], str] = field(default_factory=dict)

    def read(self, name: str, told: dict[str, Any]) -> None:
        self.read_money(name.removeprefix("seatledger.").removesuffix(".v1"), told)
        if name.startswith("seatledger.invoice."):
            self.read_invoice(name, told)
        elif name.startswith(("seatledger.subscription.", "seatledger.license_pool.")):
            self.read_subscription(name, told)

    def read_subscription(self, name: str, told: dict[str, Any]) -> None:
        if "price" in told and "total" in told:
            price = told["price"]
            monthly = Fraction(told["total"] * price["unit_price_minor"], MONTHS[price["plan"]])
            self.recurring[told["subscription_id"]] = monthly
        elif name in ENDINGS:
            self.recurring.pop(told["subscription_id"], None)

    def read_invoice(self, name: str, told: dict[str, Any]) -> None:
        invoice_id = told["invoice_id"]
        if name == "seatledger.invoice.invoice_issued.v1":
            self.due[invoice_id] = told["total_minor"]
            for line in told["lines"]:
                self.lines[invoice_id, line["number"]] = line["product_id"]
                self.earn(line["product_id"], line["amount_minor"])
        elif name == "seatledger.invoice.credit_note_issued.v1":
            for line in told["lines"]:
                self.earn(self.lines[invoice_id, line["line"]], -line["amount_minor"])
        if "due_minor" in told:
            self.due[invoice_id] = told["due_minor"]
        if "state" in told:
            self.states[invoice_id] = told["state"]

    def read_money(self, name: str, told: dict[str, Any]) -> None:
        match name:
            case "billing_profile.credit_balance_increased" | "billing_profile.credit_balance_used":
                self.balances[told["billing_profile_id"]] = told["balance_minor"]
            case "payment.payment_captured":
                self.cash += told["amount_minor"]
            case "payment.refund_succeeded":
                self.cash -= told["amount_minor"]
            case _:
                pass

    def earn(self, product_id: str, amount_minor: int) -> None:
        self.revenue[product_id] = self.revenue.get(product_id, 0) + amount_minor

    @property
    def monthly_recurring_revenue(self) -> Fraction:
        return sum(self.recurring.values(), Fraction(0))

    @property
    def receivables(self) -> int:
        return sum(self.due.values()) - sum(self.given_up)

    @property
    def given_up(self) -> list[int]:
        return [due for invoice_id, due in self.due.items() if self.states[invoice_id] == "uncollectible"]


def counted(contoso: Contoso) -> RevenueService:
    """From every message of the organization; they agree with what the ledger itself says."""
    service = RevenueService()
    for event in contoso.history():
        message = message_of(event, "/seatledger/of-the-tests/1")
        service.read(dict(message.headers)["ce_type"].decode(), json.loads(message.value))
    pools = {pool.subscription_id: pool for pool in contoso.every(LicensePool)}
    earning = [one for one in contoso.every(Subscription) if one.life in {"active", "in_grace"}]
    assert service.recurring == {str(one.id): monthly(one, pools[one.id]) for one in earning}
    assert service.due == {str(invoice.id): invoice.due_minor for invoice in contoso.invoices()}
    assert service.states == {str(invoice.id): invoice.status for invoice in contoso.invoices()}
    assert service.cash == contoso.sandbox.captured().get("USD", 0) - contoso.sandbox.refunded().get("USD", 0)
    balances = {str(one.id): one.balance_minor for one in contoso.every(BillingProfile) if one.balance_minor}
    assert {of: balance for of, balance in service.balances.items() if balance} == balances
    earned = sum(invoice.net_minor - invoice.credited_net_minor for invoice in contoso.invoices())
    assert sum(service.revenue.values()) == earned
    return service


def monthly(subscription: Subscription, pool: LicensePool) -> Fraction:
    price = subscription.price
    return Fraction(pool.total * price.unit_price_minor, MONTHS[price.plan])


def resizes(contoso: Contoso, subscription_id: UUID, total: int, on: datetime) -> None:
    contoso.clock.now = on
    contoso.run(contoso.command(ResizeLicenses, contoso.buyer, subscription_id=subscription_id, total=total))


def cancels(contoso: Contoso, subscription_id: UUID, when: str, on: datetime) -> None:
    contoso.clock.now = on
    content = {"subscription_id": subscription_id, "when": when, "reason": "too_expensive"}
    contoso.run(contoso.command(CancelSubscription, contoso.buyer, **content))


def test_recurring_revenue_is_counted_by_the_month_whatever_the_plan(contoso: Contoso) -> None:
    bought = contoso.buys(licenses=100)
    assert counted(contoso).monthly_recurring_revenue == 140_000
    resizes(contoso, bought, 105, datetime(2025, 2, 10, 9, tzinfo=UTC))
    assert counted(contoso).monthly_recurring_revenue == 147_000
    resizes(contoso, bought, 102, datetime(2025, 2, 12, 9, tzinfo=UTC))
    yearly = contoso.buys(licenses=1, terms=PAID_YEARLY)
    service = counted(contoso)
    assert service.monthly_recurring_revenue == 142_800 + 1_400
    assert service.revenue == {POWER_BI_PRO_PRODUCT.product_id: 140_000 + 4_500 - 2_400 + 16_800}
    cancels(contoso, yearly, "now", contoso.clock.now + timedelta(hours=1))
    assert counted(contoso).monthly_recurring_revenue == 142_800


def test_a_renewal_counts_with_its_own_total_and_an_ending_ends_it(contoso: Contoso) -> None:
    bought = contoso.buys(licenses=3)
    contoso.run(contoso.command(ScheduleLicenses, contoso.buyer, subscription_id=bought, total=5))
    contoso.advances(date(2025, 2, 28))
    assert counted(contoso).monthly_recurring_revenue == 7_000
    cancels(contoso, bought, "term_end", datetime(2025, 3, 10, 9, tzinfo=UTC))
    assert counted(contoso).monthly_recurring_revenue == 7_000
    contoso.advances(date(2025, 3, 31))
    assert counted(contoso).monthly_recurring_revenue == 0


def test_receivables_follow_an_invoice_that_fails_is_credited_and_is_given_up(contoso: Contoso) -> None:
    contoso.buys(licenses=102)
    contoso.changes_card("tok_declined_insufficient_funds")
    contoso.advances(date(2025, 2, 28))
    service = counted(contoso)
    assert service.monthly_recurring_revenue == 142_800
    assert (service.receivables, service.cash) == (142_800, 142_800)
    contoso.advances(date(2025, 3, 30))
    service = counted(contoso)
    assert service.monthly_recurring_revenue == 0
    assert (service.receivables, service.given_up) == (0, [138_194])


def test_an_invoice_that_is_too_large_for_a_message_is_refused_before_anything_is_saved(contoso: Contoso) -> None:
    lines = [a_line(300, number=number) for number in range(1, 1_001)]
    invoice = issuing(*lines, id=uuid4())()
    issues = contoso.command(Command, OPERATOR)
    with contoso.refuses(SaveTooLarge, events=1, bytes_limit=256 * 1024):
        contoso.ledger.save(invoice, because=issues, at=contoso.clock.now)


def test_a_disputed_invoice_is_due_again(contoso: Contoso) -> None:
    contoso.opens_profile(contoso.melissa, "tok_disputed")
    contoso.buys(licenses=3)
    contoso.advances(date(2025, 2, 2))
    service = counted(contoso)
    assert (service.receivables, list(service.states.values())) == (4_200, ["open"])
