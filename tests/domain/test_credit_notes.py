"""What credit notes give back (F2, F3) and their tax: `Invoice.credit`."""

from collections.abc import Callable
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.calendar import Period
from domain.invoice import Invoice
from domain.invoice_line import CreditLine, InvoiceLine, LineStanding, Removal
from domain.tax import TaxRate
from tests.examples import (
    A_CREDIT_NOTE,
    BILLING_PROFILE,
    FIVE_PERCENT,
    POWER_BI_PRO,
    THE_CYCLE,
    THE_NEXT_CYCLE,
    TODAY,
    a_line,
    issuing,
)
from tests.scenario import Scenario, event

Credited = Invoice.CreditNoteIssued
NUMBER = "W57DWE-Z2KKH7-C00001"
A_CYCLE_LINE = a_line(110, kind="cycle", batch=2, cycle=THE_NEXT_CYCLE)


def credited(licenses: int, days: int, *, line: int = 1) -> Callable[[Invoice], None]:
    return crediting(Removal(line=line, licenses=licenses, days=days))


def crediting(*removals: Removal) -> Callable[[Invoice], None]:
    return lambda invoice: invoice.credit(
        removals, credit_note_id=A_CREDIT_NOTE, number=NUMBER, reason="licenses_removed", issued_on=TODAY
    )


# By example.


def test_three_of_five_removed_on_february_12_credit_24_00() -> None:
    """Five added on February 10 cost 45.00 for 18 days; on February 12, 16 of 28 days are unused."""
    added = a_line(5, kind="increase", batch=2, since=date(2025, 2, 10))
    (
        Scenario(Invoice)
        .given(issuing(added))
        .when(credited(3, 16))
        .then_told(
            event(
                Credited,
                billing_profile_id=BILLING_PROFILE,
                credit_note_id=A_CREDIT_NOTE,
                number=NUMBER,
                invoice_number="W57DWE-Z2KKH7-000001",
                reason="licenses_removed",
                issued_on=TODAY,
                currency="USD",
                lines=(CreditLine(line=1, quantity_before=5, quantity=2, days=16, amount_minor=2_400),),
                net_minor=2_400,
                tax_minor=0,
                total_minor=2_400,
                due_minor=2_100,
                state="open",
            )
        )
        .leaving(standings={1: LineStanding(quantity=2, days=16, credited_minor=2_400)})
    )


def test_a_purchase_cancelled_on_february_5_refunds_1150_00() -> None:
    """23 of 28 days are unused."""
    (
        Scenario(Invoice)
        .given(issuing(a_line(100)))
        .when(credited(100, 23))
        .then_told(event(Credited, total_minor=115_000))
    )


def test_a_purchase_cancelled_within_a_day_refunds_all_of_it() -> None:
    (
        Scenario(Invoice)
        .given(issuing(a_line(100)))
        .when(credited(100, 28))
        .then_told(event(Credited, total_minor=140_000, due_minor=0, state="paid"))
    )


def test_five_added_in_february_and_removed_in_march_credit_the_cycle_line() -> None:
    """110 licenses from February 28; on March 2, 29 of 31 days: 1,440.645 less 1,375.161, each rounded, is 65.48."""
    assert (A_CYCLE_LINE.amount(110, 29), A_CYCLE_LINE.amount(105, 29)) == (144_065, 137_516)
    (
        Scenario(Invoice)
        .given(issuing(A_CYCLE_LINE))
        .when(credited(5, 29))
        .then_told(event(Credited, net_minor=144_065 - 137_516))
    )


def test_an_unpaid_renewal_of_1428_00_cancelled_on_march_5_leaves_230_32_due() -> None:
    """102 licenses; 26 of 31 days are unused. Nothing was paid, so nothing is owed."""
    (
        Scenario(Invoice)
        .given(issuing(a_line(102, kind="renewal", cycle=THE_NEXT_CYCLE)))
        .when(credited(102, 26))
        .then_told(event(Credited, total_minor=119_768, due_minor=23_032))
        .leaving(paid_minor=0)
    )


def test_one_credit_note_takes_from_several_lines() -> None:
    lines = (a_line(3), a_line(2, number=2))
    (
        Scenario(Invoice)
        .given(issuing(*lines))
        .when(crediting(Removal(line=2, licenses=2, days=28), Removal(line=1, licenses=1, days=14)))
        .then_told(
            event(
                Credited,
                lines=(
                    CreditLine(line=2, quantity_before=2, quantity=0, days=28, amount_minor=2_800),
                    CreditLine(line=1, quantity_before=3, quantity=2, days=14, amount_minor=700),
                ),
                net_minor=3_500,
            )
        )
    )


