"""Pay an open invoice now, with the profile's card or another one of the payer's."""

from uuid import UUID

from domain.payment import Payment
from domain.refusals import NotFound, NothingDue, PaymentActionRequired, PaymentDeclined, PaymentOutcomeUnknown
from services.billing import charge_for, start_collection
from services.books import Books
from services.charging import charge_open_payments, handle_of
from services.command import Command
from services.ledger import Ledger
from services.life_cycle import see_books_through
from services.ports import Receipt
from services.ports_payments import GatewayUnavailable
from services.profile import profile_of
from services.till import Till

INTENT = "intent"


class PayInvoice(Command):
    invoice_id: UUID
    payment_method_id: UUID | None = None


def pay_invoice(ledger: Ledger, command: PayInvoice, till: Till) -> Receipt:
    """Possible in every state of the subscription; who was in grace recovers."""
    return ledger.until_saved(command.organization_id, lambda: _pay(ledger, command, till))


def _pay(ledger: Ledger, command: PayInvoice, till: Till) -> Receipt:
    if receipt := ledger.answer_of(command):
        return receipt
    started = ledger.answer_of(command, INTENT)
    found = ledger.invoice(command.organization_id, command.invoice_id)
    at_hand = profile_of(ledger, till, command, found.billing_profile_id, action="pay invoices", act="pay")
    books, at = at_hand.books, at_hand.at
    invoice = books.invoice(command.invoice_id)
    refuse_under_way(books, till, books.payments.get(invoice.collected_by) if invoice.collected_by else None)
    charge, allocation = charge_for(books, till, invoice)
    if not charge:
        if started:
            return started  # a crash came between, and the run has seen it through
        raise NothingDue(number=invoice.number, due_minor=invoice.due_minor)
    method_id = command.payment_method_id or books.profile.payment_method_id
    if command.payment_method_id and books.method(method_id).owner_id != command.actor.id:
        raise NotFound(what="payment method", key=method_id)
    books.method(method_id).refuse_when_removed()
    payment = start_collection(books, invoice, charge, allocation, at=at, on_session=True, payment_method_id=method_id)
    books.profile.reopen(invoice.id)
    step = INTENT if started is None else f"{INTENT}:{payment.id}:{payment.attempt}"
    ledger.save(*books.told(), seen=at_hand.seen, because=command, at=at, step=step)
    charge_open_payments(books, till, at, set())
    done = payment.status == "captured"
    step = "" if done else f"outcome:{payment.id}:{payment.version}"
    receipt = ledger.save(*books.told(), because=command, at=at, step=step)
    if not done:
        refuse_outcome(books, till, payment)
    see_books_through(ledger, till, books, causation_id=command.command_id)
    return receipt


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
