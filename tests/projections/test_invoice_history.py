from typing import Any

from domain.invoice import Invoice
from domain.invoice_line import Removal
from projections.invoice_history import CREDIT_NOTES, INVOICES, InvoiceHistory
from tests.examples import A_CREDIT_NOTE, AN_INVOICE, FIVE_PERCENT, INVOICE, PAYMENT, TODAY, a_line, an_id, issuing
from tests.projections.histories import History, ReadModel


def after(invoice: Invoice) -> ReadModel:
    history = History()
    history.tell(invoice)
    return ReadModel(InvoiceHistory()).fold(history.events)


def amounts(invoice: Invoice) -> tuple[Any, ...]:
    """State, credited, paid and due."""
    row = after(invoice).one(INVOICES, INVOICE)
    assert row.total_minor == row.credited_minor + row.paid_minor + row.due_minor
    return row.state, row.credited_minor, row.paid_minor, row.due_minor


def paid() -> Invoice:
    invoice = AN_INVOICE()
    invoice.start_collection(PAYMENT, 4_200)
    invoice.receive(PAYMENT, 4_200)
    return invoice


def credited(invoice: Invoice) -> Invoice:
    """One of three licenses is given back for half of the cycle."""
    removals = [Removal(line=1, licenses=1, days=14)]
    invoice.credit(removals, credit_note_id=A_CREDIT_NOTE, number="C1", reason="licenses_removed", issued_on=TODAY)
    return invoice


def test_an_issued_invoice_is_due_and_a_paid_one_is_not() -> None:
    assert amounts(AN_INVOICE()) == ("open", 0, 0, 4_200)
    assert amounts(paid()) == ("paid", 0, 4_200, 0)


def test_an_invoice_of_nothing_is_paid() -> None:
    free = issuing(a_line().model_copy(update={"amount_minor": 0}))()
    assert amounts(free) == ("paid", 0, 0, 0)


def test_tax_is_a_part_of_the_total() -> None:
    row = after(issuing(tax_rate=FIVE_PERCENT)()).one(INVOICES, INVOICE)
    assert (row.net_minor, row.tax_minor, row.total_minor) == (4_200, 210, 4_410)


def test_a_credit_note_has_a_row_with_its_number_and_what_is_owed_shows_until_it_is_given_back() -> None:
    invoice = credited(paid())
    model = after(invoice)
    (note,) = model[CREDIT_NOTES]
    assert (note.number, note.invoice_id, note.total_minor) == ("C1", INVOICE, 700)
    row = model.one(INVOICES, INVOICE)
    assert (row.credited_minor, row.paid_minor, row.due_minor) == (700, 4_200, -700)
    invoice = credited(paid())
    invoice.count_refund(PAYMENT, an_id(801), 700)
    assert amounts(invoice) == ("paid", 700, 3_500, 0)


def test_a_refund_that_failed_and_what_moves_to_the_balance_leave_nothing_due() -> None:
    invoice = credited(paid())
    invoice.count_refund(PAYMENT, an_id(801), 700)
    invoice.reverse_refund(an_id(801))
    invoice.move_to_balance(700)
    assert amounts(invoice) == ("paid", 700, 3_500, 0)


def test_a_disputed_invoice_is_open_again() -> None:
    invoice = paid()
    invoice.dispute(PAYMENT, "dispute_1", 4_200)
    assert amounts(invoice) == ("open", 0, 0, 4_200)
    invoice = paid()
    invoice.dispute(PAYMENT, "dispute_1", 4_200)
    invoice.close_dispute("dispute_1", "won")
    assert amounts(invoice) == ("paid", 0, 4_200, 0)


def test_what_cannot_be_collected_stays_due() -> None:
    invoice = AN_INVOICE()
    invoice.start_collection(PAYMENT, 4_200)
    invoice.fail_collection(PAYMENT, "insufficient_funds", TODAY)
    assert amounts(invoice)[0] == "past_due"
    invoice = AN_INVOICE()
    invoice.write_off(TODAY)
    assert amounts(invoice) == ("uncollectible", 0, 0, 4_200)
