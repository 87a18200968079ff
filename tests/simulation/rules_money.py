"""What happens to money: cards, payments on demand, banks that decline, ask and dispute, answers that get lost."""

from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from adapters.payments.sandbox_faults import Faults, Step
from domain.payment_method import Expiry
from services.edit_payment_method import EditPaymentMethod, edit_payment_method
from services.pay_invoice import PayInvoice, pay_invoice
from services.replace_payment_method import ReplacePaymentMethod, replace_payment_method
from tests.simulation.world import BUYERS, World

buyers = st.integers(0, BUYERS - 1)
tokens = st.sampled_from(
    [
        "tok_visa",
        "tok_visa",
        "tok_visa:another",
        "tok_mastercard",
        "tok_declined_insufficient_funds",
        "tok_action_required",
        "tok_refund_fails",
        "tok_expires_soon",
    ]
)
MONEY_STEPS: tuple[Step, ...] = ("authorize", "charge", "capture", "release", "refund", "find")


class Money:
    """Rules of a history; `world` is set by what they are mixed into."""

    world: World

    def captured(self) -> list[UUID]:
        return [one for one, payment in self.world.reading.payments.items() if payment.captured]

    def some_captured(self) -> bool:
        return any(payment.captured for payment in self.world.reading.payments.values())

    def some_open_invoice(self) -> bool:
        return any(invoice.due > 0 for invoice in self.world.reading.invoices.values())

    @rule(owner=buyers, token=tokens)
    def replace_card(self, owner: int, token: str) -> None:
        actor = self.world.buyer(owner)
        if card := self.world.add_card(actor, token):
            command = self.world.command(
                ReplacePaymentMethod,
                actor,
                billing_profile_id=self.world.own_profile(actor.id),
                payment_method_id=card,
            )
            self.world.act(command, lambda command: replace_payment_method(self.world.ledger, command, self.world.till))

    @rule(owner=buyers, number=st.integers(0, 3), right=st.booleans())
    def edit_card(self, owner: int, number: int, right: bool) -> None:
        actor = self.world.buyer(owner)
        cards = self.world.cards[actor.id]
        command = self.world.command(
            EditPaymentMethod,
            actor,
            payment_method_id=cards[number % len(cards)],
            expiry=Expiry(month=12, year=self.world.latest.year + 5),
            security_code_token=f"{'cvctok_ok' if right else 'cvctok_wrong'}_{self.world.ids}",
        )
        self.world.act(command, lambda command: edit_payment_method(self.world.ledger, command, self.world.till))

    @precondition(some_open_invoice)
    @rule(number=st.integers(0, 9), other_card=st.booleans())
    def pay(self, number: int, other_card: bool) -> None:
        due = [one for one, invoice in self.world.reading.invoices.items() if invoice.due > 0]
        invoice_id = due[number % len(due)]
        profile_id = self.world.reading.invoices[invoice_id].profile_id
        owner = next(one for one in self.world.people[:BUYERS] if self.world.own_profile(one) == profile_id)
        actor = self.world.buyer(self.world.people.index(owner))
        card = self.world.cards[owner][-1] if other_card else None
        command = self.world.command(PayInvoice, actor, invoice_id=invoice_id, payment_method_id=card)
        self.world.act(command, lambda command: pay_invoice(self.world.ledger, command, self.world.till))

    @precondition(lambda self: self.world.unanswered)
    @rule(agrees=st.booleans(), number=st.integers(0, 9))
    def repeat(self, agrees: bool, number: int) -> None:
        """Who was asked confirms it or not; then the same command comes again."""
        for payment_id, payment in self.world.reading.payments.items():
            if payment.status == "action_required":
                try:
                    self.world.sandbox.confirm(payment_id, payment.attempt, agrees=agrees)
                except LookupError:
                    continue
        waiting = self.world.unanswered
        command, carry_out = waiting.pop(number % len(waiting))
        self.world.act(command, carry_out)

    # Banks.

    @precondition(some_captured)
    @rule(number=st.integers(0, 9), half=st.booleans())
    def dispute(self, number: int, half: bool) -> None:
        payments = self.captured()
        payment_id = payments[-1 - number % len(payments)]
        amount = self.world.reading.payments[payment_id].captured // 2 if half else None
        try:
            self.world.sandbox.dispute(payment_id, amount)
        except LookupError:
            return
        self.world.counts.faults["dispute"] += 1

    @precondition(some_captured)
    @rule(won=st.booleans())
    def close_disputes(self, won: bool) -> None:
        for found in self.world.sandbox.payments():
            for dispute in found.disputes:
                if dispute.state == "open":
                    self.world.sandbox.close_dispute(dispute.dispute_id, "won" if won else "lost")

    @precondition(some_captured)
    @rule(number=st.integers(0, 9))
    def refund_comes_back(self, number: int) -> None:
        refunds = [
            refund_id
            for payment in self.world.reading.payments.values()
            for refund_id, (_, state) in payment.refunds.items()
            if state == "succeeded"
        ]
        if refunds:
            try:
                self.world.sandbox.fail_refund(refunds[-1 - number % len(refunds)])
            except LookupError:
                return
            self.world.counts.faults["refund came back"] += 1

    # Faults.

    def script(self, name: str, faults: Faults) -> None:
        self.world.counts.faults[name] += 1
        self.world.sandbox.script(faults)

    @rule(times=st.integers(1, 6), step=st.sampled_from(["authorize", "charge", "capture"]))
    def decline(self, times: int, step: Step) -> None:
        code = "hold_expired" if step == "capture" else "card_declined"
        self.script("decline", Faults().decline(step, code, times=times))

    @rule(step=st.sampled_from(MONEY_STEPS), call=st.integers(1, 3), answer=st.booleans())
    def lose(self, step: Step, call: int, answer: bool) -> None:
        if answer:
            self.script("lost_answer", Faults().lost_answer(step, call=call))
        else:
            self.script("lost_request", Faults().lost_request(step, call=call))

    @rule(step=st.sampled_from(["authorize", "charge"]))
    def ask_for_the_payer(self, step: Step) -> None:
        self.script("action_required", Faults().action_required(step))

    @rule(fails=st.booleans(), at_once=st.booleans())
    def refund_trouble(self, fails: bool, at_once: bool) -> None:
        if at_once:
            self.script("refund declined", Faults().decline("refund", "refund_failed"))
        else:
            self.script("refund pending", Faults().refund_pending(then="failed" if fails else "succeeded"))

    @rule()
    def calm(self) -> None:
        self.world.sandbox.clear_script()
