"""Charging: carries out what the books request of the provider, and tells what has become of it.

A request that was recorded just now is sent; of any other the provider is asked first, for it may have been sent
before a crash: providers forget their keys after a day, and sending again would charge twice.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from uuid import UUID

from domain.calendar import utc_date
from domain.invoice import Invoice
from domain.payment import Payment
from domain.payment_method import PaymentMethod
from services.billing import move_to_balance, settle
from services.books import Books
from services.ports_payments import ChargeRequest, GatewayUnavailable, PaymentHandle, ProviderPayment, ProviderRefund
from services.till import Till

DESCRIPTION = "license subscriptions"
CONFIRMATION = timedelta(days=1)  # how long a payer has to confirm a payment


def handle_of(payment: Payment, method: PaymentMethod) -> PaymentHandle:
    """Which attempt of which payment, for the provider."""
    return PaymentHandle(payment.id, payment.attempt, method.card.token, payment.requested_at, payment.reference)


def request_of(books: Books, payment: Payment) -> ChargeRequest:
    handle = handle_of(payment, books.method(payment.payment_method_id))
    return ChargeRequest(handle, payment.amount_minor, payment.currency, payment.on_session, DESCRIPTION)


def charge_open_payments(books: Books, till: Till, at: datetime, asked: set[UUID]) -> None:
    """Charges the payments that are requested for issued invoices, or learns what has become of them.

    Each at most once for `asked`, and none before its request is recorded.
    """
    for payment in list(books.payments.values()):
        if payment.id in asked or payment.pending_events or not (payment.is_open and claimed(books, payment)):
            continue
        asked.add(payment.id)
        try:
            answer = charged(books, till, payment, at)
        except GatewayUnavailable:
            payment.lose_sight()
        else:
            take_answer(books, till, payment, answer, at)
        books.fresh.discard(payment.id)


def claimed(books: Books, payment: Payment) -> bool:
    """Whether the payment is for issued invoices that wait for it."""
    invoices = (books.invoices.get(part.invoice_id) for part in payment.allocation)
    return any(invoice is not None and invoice.collected_by == payment.id for invoice in invoices)


def charged(books: Books, till: Till, payment: Payment, at: datetime) -> ProviderPayment:
    """The provider's answer to a charge, sent once. Who was asked to confirm it and did not has a day for it."""
    handle = handle_of(payment, books.method(payment.payment_method_id))
    if payment.id in books.fresh and payment.status == "authorized":
        return taken(till, handle, payment.amount_minor)
    known = None if payment.id in books.fresh else till.gateway.find(handle)
    if known is None:
        return till.gateway.charge(request_of(books, payment))
    handle = handle._replace(reference=known.reference)
    if known.state == "authorized":
        return taken(till, handle, payment.amount_minor)
    if known.state == "action_required" and at >= payment.requested_at + CONFIRMATION:
        return till.gateway.release(handle) or known
    return known


def taken(till: Till, handle: PaymentHandle, amount_minor: int) -> ProviderPayment:
    """The provider's answer to taking a hold; one that it does not let be taken is let go of."""
    answer = till.gateway.capture(handle, amount_minor)
    if answer.state == "declined":
        till.gateway.release(handle)  # the next attempt holds anew, and nobody would come back to this one
    return answer


def take_answer(books: Books, till: Till, payment: Payment, answer: ProviderPayment, at: datetime) -> None:
    """Tells what the provider answered: the invoices are paid, or they are past due."""
    match answer.state:
        case "captured":
            payment.capture(answer.reference)
            for part in payment.allocation:
                invoice = books.invoice(part.invoice_id)
                invoice.receive(payment.id, part.amount_minor)
                settle(books, till, invoice)
        case "action_required":
            payment.require_action(answer.reference)
        case _:
            payment.decline(answer.code or "declined")
            fail(books, till, payment, answer.code or "declined", at)


