"""Pay an open invoice now, with the profile's card or another one of the payer's."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from domain.invoice import Invoice
from domain.kernel import Aggregate
from domain.payment import Payment
from domain.refusals import NotFound, NothingDue, PaymentActionRequired, PaymentDeclined, PaymentOutcomeUnknown
from services.billing import charge_for, start_collection
from services.books import Books
from services.charging import charge_open_payments, handle_of
from services.command import Command
from services.ledger import Ledger
from services.life_cycle import see_books_through
from services.ports import AlreadyRecorded, Receipt, VersionConflict
from services.ports_payments import GatewayUnavailable
from services.profile import AtHand, profile_of
from services.till import Till

INTENT = "intent"


class PayInvoice(Command):
    invoice_id: UUID
    payment_method_id: UUID | None = None


def pay_invoice(ledger: Ledger, command: PayInvoice, till: Till) -> Receipt:
    """Possible in every state of the subscription; who was in grace recovers."""
    return ledger.carry_out(command, lambda: _pay(ledger, command, till))


def _pay(ledger: Ledger, command: PayInvoice, till: Till) -> Receipt:
    if receipt := ledger.answer_of(command):
        return receipt
    at_hand = at_hand_of(ledger, till, command)
    books, at = at_hand.books, at_hand.at
    invoice = books.invoice(command.invoice_id)
    started = ledger.answer_of(command, INTENT)
    refuse_under_way(books, till, books.payments.get(invoice.collected_by) if invoice.collected_by else None)
    if started and paid_by(ledger, command, started, invoice):
        return save(ledger, command, [], at)  # a crash came between, and the run has seen it through
    charge, allocation = charge_for(books, till, invoice)
    if not charge:
        raise NothingDue(number=invoice.number, due_minor=invoice.due_minor)
    method_id = command.payment_method_id or books.profile.payment_method_id
    if command.payment_method_id:
        books.method(method_id).refuse_stranger(command.actor.id)
    books.method(method_id).refuse_when_removed()
    payment = start_collection(books, invoice, charge, allocation, at=at, on_session=True, payment_method_id=method_id)
    books.profile.reopen(invoice.id)
    step = INTENT if started is None else f"{INTENT}:{payment.id}:{payment.attempt}"
    save(ledger, command, books.told(), at, seen=at_hand.seen, step=step)
    charge_open_payments(books, till, at, set())
    done = payment.status == "captured"
    step = "" if done else f"outcome:{payment.id}:{payment.version}"
    receipt = save(ledger, command, books.told(), at, step=step)
    if not done:
        refuse_outcome(books, till, payment)
    see_books_through(ledger, till, books, causation_id=command.command_id)
    return receipt


def at_hand_of(ledger: Ledger, till: Till, command: PayInvoice) -> AtHand:
    """The profile that the invoice belongs to: without a role on it, there is no such invoice."""
    found = ledger.invoice(command.organization_id, command.invoice_id)
    try:
        return profile_of(ledger, till, command, found.billing_profile_id, action="pay invoices", act="pay")
    except NotFound as refusal:
        if refusal.facts["what"] == "billing profile":
            raise NotFound(what="invoice", key=found.id) from None
        raise


def paid_by(ledger: Ledger, command: PayInvoice, started: Receipt, invoice: Invoice) -> bool:
    """Whether what the command started has paid the invoice: what is due later is for another command."""
    told = ledger.told(command.organization_id, started)
    return any(isinstance(one, Invoice.CollectionStarted) and one.payment_id in invoice.received for one in told)


def save(
    ledger: Ledger,
    command: PayInvoice,
    told: Sequence[Aggregate],
    at: datetime,
    *,
    seen: Sequence[Aggregate] = (),
    step: str = "",
) -> Receipt:
    """Records a step; where somebody carries out the same command at the same time, goes on from what they have."""
    try:
        return ledger.save(*told, seen=seen, because=command, at=at, step=step)
    except AlreadyRecorded:
        raise VersionConflict("the same command was taken further meanwhile", command.invoice_id) from None


def refuse_under_way(books: Books, till: Till, payment: Payment | None) -> None:
    """A payment of the invoice waits for its payer or for the provider's answer."""
    if payment is not None and payment.is_open:
        refuse_outcome(books, till, payment)


def refuse_outcome(books: Books, till: Till, payment: Payment) -> None:
    """Why the payment was not captured."""
    if payment.status == "action_required":
        method = books.method(payment.payment_method_id)
        try:
            found = till.gateway.find(handle_of(payment, method))
        except GatewayUnavailable:
            found = None
        raise PaymentActionRequired(payment_id=payment.id, url=found.action_url if found else None)
    if payment.is_open:
        raise PaymentOutcomeUnknown(payment_id=payment.id)
    raise PaymentDeclined(payment_id=payment.id, why=payment.declined_because or "declined")
