"""Collect what is past due, at once: when a card was edited or replaced."""

from uuid import UUID

from domain.organization import Organization
from services.billing import charge_for, start_collection
from services.books import open_books
from services.charging import see_through
from services.ledger import Ledger
from services.life_cycle import Recording
from services.till import Till


def collect_past_due(
    ledger: Ledger, till: Till, organization: Organization, billing_profile_id: UUID, *, because: UUID
) -> None:
    """Charges the past due invoices of a profile, oldest first; one that is declined again keeps its schedule."""

    def attempt() -> None:
        books = open_books(ledger, organization, billing_profile_id)
        at = ledger.now(organization, books.profile)
        recording = Recording(ledger, organization.id, at, because)
        for invoice in books.open_invoices:
            charge, allocation = charge_for(books, till, invoice)
            if invoice.status == "past_due" and invoice.retry_on and not invoice.collected_by and charge:
                start_collection(books, invoice, charge, allocation, at=at)
                see_through([books], till, at, lambda: recording.save([books]))

    ledger.until_saved(organization.id, attempt)
