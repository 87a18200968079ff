"""Retention: how long the names on issued documents must be kept, whoever asks to be forgotten."""

from collections.abc import Iterable
from datetime import date
from typing import NamedTuple
from uuid import UUID

from domain.billing_profile import BillingProfile, BillTo

MONTHS, LAST_DAY = 12, 31


class Standing(NamedTuple):
    """Where a personal fact stands: on which of a profile's documents last, and when that was issued."""

    issued_on: date
    number: str


def kept_until(issued_on: date, years: int) -> date:
    """The last day on which a document must be kept: so many years after the end of the year that it was issued in."""
    return date(issued_on.year + years, MONTHS, LAST_DAY)


def standing_facts(told: Iterable[tuple[object, date]]) -> dict[UUID, Standing]:
    """The youngest document that each fact stands on, by a profile's events with the days on which they were told.

    An invoice is made out to the bill-to at that time for ever, and so are the credit notes that amend it.
    """
    bill_to: BillTo | None = None
    made_out_to: dict[UUID, BillTo | None] = {}  # by invoice
    standing: dict[UUID, Standing] = {}
    for event, on in told:
        match event:
            case BillingProfile.BillingProfileOpened() | BillingProfile.BillToChanged():
                bill_to = event.bill_to
            case BillingProfile.InvoiceNumbered():
                made_out_to[event.invoice_id] = bill_to
                stand_on(standing, bill_to, Standing(on, event.number))
            case BillingProfile.CreditNoteNumbered():
                stand_on(standing, made_out_to.get(event.invoice_id), Standing(on, event.number))
            case _:
                pass
    return standing


def stand_on(standing: dict[UUID, Standing], bill_to: BillTo | None, document: Standing) -> None:
    for ref in (bill_to.name, bill_to.address, bill_to.tax_id) if bill_to else ():
        if ref:
            standing[ref.fact_id] = document
