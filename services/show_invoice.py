"""Show an invoice: its lines, credit notes and payments, as a document ready to be typeset."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from domain.calendar import utc_date
from domain.envelope import RecordedEvent
from domain.invoice import CreditReason, Invoice
from domain.invoice_line import CreditLine, InvoiceLine, LineKind
from domain.kernel import Value, replay
from domain.refusals import NotFound
from services.bill_to_shown import bill_to_shown
from services.command import Actor
from services.ledger import Ledger
from services.may import may, standing_seen
from services.ports import Directory
from services.ports_documents import ShownCreditNote, ShownInvoice, ShownLine, ShownPayment
from services.show_billing_profile import refuse_unseen


class ShowInvoice(Value):
    """`seller` is who sells, name and address, a line each."""

    organization_id: UUID
    actor: Actor
    invoice_id: UUID
    seller: tuple[str, ...] = ()


WHAT: dict[LineKind, str] = {
    "purchase": "purchase",
    "increase": "added licenses",
    "renewal": "renewal",
    "cycle": "next billing period",
}
WHY: dict[CreditReason, str] = {
    "licenses_removed": "licenses removed",
    "cancelled": "cancelled",
    "grace_ended": "not paid in time: unused days",
}
TAKES = (Invoice.RefundCounted, Invoice.MovedToCreditBalance, Invoice.PaymentDisputed)
WORDS: dict[type, str] = {
    Invoice.PaymentReceived: "{card}",
    Invoice.RefundCounted: "refund to {card}",
    Invoice.RefundReversed: "refund to {card} failed",
    Invoice.PaymentDisputed: "disputed: {card}",
    Invoice.DisputeClosed: "dispute won: {card}",
}
BRANDS = {"amex": "American Express", "diners": "Diners Club", "jcb": "JCB", "unionpay": "UnionPay"}


def show_invoice(ledger: Ledger, directory: Directory, query: ShowInvoice) -> ShownInvoice:
    """From history itself: an invoice on whose profile a purchaser has no role does not exist for them."""
    standing_seen(ledger, query)
    may(query.actor, "see invoices")
    recorded = ledger.history.load_events(query.organization_id, query.invoice_id)
    told: list[Any] = [ledger.mapper.to_domain_event(event) for event in recorded]
    invoice = replay(told)
    if not isinstance(invoice, Invoice):
        raise NotFound(what="invoice", key=query.invoice_id)
    profile = ledger.billing_profile(query.organization_id, invoice.billing_profile_id)
    refuse_unseen(profile, query, what="invoice", key=invoice.id)
    issued: Invoice.InvoiceIssued = told[0]
    billed = bill_to_shown(directory, query.organization_id, issued.bill_to, query.actor)
    notes = [event for event in told if isinstance(event, Invoice.CreditNoteIssued)]
    return ShownInvoice(
        invoice_id=invoice.id,
        number=invoice.number,
        state=invoice.status,
        issued_on=invoice.issued_on,
        due_on=invoice.due_on,
        seller=query.seller,
        bill_to=billed.lines,
        bill_to_country=issued.bill_to.country,
        buyer_tax_id=billed.tax_id,
        po_number=issued.po_number,
        billing_profile_id=invoice.billing_profile_id,
        currency=invoice.currency,
        currency_exponent=invoice.currency_exponent,
        lines=tuple(line_shown(line) for line in invoice.lines),
        net_minor=invoice.net_minor,
        tax_name=invoice.tax_rate.name,
        tax_rate_ppm=invoice.tax_rate.rate_ppm,
        tax_minor=invoice.tax_minor,
        total_minor=invoice.total_minor,
        credit_notes=tuple(credit_note_shown(invoice, note) for note in notes),
        payments=tuple(Movements(ledger, query.organization_id).shown(recorded, told)),
        paid_minor=invoice.paid_minor,
        credited_minor=invoice.credited_minor,
        due_minor=invoice.due_minor,
    )


def line_shown(line: InvoiceLine) -> ShownLine:
    return ShownLine(
        number=line.number,
        what=f"{line.product_name}, {WHAT[line.kind]}",
        service_from=line.period.start,
        service_until=line.period.ends_on,
        days=line.days,
        cycle_days=line.cycle_days,
        quantity=line.quantity,
        unit_price_minor=line.unit_price_minor,
        amount_minor=line.amount_minor,
    )


def credit_note_shown(invoice: Invoice, note: Invoice.CreditNoteIssued) -> ShownCreditNote:
    lines = [credit_shown(number, invoice.line(one.line), one) for number, one in enumerate(note.lines, start=1)]
    return ShownCreditNote(
        number=note.number,
        issued_on=note.issued_on,
        reason=WHY[note.reason],
        lines=tuple(lines),
        net_minor=-note.net_minor,
        tax_minor=-note.tax_minor,
        total_minor=-note.total_minor,
    )


def credit_shown(number: int, line: InvoiceLine, credit: CreditLine) -> ShownLine:
    """Licenses taken back, for the last days of what they were charged for."""
    removed = credit.quantity_before - credit.quantity
    return ShownLine(
        number=number,
        what=f"{line.product_name}, {removed} {'license' if removed == 1 else 'licenses'} taken back",
        service_from=min(line.period.end - timedelta(days=credit.days), line.period.ends_on),
        service_until=line.period.ends_on,
        days=credit.days,
        cycle_days=line.cycle_days,
        quantity=removed,
        unit_price_minor=line.unit_price_minor,
        amount_minor=-credit.amount_minor,
    )


class Movements:
    """The movements of money on an invoice; they add up to what is paid."""

    def __init__(self, ledger: Ledger, organization_id: UUID) -> None:
        self.ledger, self.organization_id = ledger, organization_id
        self.cards: dict[UUID, str] = {}  # by payment

    def shown(self, recorded: Sequence[RecordedEvent], told: Sequence[Any]) -> Iterator[ShownPayment]:
        for stored, event in zip(recorded, told, strict=True):
            if what := self.what(event):
                sign = -1 if isinstance(event, TAKES) else 1
                on = utc_date(stored.envelope.occurred_at)
                yield ShownPayment(on=on, what=what, amount_minor=sign * event.amount_minor)

    def what(self, event: Any) -> str | None:
        match event:
            case Invoice.CreditBalanceApplied():
                return "from the credit balance"
            case Invoice.MovedToCreditBalance():
                return "to the credit balance"
            case Invoice.DisputeClosed(outcome="lost"):
                return None
            case _ if words := WORDS.get(type(event)):
                return words.format(card=self.card(event.payment_id))
            case _:
                return None

    def card(self, payment_id: UUID) -> str:
        """The card that was charged: a payment is captured once, and never with another one after that."""
        if payment_id not in self.cards:
            payment = self.ledger.payment(self.organization_id, payment_id)
            card = self.ledger.payment_method(self.organization_id, payment.payment_method_id).card
            self.cards[payment_id] = f"{BRANDS.get(card.brand, card.brand.capitalize())} ending in {card.last4}"
        return self.cards[payment_id]
