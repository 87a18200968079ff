from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest

from domain.invoice import Invoice
from domain.refusals import NotAllowed, NotFound
from services.cancel_subscription import CancelSubscription
from services.change_bill_to import ChangeBillTo
from services.command import Actor
from services.grant_profile_role import GrantProfileRole
from services.ports_documents import ShownInvoice
from services.resize_licenses import ResizeLicenses
from services.set_po_number import SetPoNumber
from services.show_invoice import ShowInvoice, show_invoice
from tests.services.contoso import OPERATOR, Clock, Contoso

Showing = Callable[..., ShownInvoice]
SELLER = ("Contoso Licensing", "1 Contoso Way")


@pytest.fixture
def showing(contoso: Contoso) -> Showing:
    def showing(invoice: Invoice, by: Actor | None = None) -> ShownInvoice:
        asked = {"organization_id": contoso.organization_id, "actor": by or contoso.buyer, "invoice_id": invoice.id}
        return show_invoice(contoso.ledger, contoso.directory, ShowInvoice(**asked, seller=SELLER))  # type: ignore[arg-type]

    return showing


def resizes(contoso: Contoso, subscription_id: UUID, total: int) -> None:
    contoso.run(contoso.command(ResizeLicenses, contoso.buyer, subscription_id=subscription_id, total=total))


def adds_up(shown: ShownInvoice) -> bool:
    movements = sum(payment.amount_minor for payment in shown.payments)
    notes = -sum(note.total_minor for note in shown.credit_notes)
    return (movements, notes, shown.total_minor) == (
        shown.paid_minor,
        shown.credited_minor,
        shown.credited_minor + shown.paid_minor + shown.due_minor,
    )


def test_a_paid_purchase_shows_its_line_its_card_and_who_sells(contoso: Contoso, showing: Showing) -> None:
    contoso.buys(100)
    (invoice,) = contoso.invoices()
    shown = showing(invoice)
    (line,) = shown.lines
    assert (line.what, line.quantity, line.unit_price_minor, line.amount_minor) == (
        "Power BI Pro, purchase",
        100,
        1_400,
        140_000,
    )
    assert (line.service_from, line.service_until, line.days, line.cycle_days) == (
        date(2025, 1, 31),
        date(2025, 2, 27),
        28,
        28,
    )
    (payment,) = shown.payments
    assert (payment.on, payment.what, payment.amount_minor) == (date(2025, 1, 31), "Visa ending in 4242", 140_000)
    assert (shown.number, shown.state, shown.seller, shown.due_minor) == (invoice.number, "paid", SELLER, 0)
    assert adds_up(shown)


def test_licenses_taken_back_show_as_a_credit_note_and_a_refund(
    contoso: Contoso, clock: Clock, showing: Showing
) -> None:
    bought = contoso.buys(100)
    clock.now = datetime(2025, 2, 3, 12, tzinfo=UTC)
    resizes(contoso, bought, 98)
    shown = showing(contoso.invoices()[0])
    (note,) = shown.credit_notes
    (line,) = note.lines
    assert (note.reason, note.total_minor) == ("licenses removed", -2_500)  # 2 · 14.00 · 25 / 28
    assert (line.what, line.quantity, line.days) == ("Power BI Pro, 2 licenses taken back", 2, 25)
    assert (line.service_from, line.service_until) == (date(2025, 2, 3), date(2025, 2, 27))
    assert [(payment.what, payment.amount_minor) for payment in shown.payments] == [
        ("Visa ending in 4242", 140_000),
        ("refund to Visa ending in 4242", -2_500),
    ]
    assert adds_up(shown)


