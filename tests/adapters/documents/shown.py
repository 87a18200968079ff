"""Invoices as they are shown, for the tests of documents."""

import io
import re
from datetime import date
from typing import Any
from uuid import UUID

from pypdf import PdfReader

from services.ports_documents import ShownCreditNote, ShownInvoice, ShownLine, ShownPayment


def shown_line(number: int = 1, what: str = "Power BI Pro, renewal", amount_minor: int = 140_000) -> ShownLine:
    return ShownLine(
        number=number,
        what=what,
        service_from=date(2026, 11, 24),
        service_until=date(2026, 12, 23),
        days=12,
        cycle_days=30,
        quantity=100,
        unit_price_minor=1_400,
        amount_minor=amount_minor,
    )


CREDIT_NOTE = ShownCreditNote(
    number="CN-2026-000007",
    issued_on=date(2026, 12, 1),
    reason="5 licenses returned within seven days",
    lines=(shown_line(what="Power BI Pro, decrease by 5", amount_minor=-7_000),),
    net_minor=-7_000,
    tax_minor=-1_330,
    total_minor=-8_330,
)
PAYMENT = ShownPayment(on=date(2026, 11, 25), what="Visa ending in 4242", amount_minor=166_600)
REFUND = ShownPayment(on=date(2026, 12, 2), what="refund to Visa ending in 4242", amount_minor=-8_330)

CONTOSO: dict[str, Any] = {
    "invoice_id": UUID(int=5),
    "number": "INV-2026-000123",
    "state": "paid",
    "issued_on": date(2026, 11, 24),
    "due_on": date(2026, 12, 24),
    "seller": ("seatledger", "Beispielstraße 12", "10115 Berlin"),
    "bill_to": ("Contoso GmbH", "Königstraße 1"),
    "bill_to_country": "DE",
    "buyer_tax_id": "DE123456789",
    "po_number": "PO-0042",
    "billing_profile_id": UUID(int=9),
    "currency": "USD",
    "currency_exponent": 2,
    "lines": (shown_line(),),
    "net_minor": 140_000,
    "tax_name": "VAT",
    "tax_rate_ppm": 190_000,
    "tax_minor": 26_600,
    "total_minor": 166_600,
    "credit_notes": (CREDIT_NOTE,),
    "payments": (PAYMENT, REFUND),
    "paid_minor": 158_270,
    "credited_minor": 8_330,
    "due_minor": 0,
}


def shown_invoice(**different: Any) -> ShownInvoice:
    return ShownInvoice(**(CONTOSO | different))


def reader(pdf: bytes) -> PdfReader:
    return PdfReader(io.BytesIO(pdf), strict=True)


def text_of(pdf: bytes) -> str:
    """All that can be read, page after page, with one space between words."""
    return re.sub(r"\s+", " ", " ".join(page.extract_text() for page in reader(pdf).pages))
