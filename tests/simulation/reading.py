"""A reading of history that knows nothing of the aggregates: what events say, added up, with the laws that they keep.

The laws of amounts, invoices and payments that hold after every event stand here; those that take a look at the
provider, at copies of the world or at snapshots stand in `laws` and `copies`.
"""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, Any
from uuid import UUID

from domain.billing_profile import BillingProfile
from domain.calendar import Period, term
from domain.invoice import Invoice
from domain.invoice_line import InvoiceLine
from domain.license_pool import Charge, LicensePool
from domain.payment import Payment
from domain.refusals import Refusal
from domain.subscription import Subscription
from services.command import Command
from services.ports_payments import Limits
from tests.simulation.accounts import (
    InvoiceRead,
    LineRead,
    PaymentRead,
    PoolRead,
    ProfileRead,
    SubscriptionRead,
    tax_on,
)

if TYPE_CHECKING:
    from tests.simulation.world import World

# What a refused command may have told in its own name: that it tried to be paid for.
OF_A_TRY = ("seatledger.Payment.",)
OF_A_TRY_TO_PAY = (
    *OF_A_TRY,
    "seatledger.Invoice.Collection",
    "seatledger.BillingProfile.InvoiceReopened",
    "seatledger.Subscription.ChargeFailed",
)