def test_a_refund_that_failed_shows_and_goes_to_the_credit_balance_that_the_next_invoice_uses(
    contoso: Contoso, clock: Clock, showing: Showing
) -> None:
    contoso.opens_profile(contoso.melissa, "tok_refund_fails")
    bought = contoso.buys(3)
    contoso.run(contoso.command(CancelSubscription, contoso.buyer, subscription_id=bought, when="now", reason="other"))
    clock.now += timedelta(days=2)
    contoso.advances()
    first = showing(contoso.invoices()[0])
    assert [payment.what for payment in first.payments][1:] == [
        "refund to Visa ending in 3123",
        "refund to Visa ending in 3123 failed",
        "to the credit balance",
    ]
    assert adds_up(first)
    contoso.buys(3)
    second = showing(contoso.invoices()[1])
    assert [(payment.what, payment.amount_minor) for payment in second.payments] == [("from the credit balance", 4_200)]
    assert adds_up(second)


def test_a_disputed_payment_shows_until_the_dispute_is_won(contoso: Contoso, showing: Showing) -> None:
    contoso.buys(3)
    (payment,) = contoso.payments()
    dispute_id = contoso.sandbox.dispute(payment.id)
    contoso.advances()
    shown = showing(contoso.invoices()[0])
    assert (shown.payments[-1].what, shown.due_minor) == ("disputed: Visa ending in 4242", 4_200)
    assert adds_up(shown)
    contoso.sandbox.close_dispute(dispute_id, "won")
    contoso.advances()
    shown = showing(contoso.invoices()[0])
    assert (shown.payments[-1].what, shown.due_minor) == ("dispute won: Visa ending in 4242", 0)
    assert adds_up(shown)


def test_names_are_what_the_personal_facts_say_and_an_issued_invoice_keeps_its_bill_to(
    contoso: Contoso, database_url: str, showing: Showing
) -> None:
    who: dict[str, Any] = {"bill_to": "Contoso Ltd", "address": "1 Contoso Way\nRedmond", "tax_id": "US-1"}
    profile_id = contoso.opens_profile(contoso.melissa, **who)
    changes: dict[str, Any] = {"billing_profile_id": profile_id}
    contoso.run(contoso.command(SetPoNumber, contoso.buyer, **changes, po_number="PO-1"))
    contoso.buys()
    contoso.run(contoso.command(ChangeBillTo, contoso.buyer, **changes, bill_to="Fabrikam"))
    contoso.run(contoso.command(SetPoNumber, contoso.buyer, **changes, po_number="PO-2"))
    contoso.buys()
    old, new = map(showing, contoso.invoices())
    assert (old.bill_to, old.buyer_tax_id) == (("Contoso Ltd", "1 Contoso Way", "Redmond"), "US-1")
    assert (new.bill_to, new.po_number, old.po_number) == (("Fabrikam", "1 Contoso Way", "Redmond"), "PO-2", "PO-1")
    withheld = showing(contoso.invoices()[0], contoso.by("auditor"))
    assert (withheld.bill_to, withheld.buyer_tax_id) == (("[withheld]", "[withheld]"), "[withheld]")
    with psycopg.connect(database_url, autocommit=True) as superuser:
        superuser.execute("DELETE FROM ledger.personal_facts WHERE value IN ('Contoso Ltd', 'US-1')")
    old = showing(contoso.invoices()[0])
    assert (old.bill_to, old.buyer_tax_id) == (("[erased]", "1 Contoso Way", "Redmond"), "[erased]")


def test_who_sees_an_invoice(contoso: Contoso, another: Contoso, showing: Showing) -> None:
    contoso.buys()
    (invoice,) = contoso.invoices()
    ben = contoso.purchaser(contoso.ben)
    with pytest.raises(NotFound, match="invoice"):
        showing(invoice, ben)
    role = {"billing_profile_id": invoice.billing_profile_id, "member_id": contoso.ben, "role": "reader"}
    contoso.run(contoso.command(GrantProfileRole, contoso.buyer, **role))
    for sees in (ben, contoso.buyer, contoso.admin, contoso.by("billing_reader"), OPERATOR):
        assert showing(invoice, sees).number == invoice.number
    with pytest.raises(NotAllowed):
        showing(invoice, contoso.by("service"))
    another.buys()
    with pytest.raises(NotFound, match="invoice"):
        showing(another.invoices()[0], contoso.admin)
