"""Explain an invoice: the events that it, its payments and its credit notes came of, and no others."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from pydantic_core import from_json

from domain.envelope import RecordedEvent
from domain.invoice import Invoice
from domain.kernel import Value
from domain.organization import CATALOG
from domain.refusals import NotFound
from services.command import Actor
from services.ledger import Ledger
from services.may import may, standing_seen
from services.show_billing_profile import refuse_unseen


class ExplainInvoice(Value):
    organization_id: UUID
    actor: Actor
    invoice_id: UUID


@dataclass(frozen=True)
class InvoiceHistory:
    """What an explanation rests on."""

    invoice_id: UUID
    events: list[RecordedEvent]  # of the invoice, its payments, and what caused its documents; oldest first
    offers: list[RecordedEvent]  # of the catalog: prices, and when they took effect


DOCUMENTS = (Invoice.InvoiceIssued.TOPIC, Invoice.CreditNoteIssued.TOPIC)
CAUSES = ("seatledger.Subscription.", "seatledger.LicensePool.", "seatledger.Organization.")
ASSIGNMENTS = ("LicenseAssigned", "LicenseUnassigned")


def explain_invoice(ledger: Ledger, query: ExplainInvoice) -> InvoiceHistory:
    """For who may see the invoice. What caused a document was told together with it, so only its save is read."""
    standing_seen(ledger, query)
    may(query.actor, "see invoices")
    recorded = ledger.history.load_events(query.organization_id, query.invoice_id)
    told = [ledger.mapper.to_domain_event(event) for event in recorded]
    if not told or not isinstance(issued := told[0], Invoice.InvoiceIssued):
        raise NotFound(what="invoice", key=query.invoice_id)
    if query.actor.role == "purchaser":  # whoever else may see invoices sees all
        profile = ledger.billing_profile(query.organization_id, issued.billing_profile_id)
        refuse_unseen(profile, query, what="invoice", key=query.invoice_id)
    payment_ids = dict.fromkeys(event.payment_id for event in told if hasattr(event, "payment_id"))
    payments = ledger.history.load_many(query.organization_id, list(payment_ids)) if payment_ids else []
    causes = causes_of(ledger, [event for event in recorded if event.topic in DOCUMENTS], issued)
    every = {event.organization_seq: event for event in (*recorded, *payments, *causes)}
    return InvoiceHistory(
        invoice_id=query.invoice_id,
        events=[every[seq] for seq in sorted(every)],
        offers=ledger.history.load_many(CATALOG, list(dict.fromkeys(line.offer_id for line in issued.lines))),
    )


def causes_of(ledger: Ledger, documents: Iterable[RecordedEvent], issued: Invoice.InvoiceIssued) -> list[RecordedEvent]:
    """What the same saves told of the subscriptions on the invoice, of their pools, and of full credits."""
    sold = {str(line.subscription_id) for line in issued.lines}
    found = []
    for document in documents:
        envelope = document.envelope
        first = document.organization_seq - envelope.index
        saved = ledger.history.told(document.organization_id, after=first - 1, until=first + envelope.count - 1)
        found += [
            event
            for event in saved
            if event.topic.startswith(CAUSES)
            and not event.topic.endswith(ASSIGNMENTS)
            and (str(event.originator_id) in sold or from_json(event.state).get("subscription_id") in sold)
        ]
    return found
