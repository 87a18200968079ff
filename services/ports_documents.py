"""Documents as they are shown to people: an invoice with its credit notes, ready to be typeset."""

from datetime import date
from typing import Literal, Protocol
from uuid import UUID

from domain.kernel import Value

InvoiceState = Literal["open", "paid", "past_due", "uncollectible"]


class ShownLine(Value):
    """A line of an invoice or credit note; `amount_minor` is negative on a credit note."""

    number: int
    what: str  # "Power BI Pro, renewal"
    service_from: date
    service_until: date  # the last day
    days: int
    cycle_days: int
    quantity: int
    unit_price_minor: int
    amount_minor: int


class ShownCreditNote(Value):
    number: str
    issued_on: date
    reason: str
    lines: tuple[ShownLine, ...]
    net_minor: int  # negative, like all amounts of a credit note
    tax_minor: int
    total_minor: int


class ShownPayment(Value):
    """A movement of money on the invoice: what came in is positive."""

    on: date
    what: str  # "Visa ending in 4242", "refund to Visa ending in 4242", "from the credit balance"
    amount_minor: int


class ShownInvoice(Value):
    """Everything that stands on an invoice. Names are what the personal facts say now; erased ones read `[erased]`."""

    invoice_id: UUID
    number: str
    state: InvoiceState
    issued_on: date
    due_on: date
    seller: tuple[str, ...]  # name and address, a line each
    bill_to: tuple[str, ...]
    bill_to_country: str
    buyer_tax_id: str | None
    po_number: str | None
    billing_profile_id: UUID
    currency: str
    currency_exponent: int
    lines: tuple[ShownLine, ...]
    net_minor: int
    tax_name: str  # "VAT"; empty where there is none
    tax_rate_ppm: int
    tax_minor: int
    total_minor: int
    credit_notes: tuple[ShownCreditNote, ...]
    payments: tuple[ShownPayment, ...]
    paid_minor: int
    credited_minor: int
    due_minor: int


class Typesetter(Protocol):
    """Makes pages."""

    def invoice(self, shown: ShownInvoice) -> bytes:
        """The invoice with its credit notes as a PDF: the same bytes for the same content."""
