"""A purchase or an increase is paid for first: intent, hold, record, take.

The intent is recorded before the provider hears of it, what it pays for only when the amount is held, and the hold is
taken once that is recorded. A crash anywhere leaves a payment that the same command, or the life-cycle run, carries on.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from domain.kernel import Aggregate
from domain.payment import Allocation, Intent, Payment, ReleaseReason
from domain.refusals import Busy, PaymentActionRequired, PaymentDeclined, PaymentOutcomeUnknown, Refusal
from services.billing import Bill, claim
from services.books import Books, open_books
from services.charging import handle_of, request_of
from services.command import Command
from services.ledger import ATTEMPTS, Ledger, recorded_version
from services.life_cycle import see_books_through
from services.ports import AlreadyRecorded, Receipt, VersionConflict
from services.ports_payments import GatewayUnavailable
from services.till import Till


@dataclass
class Deal:
    """What a command tells in the books once its bill, if there is one, is paid for; and what it was decided on."""

    books: Books
    seen: list[Aggregate]
    bill: Bill | None = None
    intent: Intent | None = None

    @property
    def charge_minor(self) -> int:
        return self.bill.charge_minor if self.bill else 0

    @property
    def allocation(self) -> tuple[Allocation, ...]:
        return self.bill.allocation if self.bill else ()


Decide = Callable[[datetime | None], Deal]
"""Decides from fresh loads, as of the moment of an intent or, with None, of now; raises what refuses the command."""


def paid_first(ledger: Ledger, till: Till, command: Command, decide: Decide) -> Receipt:
    """Carries out a command that is paid for first, or goes on where it was left."""
    ledger.answer_of(command, step_of(0, 1))  # refuses other content under the same id before anything else
    for number in range(ATTEMPTS):
        attempt = PaidAttempt(ledger, till, command, decide, number)
        if receipt := ledger.until_saved(command.organization_id, attempt.carried_out):
            return receipt
    raise Busy(attempts=ATTEMPTS)


def see_payment_through(ledger: Ledger, till: Till, payment: Payment, command: Command) -> None:
    """Takes the hold of a payment whose purchase or increase is recorded."""
    organization = ledger.organization(command.organization_id)
    books = open_books(ledger, organization, payment.billing_profile_id)
    see_books_through(ledger, till, books, causation_id=command.command_id)


def step_of(number: int, version: int) -> str:
    """The step of a command under which a version of one of its payments is recorded."""
    return f"payment:{number}:{version}"


@dataclass
class PaidAttempt:
    """One payment of a command. When what it pays for has changed meanwhile, another one takes its place."""

    ledger: Ledger
    till: Till
    command: Command
    decide: Decide
    number: int

    @property
    def payment_id(self) -> UUID:
        return self.command.new_id(f"payment:{self.number}")

    def carried_out(self) -> Receipt | None:
        """The command's receipt; None: this payment was let go of."""
        payment = self.ledger.find(Payment, self.command.organization_id, self.payment_id)
        if recorded := self.ledger.answer_of(self.command):
            if payment and payment.is_open:  # a crash came between the record and the taking
                see_payment_through(self.ledger, self.till, payment, self.command)
            return recorded
        if payment and payment.status == "released":
            return None
        resumed = payment if payment and payment.is_open else None
        try:
            deal = self.decide(resumed.requested_at if resumed else None)
        except Refusal as refusal:
            if recorded := self.ledger.answer_of(self.command):
                return recorded  # by somebody who carried out the same command meanwhile
            if resumed:
                self.let_go(resumed, "refused")
            else:
                self.ledger.refuse_changed(self.command, refusal)
            raise
        if resumed and resumed.allocation != deal.allocation:
            self.let_go(resumed, "replaced")
            return None
        if not deal.charge_minor:
            return self.record(deal)
        requested = resumed or self.requested(deal, payment)
        self.command = self.command.begun()
        held = self.held(deal, requested, known=resumed is not None)
        deal.books.payments[held.id] = held
        deal.books.fresh.add(held.id)
        claim(deal.books, held)
        return self.record(deal)

    def requested(self, deal: Deal, declined: Payment | None) -> Payment:
        """Records the intent: of a first attempt, or of the next one after a decline."""
        facts: dict[str, Any] = {
            "payment_method_id": deal.books.profile.payment_method_id,
            "amount_minor": deal.charge_minor,
            "currency": deal.books.profile.currency,
            "allocation": deal.allocation,
            "intent": deal.intent,
            "on_session": True,
            "requested_at": self.ledger.now(deal.books.organization),
        }
        payment = declined or Payment.request(id=self.payment_id, billing_profile_id=deal.books.profile.id, **facts)
        if declined:
            declined.try_again(**facts)
        # With what it rests on: an intent never asks for an amount that was not due when it was recorded.
        invoices = [deal.books.invoice(part.invoice_id) for part in deal.allocation]
        self.save(
            payment, seen=[*deal.seen, deal.books.profile, *(one for one in invoices if recorded_version(one)[1])]
        )
        return payment

    def held(self, deal: Deal, payment: Payment, *, known: bool) -> Payment:
        """The payment with its amount held; refuses when it is not. Of a `known` one the provider is asked first."""
        if payment.status == "authorized":
            return payment
        request = request_of(deal.books, payment)
        try:
            answer = (self.till.gateway.find(request.handle) if known else None) or self.till.gateway.authorize(request)
        except GatewayUnavailable:
            payment.lose_sight()
            self.save(payment)
            raise PaymentOutcomeUnknown(payment_id=payment.id) from None
        if answer.state == "authorized":
            payment.authorize(answer.reference)
            return payment
        if answer.state == "action_required":
            payment.require_action(answer.reference)
            self.save(payment)
            raise PaymentActionRequired(payment_id=payment.id, url=answer.action_url)
        why = answer.code or answer.state
        payment.decline(why)
        self.save(payment)
        raise PaymentDeclined(payment_id=payment.id, why=why)

    def record(self, deal: Deal) -> Receipt:
        """Records what is paid for, which answers the command; then takes the hold, or leaves that to the run."""
        books = deal.books
        told = books.told()
        try:
            at = self.ledger.now(books.organization, *told)
            receipt = self.ledger.save(*told, seen=deal.seen, because=self.command, at=at)
        except AlreadyRecorded as again:
            return again.receipt.again()  # by another process with the same command, which takes the hold
        see_books_through(self.ledger, self.till, books, causation_id=self.command.command_id)
        return receipt

    def let_go(self, payment: Payment, reason: ReleaseReason) -> None:
        """Nothing stays held for what does not come about."""
        if self.ledger.answer_of(self.command):
            raise VersionConflict("the same command was carried out meanwhile, and takes the hold", payment.id)
        method = self.ledger.payment_method(self.command.organization_id, payment.payment_method_id)
        try:
            self.till.gateway.release(handle_of(payment, method))
        except GatewayUnavailable:
            raise PaymentOutcomeUnknown(payment_id=payment.id) from None
        payment.release(reason)
        self.save(payment)

    def save(self, payment: Payment, seen: Sequence[Aggregate] = ()) -> None:
        """Records what became of the payment, as a step of the command; nothing when nothing did."""
        if payment.pending_events:
            step = step_of(self.number, payment.version)
            try:
                self.ledger.save(payment, seen=seen, because=self.command, at=self.ledger.now(payment), step=step)
            except AlreadyRecorded:
                # Somebody carries out the same command at the same time: go on from what they have recorded.
                raise VersionConflict("the same command was taken further meanwhile", payment.id) from None
