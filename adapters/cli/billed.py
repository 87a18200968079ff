"""What a command billed, charged and gave back: from what it told, as sentences and as numbers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from uuid import UUID

from adapters.catalog.currency import in_major, money
from adapters.cli.call import Call
from domain.invoice import Invoice
from domain.payment import Payment

BRANDS = {"visa": "Visa", "mastercard": "Mastercard", "amex": "American Express"}


def card_named(brand: str, last4: str) -> str:
    """Visa ending in 4242."""
    return f"{BRANDS.get(brand, brand)} ending in {last4}"


class Billed:
    """The money in the events of one command."""

    def __init__(self, call: Call, told: Sequence[Any]) -> None:
        self.call, self.told = call, told
        self.issued = [event for event in told if isinstance(event, Invoice.InvoiceIssued)]
        self.notes = [event for event in told if isinstance(event, Invoice.CreditNoteIssued)]
        self.refunds = [event for event in told if isinstance(event, Payment.RefundRequested)]
        self.moved = [event for event in told if isinstance(event, Invoice.MovedToCreditBalance)]
        self.charges = [e for e in told if isinstance(e, Payment.PaymentAuthorized | Payment.PaymentCaptured)]

    @property
    def data(self) -> dict[str, Any]:
        """The numbers, for --json; empty where no money was concerned."""
        if not (self.issued or self.notes or self.charges):
            return {}
        return {
            "invoices": [
                {"invoice_id": one.originator_id, "number": one.number, **self.in_both("total", one.total_minor)}
                for one in self.issued
            ],
            "charges": [
                {"payment_id": payment_id, "card": card, **self.in_both("amount", minor)}
                for payment_id, card, minor in self.charged()
            ],
            "credit_notes": [
                {
                    "credit_note_id": one.credit_note_id,
                    "invoice_id": one.originator_id,
                    "number": one.number,
                    **self.in_both("total", one.total_minor),
                }
                for one in self.notes
            ],
            "refunds": [
                {
                    "refund_id": one.refund_id,
                    "payment_id": one.originator_id,
                    "invoice_id": one.invoice_id,
                    "card": self.card_of(one.originator_id),
                    **self.in_both("amount", one.amount_minor),
                }
                for one in self.refunds
            ],
            **self.in_both("refunded", sum(one.amount_minor for one in self.refunds)),
            **self.in_both("to_balance", sum(one.amount_minor for one in self.moved)),
            **self.in_both("still_due", sum(due for _, due in self.still_due())),
        }

    @property
    def lines(self) -> list[str]:
        """The same for people."""
        said = [f"invoice {one.number} over {self.money(one.total_minor)}" for one in self.issued]
        said += [f"charged {self.money(minor)} to {card}" for _, card, minor in self.charged()]
        said += [f"credit note {one.number} over {self.money(one.total_minor)}" for one in self.notes]
        said += [f"{self.money(one.amount_minor)} go back to {self.card_of(one.originator_id)}" for one in self.refunds]
        said += [f"{self.money(one.amount_minor)} kept as credit for the next invoice" for one in self.moved]
        said += [f"still due on invoice {number}: {self.money(due)}" for number, due in self.still_due()]
        if self.notes and not (self.refunds or self.moved):
            said.append("nothing is refunded, for nothing was paid that is not owed")
        return said

    def charged(self) -> Iterator[tuple[UUID, str, int]]:
        """Each payment once, whether it was held or taken when this was told."""
        for payment_id, minor in {event.originator_id: event.amount_minor for event in self.charges}.items():
            yield payment_id, self.card_of(payment_id), minor

    def still_due(self) -> Iterator[tuple[str, int]]:
        """What is left to be paid of the invoices that were amended."""
        amended = dict.fromkeys(note.originator_id for note in self.notes)
        for invoice_id in amended:
            dues = [e.due_minor for e in self.told if e.originator_id == invoice_id and hasattr(e, "due_minor")]
            if dues and dues[-1] > 0:
                yield self.call.house.ledger.invoice(self.call.organization_id, invoice_id).number, dues[-1]

    def card_of(self, payment_id: UUID) -> str:
        ledger, organization_id = self.call.house.ledger, self.call.organization_id
        payment = ledger.payment(organization_id, payment_id)
        card = ledger.payment_method(organization_id, payment.payment_method_id).card
        return card_named(card.brand, card.last4)

    @property
    def currency(self) -> str:
        return self.call.organization.currency

    def money(self, minor: int) -> str:
        return money(minor, self.currency, self.call.organization.currency_exponent)

    def in_both(self, name: str, minor: int) -> dict[str, Any]:
        exponent = self.call.organization.currency_exponent
        return {f"{name}_minor": minor, name: in_major(minor, exponent).replace(",", "")}


def past_due_after(call: Call, billing_profile_ids: Iterable[UUID]) -> tuple[list[str], list[dict[str, Any]]]:
    """What is past due on profiles once a card was edited or replaced: it was tried again."""
    ledger, organization = call.house.ledger, call.organization
    found = [
        invoice
        for profile_id in billing_profile_ids
        for invoice_id in ledger.billing_profile(call.organization_id, profile_id).open_invoices
        if (invoice := ledger.invoice(call.organization_id, invoice_id)).status == "past_due"
    ]
    lines = [
        f"still past due: {money(one.due_minor, one.currency, one.currency_exponent)} on invoice {one.number}"
        + (f"; tried again on {one.retry_on}" if one.retry_on else "")
        for one in found
    ]
    data = [
        {
            "invoice_id": one.id,
            "number": one.number,
            "due_minor": one.due_minor,
            "due": in_major(one.due_minor, organization.currency_exponent).replace(",", ""),
            "retry_on": one.retry_on,
        }
        for one in found
    ]
    return lines, data
