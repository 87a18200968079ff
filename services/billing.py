"""Billing: how documents come about in the books, and what they make due. It tells, and neither saves nor charges."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID, uuid5

from domain.calendar import utc_date
from domain.crediting import credits_for
from domain.invoice import CreditReason, Invoice, InvoiceReason
from domain.invoice_line import InvoiceLine
from domain.license_pool import Batch
from domain.payment import Allocation, Payment
from domain.refusals import QuoteChanged
from domain.subscription import Subscription
from services.books import Books
from services.ledger import recorded_version
from services.till import Till


class Bill(NamedTuple):
    """An issued invoice and what is to be charged now: nothing where it is settled, or too small to be charged."""

    invoice: Invoice
    charge_minor: int
    allocation: tuple[Allocation, ...]  # oldest invoice first; this one is the last

    @property
    def priced(self) -> dict[str, Any]:
        """What the amount of a purchase or an increase rests on, for the intent to pay it."""
        [line], invoice = self.invoice.lines, self.invoice
        return {"period": line.period, "cycle_days": line.cycle_days, "tax_rate": invoice.tax_rate}


class GivenBack(NamedTuple):
    """The credit notes of licenses that were taken back, and what they come to, tax included."""

    credit_note_ids: tuple[UUID, ...]
    total_minor: int


def issue(
    books: Books,
    till: Till,
    *,
    invoice_id: UUID,
    reason: InvoiceReason,
    lines: Sequence[InvoiceLine],
    due_on: date,
    at: datetime,
) -> Bill:
    """Numbers and issues an invoice, uses the credit balance for it, and says what its charge collects."""
    profile = books.profile
    settled = tuple(invoice.id for invoice in books.open_invoices if invoice.wants_nothing)
    invoice = Invoice.issue(
        id=invoice_id,
        lines=lines,
        tax_rate=till.tax_rates.rate(profile.bill_to.country, due_on),
        billing_profile_id=profile.id,
        number=profile.number_invoice(invoice_id, settled=settled),
        reason=reason,
        issued_on=utc_date(at),
        due_on=due_on,
        bill_to=profile.bill_to,
        po_number=profile.po_number,
        currency=profile.currency,
        currency_exponent=profile.currency_exponent,
    )
    books.invoices[invoice_id] = invoice
    applied = min(profile.balance_minor, invoice.total_minor)
    profile.use_balance(applied, invoice_id=invoice_id)
    invoice.apply_balance(applied)
    return Bill(invoice, *charge_for(books, till, invoice))


def charge_for(books: Books, till: Till, invoice: Invoice) -> tuple[int, tuple[Allocation, ...]]:
    """What is charged for an invoice now, with the small amounts that waited for it; floored to what can be moved."""
    if invoice.due_minor <= 0:
        return 0, ()
    waiting = [other for other in books.open_invoices if other is not invoice and waits(other)]
    total = invoice.due_minor + sum(other.due_minor for other in waiting)
    charge = left = till.gateway.limits(invoice.currency).floored(total)
    allocation = []
    for one in (*waiting, invoice):
        part = min(left, one.due_minor)
        left -= part
        if part:
            allocation.append(Allocation(invoice_id=one.id, amount_minor=part))
    return charge, tuple(allocation)


def waits(invoice: Invoice) -> bool:
    """Whether an invoice is open because it was too small to be charged alone."""
    return invoice.status == "open" and invoice.collected_by is None and invoice.due_minor > 0 and not invoice.disputed


def start_collection(
    books: Books,
    invoice: Invoice,
    charge_minor: int,
    allocation: tuple[Allocation, ...],
    *,
    at: datetime,
    on_session: bool = False,
    payment_method_id: UUID | None = None,
) -> Payment:
    """Requests the payment of an issued invoice: the intent, which is recorded before the provider hears of it."""
    payment_id = uuid5(invoice.id, f"payment:{invoice.payments}")
    method_id = payment_method_id or books.profile.payment_method_id
    facts = {
        "payment_method_id": method_id,
        "amount_minor": charge_minor,
        "allocation": allocation,
        "on_session": on_session,
        "intent": None,
        "requested_at": at,
    }
    books.method(method_id)
    payment = books.payments.get(payment_id)
    if payment is None and recorded_version(invoice)[1]:  # one that was issued just now was never collected
        payment = books.ledger.find(Payment, books.organization_id, payment_id)
    if payment is None:
        payment = Payment.request(
            id=payment_id, billing_profile_id=books.profile.id, currency=invoice.currency, **facts
        )
    else:
        payment.try_again(currency=invoice.currency, **facts)
    books.payments[payment_id] = payment
    books.fresh.add(payment_id)
    claim(books, payment)
    return payment


def collect_past_due(books: Books, till: Till, *, at: datetime) -> None:
    """Requests the payment of what is past due, oldest first: it is told together with the change of the card."""
    for invoice in books.open_invoices:
        if invoice.status == "past_due" and invoice.retry_on and not invoice.collected_by:
            charge, allocation = charge_for(books, till, invoice)
            if charge:
                start_collection(books, invoice, charge, allocation, at=at)


def claim(books: Books, payment: Payment) -> None:
    """Marks the invoices of a payment as being collected, so that no other payment collects them."""
    for part in payment.allocation:
        books.invoice(part.invoice_id).start_collection(payment.id, part.amount_minor)


def give_back(
    books: Books,
    till: Till,
    subscription: Subscription,
    taken: Sequence[tuple[Batch, int]],
    *,
    reason: CreditReason,
    at: datetime,
) -> GivenBack:
    """Credits licenses that are taken back, with a credit note for each invoice that it amends, and refunds them."""
    organization, product_id = books.organization, subscription.product.product_id
    charges = books.pools[subscription.id].charges
    invoices = {charge.invoice_id: books.invoice(charge.invoice_id) for charge in charges}
    in_full = organization.may_give_full_credit(product_id, at)
    credits_of = credits_for(taken, charges, invoices, at, in_full=in_full)
    if credits_of.more_than_unused:
        organization.give_full_credit(product_id, subscription_id=subscription.id, at=at)
    notes, total = [], 0
    for invoice_id, removals in credits_of.removals.items():
        invoice = invoices[invoice_id]
        note_id = uuid5(invoice_id, f"credit_note:{invoice.version}")
        before = invoice.credited_minor
        invoice.credit(
            removals,
            credit_note_id=note_id,
            number=books.profile_of(invoice).number_credit_note(note_id, invoice_id),
            reason=reason,
            issued_on=utc_date(at),
        )
        notes.append(note_id)
        total += invoice.credited_minor - before
        settle(books, till, invoice)
    return GivenBack(tuple(notes), total)


def settle(books: Books, till: Till, invoice: Invoice) -> None:
    """Gives back what is owed on an invoice: to its captures, newest first, and what they cannot take to the balance.

    Who was in grace for it recovers when nothing is due any more that could be charged.
    """
    limits = till.gateway.limits(invoice.currency)
    if invoice.due_minor > 0 and not limits.floored(invoice.due_minor):
        invoice.defer_collection()
    if invoice.due_minor <= 0 or waits(invoice):
        for subscription in books.owners_of(invoice):
            subscription.recover(invoice.id)
    if invoice.due_minor >= 0:
        return
    for payment_id in reversed(invoice.received):
        payment = books.payment(payment_id)
        books.method(payment.payment_method_id)
        refund = limits.floored_refund(min(-invoice.due_minor, payment.refundable_minor, left_of(invoice, payment_id)))
        if refund > 0:
            refund_id = uuid5(invoice.id, f"refund:{invoice.version}")
            payment.request_refund(refund_id, invoice_id=invoice.id, amount_minor=refund)
            invoice.count_refund(payment_id, refund_id, refund)
            books.fresh.add(refund_id)
    move_to_balance(books, invoice, -invoice.due_minor, "not_refundable")


def refuse_other_amount(expected_minor: int | None, actual_minor: int, currency: str) -> None:
    """The caller agreed to another amount than it comes to."""
    if expected_minor is not None and expected_minor != actual_minor:
        raise QuoteChanged(expected_minor=expected_minor, actual_minor=actual_minor, currency=currency)


def left_of(invoice: Invoice, payment_id: UUID) -> int:
    """What of a payment's part for this invoice was neither given back nor disputed."""
    claims = (*invoice.refunded.values(), *invoice.disputed.values())
    return invoice.received[payment_id] - sum(one.amount_minor for one in claims if one.payment_id == payment_id)


def move_to_balance(books: Books, invoice: Invoice, amount_minor: int, reason: str) -> None:
    """What cannot go back to a card is kept for the profile's next invoice."""
    invoice.move_to_balance(amount_minor)
    books.profile_of(invoice).increase_balance(amount_minor, invoice_id=invoice.id, reason=reason)  # type: ignore[arg-type]