def test_two_removals_from_one_line_go_one_after_the_other() -> None:
    """The first 24 hours of one batch, and the unused days of another, on the line of a cycle that covers both."""
    (
        Scenario(Invoice)
        .given(issuing(a_line(5)))
        .when(crediting(Removal(line=1, licenses=2, days=28), Removal(line=1, licenses=1, days=14)))
        .then_told(event(Credited, net_minor=2_800 + 700))
        .leaving(standings={1: LineStanding(quantity=2, days=14, credited_minor=3_500)})
    )


def test_a_line_gives_back_no_more_than_it_charged_whatever_was_rounded_up_before() -> None:
    """Three at 0.01 for seven of 28 days cost 0.01, which the first of them brought back by its five unused days."""
    cents = POWER_BI_PRO.model_copy(update={"unit_price_minor": 1})
    line = a_line(3, price=cents, since=date(2025, 2, 21))
    assert (line.amount_minor, line.amount(3, 5) - line.amount(2, 5), line.amount(2, 7)) == (1, 1, 1)
    (
        Scenario(Invoice)
        .given(issuing(line), credited(1, 5))
        .when(credited(2, 7))
        .then_told(event(Credited, net_minor=0, due_minor=0))
        .leaving(standings={1: LineStanding(quantity=0, days=5, credited_minor=1)})
    )
    (
        Scenario(Invoice)
        .given(issuing(line))
        .when(crediting(Removal(line=1, licenses=1, days=5), Removal(line=1, licenses=2, days=7)))
        .then_told(event(Credited, net_minor=1, due_minor=0))
    )


# Tax.

DIME = a_line(3, price=POWER_BI_PRO.model_copy(update={"unit_price_minor": 10}))


def test_three_credit_notes_of_0_10_at_5_percent_credit_0_01_0_00_and_0_01() -> None:
    """0.30 are taxed 0.02 (half up of 0.015); 0.20 left 0.01, 0.10 left 0.01, nothing left nothing."""
    invoice = issuing(DIME, tax_rate=FIVE_PERCENT)()
    assert (invoice.tax_minor, invoice.total_minor) == (2, 32)
    for licenses_left in (2, 1, 0):
        credited(1, 28)(invoice)
        assert invoice.standings[1].quantity == licenses_left
    notes = [told for told in invoice.collect_events() if isinstance(told, Credited)]
    assert [(note.net_minor, note.tax_minor, note.due_minor) for note in notes] == [
        (10, 1, 21),
        (10, 0, 11),
        (10, 1, 0),
    ]
    assert invoice.status == "paid"


def test_a_credit_note_says_the_rate_of_its_invoice() -> None:
    (
        Scenario(Invoice)
        .given(issuing(DIME, tax_rate=FIVE_PERCENT))
        .when(credited(3, 28))
        .then_told(event(Credited, tax_rate=FIVE_PERCENT, net_minor=30, tax_minor=2, total_minor=32, due_minor=0))
    )


# Laws.

SIXTY = 60
prices = st.integers(0, 200_000)
starts = st.integers(0, 27)


@st.composite
def lines(draw: st.DrawFn, *, number: int = 1) -> InvoiceLine:
    """A charge for a cycle of 28 to 366 days, or for a part of it."""
    days = draw(st.integers(28, 366))
    cycle = Period(start=TODAY, end=date.fromordinal(TODAY.toordinal() + days))
    since = date.fromordinal(cycle.end.toordinal() - draw(st.integers(1, days)))
    price = POWER_BI_PRO.model_copy(update={"unit_price_minor": draw(prices)})
    return a_line(draw(st.integers(1, SIXTY)), number=number, price=price, cycle=cycle, since=since)


@st.composite
def removals(draw: st.DrawFn, line: InvoiceLine) -> list[Removal]:
    """Removals by the day, as days pass: what is left never rises."""
    left, days, taken = line.quantity, line.days, []
    while left and draw(st.booleans()):
        days = draw(st.integers(0, days))
        licenses = draw(st.integers(1, left))
        left -= licenses
        taken.append(Removal(line=line.number, licenses=licenses, days=days))
    return taken


rates = st.builds(TaxRate, country=st.just("CA"), name=st.just("GST"), rate_ppm=st.integers(0, 999_999))


