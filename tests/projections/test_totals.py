"""Control totals close, day by day, and end where the invoices say they do."""

from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID

from hypothesis import example, given, settings
from pydantic_core import from_json, to_json

from domain.invoice import Invoice
from projections.audit.totals import COLUMNS, DayTotals, totals
from tests.projections.billed_story import STEPS, BilledStory, Step
from tests.projections.histories import MAPPER
from tests.projections.test_laws import told

LAWS = settings(max_examples=12, deadline=None)


def closes(one: DayTotals) -> bool:
    came = one.invoiced_minor - one.credited_minor - one.received_minor + one.refunded_minor + one.disputed_minor
    return one.closing_minor == one.opening_minor + came - one.from_balance_minor + one.to_balance_minor


HELD_UP: list[Step] = [("buy", 0, 0, 0), ("outage", 0, 0, 0), ("run", 0, 0, 1)]  # invoiced on its day, paid on the next


@LAWS
@example(HELD_UP)
@given(STEPS)
def test_every_day_closes_and_the_last_is_what_is_due(steps: list[Step]) -> None:
    story = told(steps)
    found = totals(story.history, MAPPER)
    assert found.contradictions == ()
    closing: dict[UUID, int] = {}
    for one in found.days:
        assert closes(one)
        assert one.opening_minor == closing.get(one.billing_profile_id, 0)
        assert one.invoiced_minor == one.invoiced_net_minor + one.invoiced_tax_minor
        closing[one.billing_profile_id] = one.closing_minor
    due: dict[UUID, int] = {}
    invoices = story.contoso.every(Invoice)
    for invoice in invoices:
        due[invoice.billing_profile_id] = due.get(invoice.billing_profile_id, 0) + invoice.due_minor
    assert closing == due
    assert sum(one.invoiced_minor for one in found.days) == sum(one.total_minor for one in invoices)
    assert sum(one.credited_minor for one in found.days) == sum(one.credited_minor for one in invoices)
    assert sum(one.received_minor for one in found.days) == sum(sum(one.received.values()) for one in invoices)
    by_day = {(one.issued_on, one.billing_profile_id) for one in invoices}
    assert by_day == {(one.day, one.billing_profile_id) for one in found.days if one.invoiced_minor} | {
        (one.issued_on, one.billing_profile_id) for one in invoices if not one.total_minor
    }


@LAWS
@given(STEPS)
def test_some_days_are_those_of_all(steps: list[Step]) -> None:
    history = told(steps).history
    whole = totals(history, MAPPER).days
    since, until = whole[0].day + timedelta(days=1), whole[-1].day - timedelta(days=1)
    some = totals(history, MAPPER, since=since, until=until)
    assert some.days == tuple(one for one in whole if since <= one.day <= until)
    assert some.contradictions == ()


def test_an_amount_that_was_changed_does_not_add_up() -> None:
    history = BilledStory().history
    place = next(at for at, event in enumerate(history) if event.topic == Invoice.PaymentReceived.TOPIC)
    facts = from_json(history[place].state)
    facts["amount_minor"] += 1
    changed = [*history[:place], replace(history[place], state=to_json(facts)), *history[place + 1 :]]
    [said] = totals(changed, MAPPER).contradictions
    assert facts["billing_profile_id"] in said


def test_each_column_is_there() -> None:
    [first, *_] = totals(BilledStory().history, MAPPER, until=date(2100, 1, 1)).days
    assert all(hasattr(first, f"{name}_minor") for name in COLUMNS)