class Reading:
    """Everything that an organization's events have said so far."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.read = 0
        self.broken = False  # a law was, and what comes after says nothing more
        self.invoices: dict[UUID, InvoiceRead] = {}
        self.profiles: dict[UUID, ProfileRead] = {}
        self.subscriptions: dict[UUID, SubscriptionRead] = {}
        self.pools: dict[UUID, PoolRead] = {}
        self.payments: dict[UUID, PaymentRead] = {}
        self.numbers: set[str] = set()
        self.charges: dict[tuple[UUID, int], Charge] = {}  # by invoice and line
        self.lines: dict[tuple[UUID, int], InvoiceLine] = {}
        self.cycles: dict[UUID, list[Period]] = {}  # by subscription

    def copy_for(self, world: World) -> Reading:
        """The same reading of a copied world."""
        other = Reading.__new__(Reading)
        other.__dict__.update(pickle.loads(pickle.dumps({**self.__dict__, "world": None})))  # noqa: S301 - our own
        other.world = world
        return other

    def catch_up(self) -> None:
        """Reads what is new; raises where a law is broken."""
        recorded = self.world.recorder.organizations[self.world.organization_id]
        before, self.broken = self.read, True
        while self.read < len(recorded):
            event, self.read = recorded[self.read], self.read + 1
            self.world.counts.told[event.topic.removeprefix("seatledger.")] += 1
            self.take(self.world.ledger.mapper.to_domain_event(event))
        if self.read > before:
            self.world.counts.events += self.read - before
            self.judge()
        self.broken = False

    def refuse_what_a_refusal_told(self, command: Command, before: int, refusal: Refusal) -> None:
        """A refused command tells only the due steps that it took first, and that a payment was tried."""
        allowed = OF_A_TRY_TO_PAY if command.name == "pay_invoice" else OF_A_TRY
        for event in self.world.recorder.organizations[self.world.organization_id][before:]:
            envelope = event.envelope
            if envelope.command == "take_due_steps" or (
                self.world.between and envelope.command_id != command.command_id
            ):
                continue
            tried = envelope.command_id == command.command_id and envelope.step
            of_a_try = bool(tried) and event.topic.startswith(allowed)
            assert of_a_try, f"{command.name} was refused ({refusal}), and told {event.topic}"

    def judge(self) -> None:
        """What holds between events of one save."""
        for pool in self.pools.values():
            if pool.closed:
                continue
            assert sum(pool.batches.values()) == pool.total, "batches are not the total"
            assert len(pool.assigned) <= pool.total or pool.over_assigned_until, "more are assigned than there are"
        for profile in self.profiles.values():
            assert profile.balance >= 0, "a credit balance is below nothing"
        assert self.charges.keys() == self.lines.keys(), "a line without a charge of a pool, or the other way round"

    # Events.

    def take(self, event: Any) -> None:
        one = event.originator_id
        match event:
            case Invoice.Event():
                self.take_invoice(one, event)
            case BillingProfile.Event():
                self.take_profile(one, event)
            case Subscription.Event():
                self.take_subscription(one, event)
            case LicensePool.Event():
                self.take_pool(one, event)
            case Payment.Event():
                self.take_payment(one, event)
            case _:
                pass

    def take_invoice(self, one: UUID, event: Any) -> None:  # noqa: C901 - likewise
        if isinstance(event, Invoice.InvoiceIssued):
            net = sum(line.amount_minor for line in event.lines)
            assert event.total_minor == net + tax_on(net, event.tax_rate) == net + event.tax_minor
            lines = {line.number: LineRead(line, line.quantity, line.days) for line in event.lines}
            self.invoices[one] = InvoiceRead(
                event.billing_profile_id, event.number, event.total_minor, net, event.tax_rate, lines, state=event.state
            )
            assert event.number in self.numbers
            for line in event.lines:
                assert line.amount_minor == lines[line.number].amount(line.quantity, line.days)
                self.lines[one, line.number] = line
            return
        invoice = self.invoices[one]
        match event:
            case Invoice.CreditBalanceApplied():
                invoice.applied += event.amount_minor
            case Invoice.PaymentReceived():
                assert event.payment_id not in invoice.received
                invoice.received[event.payment_id] = event.amount_minor
            case Invoice.CreditNoteIssued():
                assert event.number in self.numbers
                invoice.credit(event)
            case Invoice.RefundCounted():
                invoice.refunded[event.refund_id] = event.payment_id, event.amount_minor
            case Invoice.RefundReversed():
                del invoice.refunded[event.refund_id]
            case Invoice.MovedToCreditBalance():
                invoice.moved += event.amount_minor
            case Invoice.PaymentDisputed():
                invoice.disputed[event.dispute_id] = event.payment_id, event.amount_minor
            case Invoice.DisputeClosed(outcome="won"):
                del invoice.disputed[event.dispute_id]
            case _:
                pass
        if hasattr(event, "due_minor"):
            assert event.due_minor == invoice.due, (
                f"{type(event).__name__} says {event.due_minor} due, not {invoice.due}"
            )
        invoice.state = getattr(event, "state", invoice.state)

    def take_profile(self, one: UUID, event: Any) -> None:
        profile = self.profiles.setdefault(one, ProfileRead())
        match event:
            case BillingProfile.InvoiceNumbered():
                profile.invoices += 1
                assert event.count == profile.invoices, "an invoice number is left out or given twice"
                self.number(event.number)
            case BillingProfile.CreditNoteNumbered():
                profile.credit_notes += 1
                assert event.count == profile.credit_notes, "a credit note's number is left out or given twice"
                self.number(event.number)
            case BillingProfile.CreditBalanceIncreased():
                profile.moved_in += event.amount_minor
                assert event.amount_minor > 0
                assert event.balance_minor == profile.balance
            case BillingProfile.CreditBalanceUsed():
                profile.used += event.amount_minor
                assert event.amount_minor > 0
                assert event.balance_minor == profile.balance
            case _:
                pass

    def number(self, number: str) -> None:
        assert number not in self.numbers
        self.numbers.add(number)

    def take_subscription(self, one: UUID, event: Any) -> None:
        if isinstance(event, Subscription.SubscriptionPurchased):
            self.subscriptions[one] = SubscriptionRead(event.pool_id, event.price, event.anchor)
            assert event.term == term(event.anchor, event.price.term, 0)
            return
        read = self.subscriptions[one]
        match event:
            case Subscription.SubscriptionRenewed():
                assert read.life == "active", f"renewed while {read.life}"
                assert not read.unpaid, "renewed while past due"
                assert event.term_number == read.term_number + 1, "a term is left out or doubled"
                assert event.term == term(read.anchor, event.price.term, event.term_number)
                read.term_number, read.price = event.term_number, event.price
            case Subscription.ChargeFailed():
                read.unpaid.add(event.document_id)
                read.life = event.state
            case Subscription.ChargeRecovered():
                read.unpaid.remove(event.document_id)
                read.life = event.state
            case Subscription.SubscriptionExpired():
                read.life = "expired"
            case Subscription.SubscriptionCancelled() | Subscription.SubscriptionDisabled():
                assert read.life not in {"disabled", "deleted"} or isinstance(event, Subscription.SubscriptionDisabled)
                read.life = "disabled"
            case Subscription.SubscriptionDeleted():
                assert read.life == "disabled"
                read.life = "deleted"
            case _:
                pass

    def take_pool(self, one: UUID, event: Any) -> None:
        match event:
            case LicensePool.LicensePoolOpened():
                self.pools[one] = PoolRead(
                    event.subscription_id, event.total, {event.batch.number: event.batch.licenses}
                )
            case LicensePool.LicensesResized():
                pool = self.pools[one]
                assert event.total_before == pool.total
                pool.total = event.total
                before = {} if event.reason == "renewal" else pool.batches  # a renewal closes all others
                pool.batches = before | {batch.number: batch.licenses for batch in event.batches}
                pool.over_assigned_until = event.over_assigned_until
            case LicensePool.LicenseAssigned():
                pool = self.pools[one]
                assert event.member_id not in pool.assigned
                assert len(pool.assigned) < pool.total, "assigned above the total"
                pool.assigned.add(event.member_id)
                assert event.assigned == len(pool.assigned)
            case LicensePool.LicenseUnassigned():
                self.pools[one].assigned.remove(event.member_id)
            case LicensePool.LicensePoolClosed():
                assert event.assignments_ended == len(self.pools[one].assigned)
                self.pools[one].closed = True
            case _:
                pass
        if charge := getattr(event, "charge", None):
            self.charged(event, charge)

    def charged(self, event: Any, charge: Charge) -> None:
        """The cycles of a subscription follow one another as the calendar counts them from the anchor."""
        assert (charge.invoice_id, charge.line) not in self.charges
        self.charges[charge.invoice_id, charge.line] = charge
        cycles = self.cycles.setdefault(event.subscription_id, [])
        if getattr(event, "reason", None) == "increase":
            assert charge.cycle == cycles[-1], "an increase is charged for another cycle than the current one"
        else:
            assert not cycles or charge.cycle.start == cycles[-1].end, "cycles overlap, or leave days out"
            cycles.append(charge.cycle)

    def take_payment(self, one: UUID, event: Any) -> None:  # noqa: C901, PLR0912 - a table of kinds
        if isinstance(event, Payment.PaymentRequested):
            self.payments[one] = PaymentRead(event.billing_profile_id, event.amount_minor)
            self.refuse_unmovable(event)
            return
        payment = self.payments[one]
        match event:
            case Payment.PaymentTriedAgain():
                assert not payment.open, "tried again while it was open"
                assert payment.status != "captured", "tried again although it was captured"
                payment.attempt, payment.amount, payment.status = event.attempt, event.amount_minor, "requested"
                self.refuse_unmovable(event)
            case Payment.PaymentAuthorized():
                payment.status = "authorized"
            case Payment.PaymentCaptured():
                assert not payment.captured, "captured twice"
                payment.status, payment.captured = "captured", event.amount_minor
            case Payment.PaymentDeclined():
                payment.status = "declined"
            case Payment.PaymentActionRequired():
                payment.status = "action_required"
            case Payment.PaymentOutcomeUnknown():
                payment.status = "unknown"
            case Payment.AuthorizationReleased():
                payment.status = "released"
            case Payment.RefundRequested():
                payment.refunds[event.refund_id] = event.amount_minor, "requested"
                assert event.amount_minor % self.limits.step_minor == 0, "a refund that no provider moves"
                assert payment.given_back <= payment.captured, "more is given back than was captured"
            case Payment.RefundSucceeded():
                payment.refunds[event.refund_id] = event.amount_minor, "succeeded"
            case Payment.RefundFailed():
                payment.refunds[event.refund_id] = event.amount_minor, "failed"
            case Payment.PaymentDisputed():
                payment.disputes[event.dispute_id] = "open"
            case Payment.DisputeClosed():
                payment.disputes[event.dispute_id] = event.outcome
            case _:
                pass

    @property
    def limits(self) -> Limits:
        return self.world.sandbox.limits(self.world.beginning.currency)

    def refuse_unmovable(self, event: Any) -> None:
        """A payment is for its invoices, and of an amount that the provider moves."""
        assert sum(part.amount_minor for part in event.allocation) == event.amount_minor
        assert event.amount_minor == self.limits.floored(event.amount_minor) > 0, "a charge that no provider takes"