@given(line=lines(), share=st.data())
def test_adding_and_removing_at_one_instant_nets_to_nothing_on_that_line(
    line: InvoiceLine, share: st.DataObject
) -> None:
    """In one removal, or license by license."""
    invoice = issuing(line)()
    left = line.quantity
    while left:
        some = share.draw(st.integers(1, left))
        credited(some, line.days)(invoice)
        left -= some
    assert invoice.standings[1].credited_minor == line.amount_minor
    assert invoice.due_minor == 0


@given(line=lines(), share=st.data())
def test_what_a_line_earned_between_changes_adds_up_to_its_charge_less_its_credits(
    line: InvoiceLine, share: st.DataObject
) -> None:
    """A(q, r1) less A(q, r2) between two changes, and A(q, r) since the last one."""
    invoice = issuing(line)()
    earned, quantity, days = 0, line.quantity, line.days
    for removal in share.draw(removals(line)):
        earned += line.amount(quantity, days) - line.amount(quantity, removal.days)
        quantity, days = quantity - removal.licenses, removal.days
        crediting(removal)(invoice)
    earned += line.amount(quantity, days)
    assert earned == line.amount_minor - invoice.standings[1].credited_minor
    assert earned >= 0


@given(line=lines(), share=st.data())
def test_the_credit_of_a_line_never_exceeds_it(line: InvoiceLine, share: st.DataObject) -> None:
    """Whatever is asked: also in full after some were removed by the day."""
    invoice = issuing(line, tax_rate=FIVE_PERCENT)()
    left = line.quantity
    while left:
        some = share.draw(st.integers(1, left))
        credited(some, share.draw(st.integers(0, line.days)))(invoice)
        left -= some
        assert 0 <= invoice.standings[1].credited_minor <= line.amount_minor
        assert 0 <= invoice.credited_minor <= invoice.total_minor
        assert invoice.due_minor == invoice.total_minor - invoice.credited_minor >= 0


@given(line=lines(), share=st.data())
def test_the_days_of_a_line_never_rise(line: InvoiceLine, share: st.DataObject) -> None:
    invoice = issuing(line)()
    standing = invoice.standings[1].days
    for removal in share.draw(removals(line)):
        crediting(removal)(invoice)
        assert invoice.standings[1].days == removal.days <= standing
        standing = removal.days


@given(first=lines(), second=lines(number=2), rate=rates, share=st.data())
def test_a_full_credit_ends_at_exactly_no_tax(
    first: InvoiceLine, second: InvoiceLine, rate: TaxRate, share: st.DataObject
) -> None:
    """In however many credit notes; and what is left of the tax is always that of what is left."""
    invoice = issuing(first, second, tax_rate=rate)()
    left = {1: first, 2: second}
    while left:
        number = share.draw(st.sampled_from(sorted(left)))
        quantity = invoice.standings[number].quantity
        some = share.draw(st.integers(1, quantity))
        credited(some, left[number].days, line=number)(invoice)
        assert invoice.tax_minor - invoice.credited_tax_minor == rate.on(invoice.net_minor - invoice.credited_net_minor)
        if some == quantity:
            del left[number]
    assert (invoice.credited_net_minor, invoice.credited_tax_minor) == (invoice.net_minor, invoice.tax_minor)
    assert invoice.due_minor == 0


@given(line=lines(), share=st.data())
def test_the_order_of_changes_of_one_day_matters_by_a_minor_unit_at_most(
    line: InvoiceLine, share: st.DataObject
) -> None:
    days = share.draw(st.integers(0, line.days))
    parts = []
    left = line.quantity
    while left:
        parts.append(share.draw(st.integers(1, left)))
        left -= parts[-1]
    totals = []
    for order in (parts, parts[::-1], [line.quantity]):
        invoice = issuing(line)()
        for licenses in order:
            credited(licenses, days)(invoice)
        totals.append(invoice.standings[1].credited_minor)
    assert max(totals) - min(totals) <= 1


@pytest.mark.parametrize("days", [28, 14, 1, 0])
def test_a_quote_of_a_credit_records_nothing(days: int) -> None:
    invoice = issuing(a_line(3))()
    invoice.collect_events()
    first = invoice.credit_of([Removal(line=1, licenses=2, days=days)])
    assert first == invoice.credit_of([Removal(line=1, licenses=2, days=days)])
    assert not invoice.pending_events
    assert invoice.standings[1] == LineStanding(quantity=3, days=THE_CYCLE.days, credited_minor=0)
