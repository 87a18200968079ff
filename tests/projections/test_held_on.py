"""Who held which license on a day, and who paid for it, is what the read models and the aggregates say."""

from datetime import UTC, date, datetime, time, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.invoice import Invoice
from projections.assignments import ASSIGNMENTS, CLOSED_POOLS, PAST_ASSIGNMENTS, Assignments
from projections.audit.held_on import held_on
from services.resize_licenses import ResizeLicenses
from tests.projections.billed_story import STEPS, BilledStory, Step
from tests.projections.histories import MAPPER, ReadModel
from tests.projections.test_laws import told

LAWS = settings(max_examples=15, deadline=None)
Held = set[tuple[object, ...]]


def by_read_model(model: ReadModel, day: date) -> Held:
    """As the read tables are asked for a day."""
    since = datetime.combine(day, time(), UTC)
    until = since + timedelta(days=1)
    closed = {row.pool_id: row for row in model[CLOSED_POOLS]}
    rows = [
        (row, (end := closed.get(row.pool_id)) and end.closed_at, end and end.end_reason) for row in model[ASSIGNMENTS]
    ]
    rows += [(row, row.unassigned_at, row.end_reason) for row in model[PAST_ASSIGNMENTS]]
    return {
        (row.subscription_id, row.member_id, row.assigned_at, ended_at, reason)
        for row, ended_at, reason in rows
        if row.assigned_at < until and (ended_at is None or ended_at > since)
    }


@LAWS
@given(STEPS, st.integers(0, 400), st.data())
def test_it_is_what_the_read_model_and_the_invoices_say(steps: list[Step], days: int, data: st.DataObject) -> None:
    story = told(steps)
    events = story.history
    last = story.clock.now.date()
    first = events[0].effective_at.date()
    day = first + timedelta(days=days % ((last - first).days + 2))
    found = held_on(events, MAPPER, day)
    assert {
        (one.subscription_id, who.member_id, who.since, who.until, who.end_reason)
        for one in found
        for who in one.holders
    } == by_read_model(ReadModel(Assignments()).fold(events), day)
    invoices = {one.id: one for one in story.contoso.every(Invoice)}
    for one in found:
        for paid in one.invoices:
            invoice = invoices[paid.invoice_id]
            assert (paid.total_minor, paid.credited_minor) == (invoice.total_minor, invoice.credited_minor)
            assert (paid.paid_minor, paid.due_minor) == (invoice.paid_minor, invoice.due_minor)
            assert paid.paid_minor == sum(each.amount_minor for each in paid.paid_by)
            assert all(each.payment_method_id for each in paid.paid_by if each.payment_id)
        for line in one.lines:
            charged = invoices[line.invoice_id].line(line.line)
            assert charged.subscription_id == one.subscription_id
            assert day in charged.period
            assert 1 <= line.licenses <= charged.quantity
    if found:
        one = data.draw(st.sampled_from(found))
        assert held_on(events, MAPPER, day, one.subscription_id) == [one]


def test_a_license_that_was_added_and_given_back_is_paid_for_until_it_was() -> None:
    """100 licenses on 31 January at 14.00; 5 more on 10 February for 18 of 28 days; 3 given back on 12 February."""
    story = BilledStory()
    contoso, clock = story.contoso, story.clock
    bought = contoso.buys(licenses=100)
    contoso.assigns(bought, contoso.ben)
    for day, total in ((10, 105), (12, 102)):
        clock.now = datetime(2025, 2, day, 9, 30, tzinfo=UTC)
        contoso.run(contoso.command(ResizeLicenses, contoso.buyer, subscription_id=bought, total=total))
    events = contoso.history()
    licenses = {}
    for day in (9, 10, 11, 12, 13, 27, 28):
        [one] = held_on(events, MAPPER, date(2025, 2, day), bought)
        licenses[day] = [line.licenses for line in one.lines]
        assert [who.member_id for who in one.holders] == [contoso.ben]
    assert licenses == {9: [100], 10: [100, 5], 11: [100, 5], 12: [100, 2], 13: [100, 2], 27: [100, 2], 28: []}
    [one] = held_on(events, MAPPER, date(2025, 2, 11), bought)
    purchase, increase = one.lines
    assert (purchase.price_per_license_minor, increase.price_per_license_minor) == (1_400, 900)
    assert (purchase.price_per_day, increase.days, increase.cycle_days) == ("50", 18, 28)
    assert (one.purchaser_id, one.licenses) == (contoso.melissa, 105)
    of_purchase, of_increase = one.invoices
    [paid] = of_increase.paid_by
    assert (of_increase.total_minor, of_increase.credited_minor, paid.amount_minor) == (4_500, 2_400, 2_100)
    assert (paid.what, paid.payment_method_id) == ("payment", contoso.profile().payment_method_id)
    assert of_purchase.paid_minor == 140_000
    assert held_on(events, MAPPER, date(2025, 1, 30)) == []
