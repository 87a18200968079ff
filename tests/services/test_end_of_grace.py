"""Who did not pay loses access on the day of the last attempt, and owes no day after it."""

from datetime import UTC, date, datetime
from typing import Any

from domain.invoice import Invoice
from domain.kernel import AggregateEvent
from domain.subscription import Subscription
from tests.services.contoso import FOR_A_YEAR, Clock, Contoso


def test_every_unpaid_invoice_of_who_ends_is_credited_its_unused_days_and_given_up(
    contoso: Contoso, clock: Clock
) -> None:
    """Renewal of Feb 10 and cycle of Mar 10 are unpaid when grace ends on Mar 12: 29 of its 31 days are unused."""
    clock.now = datetime(2025, 2, 10, 9, tzinfo=UTC)
    subscription_id = contoso.buys(3, FOR_A_YEAR)
    contoso.advances(date(2026, 2, 9))
    contoso.changes_card("tok_declined_insufficient_funds")
    for day in (date(2026, 2, 10), date(2026, 3, 10), date(2026, 3, 11)):
        contoso.advances(day)
    assert contoso.subscription(subscription_id).life == "in_grace"
    contoso.advances(date(2026, 3, 12))
    subscription = contoso.subscription(subscription_id)
    assert (subscription.life, subscription.ends_next_on) == ("disabled", date(2026, 6, 10))
    renewal, cycle = [invoice for invoice in contoso.invoices() if invoice.due_on >= date(2026, 2, 10)]
    assert (renewal.due_on, renewal.credited_minor, renewal.due_minor) == (date(2026, 2, 10), 0, 4_200)
    assert (cycle.due_on, cycle.credited_minor, cycle.due_minor) == (date(2026, 3, 10), 3_929, 271)
    assert [renewal.status, cycle.status] == ["uncollectible", "uncollectible"]
    [disabled] = told_by(contoso, Subscription.SubscriptionDisabled)
    notes = told_by(contoso, Invoice.CreditNoteIssued)
    assert [note.credit_note_id for note in notes] == list(disabled.credit_note_ids)


def told_by(contoso: Contoso, kind: type[AggregateEvent]) -> list[Any]:
    stored = [event for event in contoso.history() if event.topic == kind.TOPIC]
    return [contoso.ledger.mapper.to_domain_event(event) for event in stored]
