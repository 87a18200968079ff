"""Whatever happens to an invoice, in whatever order: what holds after every event."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Literal
from uuid import UUID

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from domain.invoice import Invoice
from domain.invoice_line import Removal
from domain.kernel import replay
from tests.examples import FIVE_PERCENT, INVOICE, NO_TAX, a_line, an_id, issuing
from tests.scenario import stored_and_back


class InvoiceHistory(RuleBasedStateMachine):
    """An invoice as it is billed, paid, credited, refunded and disputed, beside a ledger of its own."""

    @initialize(licenses=st.integers(1, 7), more=st.integers(0, 3), taxed=st.booleans())
    def issued(self, licenses: int, more: int, *, taxed: bool) -> None:
        lines = [a_line(licenses), *([a_line(more, number=2, since=date(2025, 2, 11))] if more else [])]
        self.invoice = issuing(*lines, tax_rate=FIVE_PERCENT if taxed else NO_TAX)()
        self.history = stored_and_back(self.invoice.collect_events())
        self.snapshots: dict[int, bytes] = {}
        self.today = date(2025, 1, 31)
        self.numbers = 100
        # The model: money that came and went, and what was given up of it.
        self.came: dict[UUID, int] = {}
        self.went: dict[UUID, int] = {}
        self.disputes: dict[str, int] = {}
        self.from_balance = self.to_balance = 0
        self.credits = 0

    def an_id(self) -> UUID:
        self.numbers += 1
        return an_id(self.numbers)

    @rule(days=st.integers(1, 9))
    def days_pass(self, days: int) -> None:
        self.today += timedelta(days=days)

    @rule(part=st.integers(1, 4), outcome=st.sampled_from(["captured", "declined", "let go"]))
    @precondition(lambda self: self.invoice.due_minor > 0)
    def is_charged(self, part: int, outcome: str) -> None:
        payment_id, amount = self.an_id(), -(-self.invoice.due_minor // part)
        self.asked(lambda: self.invoice.start_collection(payment_id, amount))
        match outcome:
            case "captured":
                self.asked(lambda: self.invoice.receive(payment_id, amount))
                self.came[payment_id] = amount
            case "declined":
                self.asked(lambda: self.invoice.fail_collection(payment_id, "declined", self.today))
            case _:
                self.asked(lambda: self.invoice.end_collection(payment_id))

    @rule(amount=st.integers(0, 500))
    @precondition(lambda self: self.invoice.due_minor > 0)
    def uses_the_balance(self, amount: int) -> None:
        applied = min(amount, self.invoice.due_minor)
        self.asked(lambda: self.invoice.apply_balance(applied))
        self.from_balance += applied

    @rule(number=st.integers(1, 2), licenses=st.integers(1, 7), in_full=st.booleans())
    def gives_back(self, number: int, licenses: int, *, in_full: bool) -> None:
        standing = self.invoice.standings.get(number)
        if standing is None or not standing.quantity:
            return
        unused = max(0, (date(2025, 2, 28) - self.today).days)
        days = self.invoice.line(number).days if in_full else min(standing.days, unused)
        removal = Removal(line=number, licenses=min(licenses, standing.quantity), days=days)
        net = sum(line.amount_minor for line in self.invoice.credit_of([removal]))
        self.credits += net + self.invoice.tax_of_credit(net)
        note_id = self.an_id()
        self.asked(
            lambda: self.invoice.credit(
                [removal], credit_note_id=note_id, number="C", reason="licenses_removed", issued_on=self.today
            )
        )

    @rule(fails=st.booleans())
    @precondition(lambda self: self.invoice.due_minor < 0 and self.came)
    def is_refunded(self, *, fails: bool) -> None:
        payment_id, refund_id, amount = list(self.came)[-1], self.an_id(), -self.invoice.due_minor
        self.asked(lambda: self.invoice.count_refund(payment_id, refund_id, amount))
        self.went[refund_id] = amount
        if fails:
            self.asked(lambda: self.invoice.reverse_refund(refund_id))
            del self.went[refund_id]
            self.asked(lambda: self.invoice.move_to_balance(amount))
            self.to_balance += amount

    @rule(part=st.integers(1, 3))
    @precondition(lambda self: self.came)
    def is_disputed(self, part: int) -> None:
        payment_id = list(self.came)[-1]
        name, amount = f"dp_{len(self.disputes)}_{self.numbers}", -(-self.came[payment_id] // part)
        self.asked(lambda: self.invoice.dispute(payment_id, name, amount))
        self.disputes[name] = amount

    @rule(outcome=st.sampled_from(["won", "lost"]), again=st.sampled_from(["won", "lost"]))
    @precondition(lambda self: self.disputes)
    def a_dispute_closes(self, outcome: Literal["won", "lost"], again: Literal["won", "lost"]) -> None:
        name = list(self.disputes)[-1]
        was_lost = self.invoice.disputed[name].lost
        self.asked(lambda: self.invoice.close_dispute(name, outcome))
        self.asked(lambda: self.invoice.close_dispute(name, again))
        if outcome == "won" and not was_lost:
            del self.disputes[name]

    @rule()
    def is_given_up(self) -> None:
        self.asked(lambda: self.invoice.write_off(self.today))

    def asked(self, question: Callable[[], None]) -> None:
        """What was told says the balance as it is after it."""
        question()
        told = stored_and_back(self.invoice.collect_events())
        self.history += told
        for event in told:
            assert getattr(event, "due_minor", self.invoice.due_minor) == self.invoice.due_minor
            assert getattr(event, "state", self.invoice.status) == self.invoice.status

    @invariant()
    def total_is_credits_and_paid_and_due(self) -> None:
        invoice = self.invoice
        assert invoice.total_minor == invoice.credited_minor + invoice.paid_minor + invoice.due_minor
        assert invoice.credited_minor == self.credits
        came = sum(self.came.values()) + self.from_balance
        gone = sum(self.went.values()) + sum(self.disputes.values()) + self.to_balance
        assert invoice.paid_minor == came - gone

    @invariant()
    def credits_never_exceed_what_was_charged(self) -> None:
        for line in self.invoice.lines:
            assert 0 <= self.invoice.standings[line.number].credited_minor <= line.amount_minor
        assert 0 <= self.invoice.credited_tax_minor <= self.invoice.tax_minor
        left = self.invoice.net_minor - self.invoice.credited_net_minor
        assert self.invoice.tax_minor - self.invoice.credited_tax_minor == self.invoice.tax_rate.on(left)

    @invariant()
    def nothing_due_is_never_past_due(self) -> None:
        if self.invoice.due_minor <= 0:
            assert self.invoice.status == "paid"

    @invariant()
    def something_due_is_never_called_paid(self) -> None:
        if self.invoice.due_minor > 0:
            assert self.invoice.status != "paid"

    @invariant()
    def a_retry_is_for_something_that_is_past_due(self) -> None:
        if self.invoice.retry_on and self.invoice.due_minor > 0:
            assert self.invoice.first_attempted_on

    @invariant()
    def a_snapshot_is_the_invoice(self) -> None:
        frozen = self.invoice.freeze()
        assert self.thawed(frozen, self.invoice.version) == self.invoice
        self.snapshots[self.invoice.version] = frozen

    def teardown(self) -> None:
        """From the beginning, and from every snapshot on, history replays into the same cents."""
        assert replay(self.history) == self.invoice
        for version, frozen in self.snapshots.items():
            assert replay(self.history[version:], self.thawed(frozen, version)) == self.invoice

    @staticmethod
    def thawed(frozen: bytes, version: int) -> Invoice:
        return Invoice.thaw(frozen, id=INVOICE, version=version)


TestInvoiceHistory = InvoiceHistory.TestCase
TestInvoiceHistory.settings = settings(max_examples=80, stateful_step_count=25, deadline=None)
