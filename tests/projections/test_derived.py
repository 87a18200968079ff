"""The invoice history is derived again from events without their amounts; what was changed shows by its invoice."""

from dataclasses import replace

from hypothesis import given, settings
from pydantic_core import from_json, to_json

from adapters.payments.limits import limits_of
from domain.invoice import Invoice
from projections.audit.derived import DerivedHistory, derived_history
from tests.projections.billed_story import STEPS, BilledStory, Step
from tests.projections.histories import MAPPER
from tests.projections.test_laws import told

LAWS = settings(max_examples=12, deadline=None)


@LAWS
@given(STEPS)
def test_every_invoice_comes_to_what_history_says(steps: list[Step]) -> None:
    story = told(steps)
    found = derived_history(story.history, limits_of, MAPPER)
    assert found.as_recorded
    invoices = {one.id: one for one in story.contoso.every(Invoice)}
    assert [one.invoice_id for one in found.invoices] == list(invoices)
    for one in found.invoices:
        invoice = invoices[one.invoice_id]
        assert one.recorded == one.derived
        assert (one.number, one.currency, one.currency_exponent) == (invoice.number, "USD", 2)
        assert (one.derived.net_minor, one.derived.tax_minor) == (invoice.net_minor, invoice.tax_minor)
        assert (one.derived.total_minor, one.derived.credited_minor, one.derived.due_minor) == (
            invoice.total_minor,
            invoice.credited_minor,
            invoice.due_minor,
        )


def changed(topic: str, name: str) -> tuple[DerivedHistory, str]:
    """With one amount of the first event of a kind that is a cent more, and whose event it was."""
    history = BilledStory().history
    place = next(at for at, event in enumerate(history) if event.topic == topic)
    facts = from_json(history[place].state)
    facts[name] += 1
    altered = [*history[:place], replace(history[place], state=to_json(facts)), *history[place + 1 :]]
    return derived_history(altered, limits_of, MAPPER), str(history[place].originator_id)


def test_what_was_changed_is_named_by_its_invoice() -> None:
    found, invoice_id = changed(Invoice.InvoiceIssued.TOPIC, "total_minor")
    assert not found.as_recorded
    [differing] = [one for one in found.invoices if one.differences]
    assert str(differing.invoice_id) == invoice_id
    assert differing.recorded.total_minor == differing.derived.total_minor + 1
    assert "total_minor" in differing.differences[0].what
    assert found.others == ()


def test_what_cannot_be_read_is_counted_and_not_passed_over() -> None:
    history = BilledStory().history
    altered = [*history[:-1], replace(history[-1], state=b"{")]
    found = derived_history(altered, limits_of, MAPPER)
    assert (found.unreadable, found.as_recorded) == (1, False)


def test_what_is_no_invoice_is_named_beside_them() -> None:
    found, payment_id = changed("seatledger.Payment.PaymentCaptured", "amount_minor")
    assert not any(one.differences for one in found.invoices)
    [difference] = found.others
    assert difference.key == f"Payment {payment_id}"
