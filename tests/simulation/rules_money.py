"""What happens to money: cards, payments on demand, banks that decline, ask and dispute, answers that get lost."""

from contextlib import suppress
from typing import Literal
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from adapters.payments.sandbox_faults import Fault, Faults, Step
from domain.payment_method import Expiry
from services.command import Actor
from services.edit_payment_method import EditPaymentMethod, edit_payment_method
from services.pay_invoice import PayInvoice, pay_invoice
from services.replace_payment_method import ReplacePaymentMethod, replace_payment_method
from tests.simulation.beginning import BUYERS
from tests.simulation.world import World

EDITED = "the card is edited"
buyers = st.integers(0, BUYERS - 1)
tokens = st.sampled_from(
    [
        "tok_visa",
        "tok_visa",
        "tok_visa:another",
        EDITED,
        EDITED,
        "tok_mastercard",
        "tok_declined_insufficient_funds",
        "tok_action_required",
        "tok_refund_fails",
        "tok_expires_soon",
    ]
)
MONEY_STEPS: tuple[Step, ...] = ("authorize", "charge", "capture", "release", "refund", "find")
faults = st.one_of(
    st.builds(
        lambda step, times: Fault(step, "decline", code="card_declined", times=times),
        st.sampled_from(["authorize", "charge", "charge", "charge", "capture"]),
        st.integers(1, 6),
    ),
    st.builds(
        lambda step, kind, skip: Fault(step, kind, skip=skip),
        st.sampled_from(MONEY_STEPS),
        st.sampled_from(["lost_answer", "lost_request"]),
        st.integers(0, 2),
    ),
    st.builds(lambda step: Fault(step, "action_required"), st.sampled_from(["authorize", "charge"])),
    st.builds(lambda end: Fault("refund", "refund_pending", becomes=end), st.sampled_from(["succeeded", "failed"])),
    st.just(Fault("refund", "decline", code="refund_failed")),
    st.just(Fault("capture", "decline", code="hold_expired")),
)


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
        if token == EDITED:
            self.edit_card(actor)
        elif card := self.world.add_card(actor, token):
            command = self.world.command(
                ReplacePaymentMethod,
                actor,
                billing_profile_id=self.world.own_profile(actor.id),
                payment_method_id=card,
            )
            self.world.act(command, lambda command: replace_payment_method(self.world.ledger, command, self.world.till))

    def edit_card(self, actor: Actor) -> None:
        """Of the cards that were ever added, one after the other; every fifth security code is wrong."""
        number, cards = self.world.ids, self.world.cards[actor.id]
        command = self.world.command(
            EditPaymentMethod,
            actor,
            payment_method_id=cards[number % len(cards)],
            expiry=Expiry(month=12, year=self.world.latest.year + 5),
            security_code_token=f"{'cvctok_ok' if number % 5 else 'cvctok_wrong'}_{number}",
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
    @rule(number=st.integers(0, 9), what=st.sampled_from(["dispute", "dispute a half", "won", "lost", "refund"]))
    def bank(self, number: int, what: str) -> None:
        """A payer disputes, a bank decides, a refund comes back."""
        match what:
            case "won" | "lost":
                self.close_disputes(what)
            case "refund":
                self.send_refund_back(number)
            case _:
                payments = self.captured()
                payment_id = payments[-1 - number % len(payments)]
                amount = self.world.reading.payments[payment_id].captured // 2
                with suppress(LookupError):  # there is not so much left of it
                    self.world.sandbox.dispute(payment_id, amount if what == "dispute a half" else None)
                    self.world.counts.faults["dispute"] += 1

    def close_disputes(self, outcome: Literal["won", "lost"]) -> None:
        for found in self.world.sandbox.payments():
            for dispute in found.disputes:
                if dispute.state == "open":
                    self.world.sandbox.close_dispute(dispute.dispute_id, outcome)

    def send_refund_back(self, number: int) -> None:
        refunds = [
            refund_id
            for payment in self.world.reading.payments.values()
            for refund_id, (_, state) in payment.refunds.items()
            if state == "succeeded"
        ]
        if refunds:
            with suppress(LookupError):  # it failed before, and history does not know yet
                self.world.sandbox.fail_refund(refunds[-1 - number % len(refunds)])
                self.world.counts.faults["refund came back"] += 1

    @rule(fault=faults)
    def trouble(self, fault: Fault) -> None:
        """The provider meets one of the next calls otherwise; what is scripted waits for its call."""
        name = fault.kind if fault.step != "refund" else f"{fault.kind} of a refund"
        self.world.counts.faults[name] += 1
        self.world.sandbox.script(Faults((fault,)))

    @rule()
    def calm(self) -> None:
        self.world.sandbox.clear_script()
        self.world.undisturb()
