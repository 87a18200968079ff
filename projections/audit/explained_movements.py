"""What moved on an invoice: money that came, went back or was taken back, and what was due after each step."""

from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

from domain.envelope import RecordedEvent
from domain.invoice import Invoice
from domain.payment import Payment
from projections.audit.explained import Movement, Term, cause_of

PAID, CREDITED, REFUNDED = "payments", "credit notes", "refunds, less those that failed"
DISPUTED, USED, MOVED = "disputed, open or lost", "credit balance used", "moved to the credit balance"

# What it is, the sum that it counts in, and how it changes what is due.
OF_INVOICE: dict[type, tuple[str, str, int]] = {
    Invoice.CreditBalanceApplied: ("credit balance used", USED, -1),
    Invoice.PaymentReceived: ("payment received", PAID, -1),
    Invoice.CollectionFailed: ("charge failed", PAID, 0),
    Invoice.CollectionDeferred: ("too small to be charged alone", PAID, 0),
    Invoice.CreditNoteIssued: ("credit note", CREDITED, -1),
    Invoice.RefundCounted: ("refund requested", REFUNDED, +1),
    Invoice.RefundReversed: ("refund failed", REFUNDED, -1),
    Invoice.MovedToCreditBalance: ("moved to the credit balance", MOVED, +1),
    Invoice.PaymentDisputed: ("disputed", DISPUTED, +1),
    Invoice.InvoiceWrittenOff: ("given up", PAID, 0),
}
OF_PAYMENT: dict[type, str] = {
    Payment.PaymentRequested: "payment requested",
    Payment.PaymentTriedAgain: "payment tried again",
    Payment.PaymentAuthorized: "amount held",
    Payment.PaymentDeclined: "payment declined",
    Payment.PaymentActionRequired: "payer asked to confirm",
    Payment.PaymentOutcomeUnknown: "no answer from the provider",
    Payment.AuthorizationReleased: "hold let go of",
    Payment.RefundSucceeded: "refund succeeded",
}
ORDER = (CREDITED, PAID, REFUNDED, DISPUTED, USED, MOVED)


def movements_of(invoice_id: UUID, total_minor: int, told: Sequence[tuple[RecordedEvent, Any]]) -> Iterator[Movement]:
    """Oldest first, each with what is due after it."""
    due = total_minor
    for event, fact in told:
        found = of_invoice(fact) if event.originator_id == invoice_id else of_payment(fact, invoice_id)
        if found is None:
            continue
        what, amount, change = found
        due += change
        yield Movement(
            what=what,
            amount_minor=amount,
            changes_due_by=change,
            due_minor=due,
            code=getattr(fact, "code", None),
            payment_id=event.originator_id if type(fact) in OF_PAYMENT else getattr(fact, "payment_id", None),
            refund_id=getattr(fact, "refund_id", None),
            dispute_id=getattr(fact, "dispute_id", None),
            cause=cause_of(event),
        )


def of_invoice(fact: Any) -> tuple[str, int, int] | None:
    """What it is, its amount, and how it changes what is due."""
    if isinstance(fact, Invoice.DisputeClosed):
        return f"dispute {fact.outcome}", fact.amount_minor, -fact.amount_minor * (fact.outcome == "won")
    if type(fact) not in OF_INVOICE:
        return None
    what, _, sign = OF_INVOICE[type(fact)]
    amount = fact.total_minor if isinstance(fact, Invoice.CreditNoteIssued) else getattr(fact, "amount_minor", None)
    return what, fact.due_minor if amount is None else amount, sign * (amount or 0)


def of_payment(fact: Any, invoice_id: UUID) -> tuple[str, int, int] | None:
    """The steps of a payment that the invoice does not tell itself."""
    if type(fact) not in OF_PAYMENT or getattr(fact, "invoice_id", invoice_id) != invoice_id:
        return None
    return OF_PAYMENT[type(fact)], fact.amount_minor, 0


def sums_of(total_minor: int, movements: Sequence[Movement]) -> tuple[Term, ...]:
    """The total and everything that changed it into what is due."""
    sums = dict.fromkeys(ORDER, 0)
    of_words = {what: of for what, of, _ in OF_INVOICE.values()} | {"dispute won": DISPUTED}
    for movement in movements:
        if movement.changes_due_by:
            sums[of_words[movement.what]] += movement.changes_due_by
    return (
        Term(what="total", amount_minor=total_minor),
        *(Term(what=what, amount_minor=amount) for what, amount in sums.items() if amount),
    )