def fail(books: Books, till: Till, payment: Payment, code: str, at: datetime) -> None:
    """The invoice that was collected is past due; what could not be charged alone waits for the next charge."""
    limits = till.gateway.limits(payment.currency)
    for invoice in [books.invoice(part.invoice_id) for part in payment.allocation]:
        if limits.floored(invoice.due_minor):
            invoice.fail_collection(payment.id, code, utc_date(at))
            if invoice.status == "past_due" and not invoice.disputed:
                for subscription in books.owners_of(invoice):
                    subscription.fall_past_due(invoice.id)
        else:
            invoice.end_collection(payment.id)


def refund_open_refunds(books: Books, till: Till, asked: set[UUID]) -> None:
    """Sends the refunds that are requested, or learns what has become of them."""
    for payment in list(books.payments.values()):
        waiting = payment.open_refunds.keys() - asked
        if waiting and not payment.pending_events:
            asked |= waiting
            with suppress(GatewayUnavailable):  # they stay requested, and the next run asks
                refund(books, till, payment)


def refund(books: Books, till: Till, payment: Payment) -> None:
    handle = handle_of(payment, books.method(payment.payment_method_id))
    known: dict[UUID, ProviderRefund] = {}
    if payment.open_refunds.keys() - books.fresh:
        found = till.gateway.find(handle)
        known = {one.refund_id: one for one in found.refunds} if found else {}
    for refund_id, requested in payment.open_refunds.items():
        answer = known.get(refund_id) or till.gateway.refund(
            handle, refund_id, requested.amount_minor, payment.currency
        )
        books.fresh.discard(refund_id)
        take_refund(books, payment, answer)


def take_refund(books: Books, payment: Payment, answer: ProviderRefund) -> None:
    """Tells what became of a refund; one that failed goes to the credit balance."""
    if answer.state == "succeeded":
        payment.succeed_refund(answer.refund_id)
    elif answer.state == "failed" and payment.refunds[answer.refund_id].state != "failed":
        requested = payment.refunds[answer.refund_id]
        invoice = books.invoice(requested.invoice_id)
        payment.fail_refund(answer.refund_id, answer.code or "failed")
        invoice.reverse_refund(answer.refund_id)
        move_to_balance(books, invoice, requested.amount_minor, "refund_failed")


def take_disputes(books: Books, till: Till, payment: Payment, found: ProviderPayment) -> None:
    """Tells what banks have taken back, or returned; a dispute counts on the invoice that the payment was last for."""
    for dispute in found.disputes:
        invoice = disputed_invoice(books, payment, dispute.dispute_id)
        amount = min(dispute.amount_minor, payment.refundable_minor)
        if dispute.dispute_id not in payment.disputes and amount > 0:
            payment.dispute(dispute.dispute_id, invoice_id=invoice.id, amount_minor=amount)
            invoice.dispute(payment.id, dispute.dispute_id, amount)
            books.profile_of(invoice).reopen(invoice.id)
        if dispute.state != "open" and dispute.dispute_id in payment.disputes:
            standing = payment.disputes[dispute.dispute_id]
            payment.close_dispute(dispute.dispute_id, dispute.state)
            if standing.state == "open":
                invoice.close_dispute(dispute.dispute_id, dispute.state)
                settle(books, till, invoice)


def disputed_invoice(books: Books, payment: Payment, dispute_id: str) -> Invoice:
    standing = payment.disputes.get(dispute_id)
    return books.invoice(standing.invoice_id if standing else payment.allocation[-1].invoice_id)


def see_through(all_books: Sequence[Books], till: Till, at: datetime, save: Callable[[], None]) -> None:
    """Saves what the books tell, carries out what they request, and saves the outcome, until nothing new is told."""
    asked: set[UUID] = set()
    while True:
        if any(books.told() for books in all_books):
            save()
        before = len(asked)
        with till.gateway.together():
            for books in all_books:
                charge_open_payments(books, till, at, asked)
                refund_open_refunds(books, till, asked)
        if len(asked) == before:
            return
