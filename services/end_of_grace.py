"""The end of grace: who did not pay loses access; what is unused of unpaid invoices is credited, the rest given up."""

from datetime import date, datetime
from uuid import UUID, uuid5

from domain.calendar import utc_date
from domain.invoice import Invoice
from domain.invoice_line import Removal
from domain.subscription import WITH_ACCESS, Subscription
from services.billing import settle
from services.books import Books
from services.till import Till


def end_grace(books: Books, till: Till, invoice: Invoice, on: date, at: datetime) -> None:
    """Takes place as of the day of the last attempt, on every invoice that those who end have not paid."""
    ending = [one for one in books.owners_of(invoice) if invoice.id in one.unpaid and one.life in WITH_ACCESS]
    unpaid = [other for other in books.open_invoices if any(other.id in one.unpaid for one in ending)]
    notes: dict[UUID, list[UUID]] = {one.id: [] for one in ending}
    for other in unpaid:
        credit_unused(books, other, ending, notes, on=on, at=at)
    for subscription in ending:
        subscription.disable("grace_ended", on=on, credit_note_ids=notes[subscription.id])
    for other in {one.id: one for one in (invoice, *unpaid)}.values():
        if other is invoice or not any(one.life in WITH_ACCESS for one in books.owners_of(other)):
            other.write_off(on)
        settle(books, till, other)


def credit_unused(
    books: Books,
    invoice: Invoice,
    ending: list[Subscription],
    notes: dict[UUID, list[UUID]],
    *,
    on: date,
    at: datetime,
) -> None:
    """One credit note for all who end, noted with each of them."""
    of_each = {one.id: unused_of(invoice, one, on) for one in ending if invoice.id in one.unpaid}
    removals = [removal for of_one in of_each.values() for removal in of_one]
    if not removals:
        return
    note_id = uuid5(invoice.id, f"credit_note:{invoice.version}")
    number = books.profile.number_credit_note(note_id, invoice.id)
    invoice.credit(removals, credit_note_id=note_id, number=number, reason="grace_ended", issued_on=utc_date(at))
    for subscription_id, of_one in of_each.items():
        if of_one:
            notes[subscription_id].append(note_id)


def unused_of(invoice: Invoice, subscription: Subscription, on: date) -> list[Removal]:
    """All that is left of a subscription's lines on an invoice, credited by the days that are unused on a day."""
    removals = []
    for line in invoice.lines:
        standing = invoice.standings[line.number]
        days = min(standing.days, max(0, (line.period.end - on).days))
        if line.subscription_id == subscription.id and standing.quantity and days:
            removals.append(Removal(line=line.number, licenses=standing.quantity, days=days))
    return removals
