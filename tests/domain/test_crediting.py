"""Which lines give back what for licenses that are taken from batches: `domain.crediting`."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import hypothesis.strategies as st
from hypothesis import given

from domain.calendar import Period, cycle
from domain.crediting import Credits, credits_for
from domain.invoice import Invoice
from domain.invoice_line import InvoiceLine, Removal
from domain.license_pool import LicensePool
from domain.offer import PriceFacts
from tests.examples import (
    A_CREDIT_NOTE,
    INVOICE,
    POWER_BI_PRO,
    POWER_BI_PRO_FOR_A_YEAR,
    POWER_BI_PRO_PAID_YEARLY,
    PURCHASED_AT,
    THE_CYCLE,
    THE_NEXT_CYCLE,
    a_line,
    an_id,
    issuing,
    opening,
)

AN_HOUR, A_DAY = timedelta(hours=1), timedelta(hours=24)
INCREASED, CYCLE, NEXT_CYCLE = (an_id(number) for number in range(81, 84))


def at(month: int, day: int, hour: int = 12) -> datetime:
    return datetime(2025, month, day, hour, tzinfo=UTC)


class Bought:
    """A pool and the invoices of its lines, as the services bring them about."""

    def __init__(self, licenses: int, *, price: PriceFacts = POWER_BI_PRO, cycle: Period = THE_CYCLE) -> None:
        self.price = price
        self.pool: LicensePool = opening(total=licenses, price=price, cycle=cycle)
        self.invoices: dict[UUID, Invoice] = {}
        self.bill(INVOICE, a_line(licenses, price=price, cycle=cycle))

    def bill(self, invoice_id: UUID, line: InvoiceLine) -> None:
        self.invoices[invoice_id] = issuing(line, id=invoice_id)()

    def add(self, licenses: int, when: datetime, *, invoice_id: UUID = INCREASED) -> None:
        self.pool.increase(self.pool.total + licenses, self.price, invoice_id=invoice_id, at=when)
        line = a_line(
            licenses,
            kind="increase",
            batch=self.pool.last_batch,
            price=self.price,
            cycle=self.pool.cycle,
            since=when.date(),
        )
        self.bill(invoice_id, line)

    def charge(self, period: Period = THE_NEXT_CYCLE, *, invoice_id: UUID = CYCLE) -> None:
        line = a_line(
            self.pool.total,
            kind="cycle",
            batch=self.pool.last_batch,
            price=self.price,
            cycle=period,
            since=period.start,
        )
        self.pool.charge(invoice_id=invoice_id, line=1, cycle=period)
        self.bill(invoice_id, line)

    def renew(self, when: datetime, period: Period = THE_NEXT_CYCLE, *, invoice_id: UUID = CYCLE) -> None:
        total = self.pool.total
        self.pool.renew(total, self.price, invoice_id=invoice_id, line=1, cycle=period, term=period, at=when)
        self.bill(
            invoice_id,
            a_line(
                total, kind="renewal", batch=self.pool.last_batch, price=self.price, cycle=period, since=period.start
            ),
        )

    def credits_of(self, licenses: int, when: datetime, *, in_full: bool = True) -> Credits:
        taken = self.pool.taken_by(self.pool.total - licenses, self.price, when)
        return credits_for(taken, self.pool.charges, self.invoices, when, in_full=in_full)

    def credits_of_all(self, when: datetime, *, in_full: bool = True) -> Credits:
        return credits_for(self.pool.all_batches(), self.pool.charges, self.invoices, when, in_full=in_full)

    def remove(self, licenses: int, when: datetime, *, in_full: bool = True) -> int:
        """What is credited."""
        credits_of = self.credits_of(licenses, when, in_full=in_full)
        total = self.pool.total - licenses
        self.pool.decrease(total, self.price, credit_note_ids=[A_CREDIT_NOTE], at=when)
        return self.take(credits_of)

    def cancel(self, when: datetime, *, in_full: bool = True) -> int:
        return self.take(self.credits_of_all(when, in_full=in_full))

    def take(self, credits_of: Credits) -> int:
        before = sum(invoice.credited_minor for invoice in self.invoices.values())
        for invoice_id, removals in credits_of.removals.items():
            self.invoices[invoice_id].credit(
                removals,
                credit_note_id=A_CREDIT_NOTE,
                number="C",
                reason="licenses_removed",
                issued_on=date(2025, 2, 1),
            )
        return sum(invoice.credited_minor for invoice in self.invoices.values()) - before


def removed(licenses: int, days: int, *, line: int = 1) -> Removal:
    return Removal(line=line, licenses=licenses, days=days)


# Newest line first.


def test_the_newest_line_of_the_cycle_gives_back_first() -> None:
    """Three bought, two added: of three removed, two are from the newest line."""
    bought = Bought(3)
    bought.add(2, at(2, 3))
    credits_of = bought.credits_of(3, at(2, 5))
    assert credits_of.removals == {INCREASED: [removed(2, 23)], INVOICE: [removed(1, 23)]}
    assert not credits_of.more_than_unused


def test_a_part_of_the_newest_line_leaves_the_others_alone() -> None:
    bought = Bought(100)
    bought.add(5, at(2, 10))
    assert bought.credits_of(3, at(2, 12, 13)).removals == {INCREASED: [removed(3, 16)]}
    assert bought.remove(3, at(2, 12, 13)) == 2_400


def test_what_was_given_back_of_a_line_is_not_given_back_again() -> None:
    bought = Bought(3)
    bought.add(2, at(2, 3))
    assert bought.remove(2, at(2, 5)) == 2 * 1_400 * 23 // 28
    assert bought.credits_of(1, at(2, 5)).removals == {INVOICE: [removed(1, 23)]}


def test_the_line_of_a_cycle_that_covers_a_batch_gives_back() -> None:
    """Five added on February 25 and removed on March 2: eligible by their batch, credited on the cycle's line."""
    bought = Bought(105, price=POWER_BI_PRO_FOR_A_YEAR)
    bought.add(5, at(2, 25))
    bought.charge()
    credits_of = bought.credits_of(5, at(3, 2))
    assert credits_of.removals == {CYCLE: [removed(5, 29)]}
    assert not credits_of.more_than_unused
    assert bought.remove(5, at(3, 2)) == 144_065 - 137_516


# The first 24 hours.


def test_within_24_hours_all_is_given_back() -> None:
    bought = Bought(100)
    credits_of = bought.credits_of_all(PURCHASED_AT + timedelta(hours=23))
    assert credits_of == ({INVOICE: [removed(100, 28)]}, True)
    assert bought.cancel(PURCHASED_AT + timedelta(hours=23)) == 140_000


def test_on_the_day_itself_that_is_no_more_than_the_unused_days() -> None:
    """So it does not count as the one credit in 30 days."""
    credits_of = Bought(100).credits_of_all(PURCHASED_AT + AN_HOUR)
    assert credits_of == ({INVOICE: [removed(100, 28)]}, False)


def test_at_exactly_24_hours_it_goes_by_the_day() -> None:
    last = Bought(100).credits_of_all(PURCHASED_AT + A_DAY - timedelta(microseconds=1))
    assert last == ({INVOICE: [removed(100, 28)]}, True)
    first = Bought(100).credits_of_all(PURCHASED_AT + A_DAY)
    assert first == ({INVOICE: [removed(100, 27)]}, False)


def test_a_purchase_of_january_31_cancelled_on_february_5_credits_1150_00() -> None:
    assert Bought(100).cancel(at(2, 5)) == 115_000


def test_each_batch_has_24_hours_of_its_own() -> None:
    """Cancelled at once: the added licenses in full, the purchase by the day."""
    bought = Bought(100)
    bought.add(5, at(2, 3))
    credits_of = bought.credits_of_all(at(2, 4, 11))
    assert credits_of == ({INCREASED: [removed(5, 25)], INVOICE: [removed(100, 24)]}, True)


def test_a_young_batch_gives_back_its_line_of_an_earlier_cycle_too() -> None:
    """Added in the last hours of a cycle and charged again for the next: both charges were for nothing."""
    bought = Bought(100, price=POWER_BI_PRO_FOR_A_YEAR)
    bought.add(5, at(2, 27, 14))
    bought.charge()
    credits_of = bought.credits_of(5, at(2, 28, 13))
    assert credits_of == ({CYCLE: [removed(5, 31)], INCREASED: [removed(5, 1)]}, True)
    assert bought.remove(5, at(2, 28, 13)) == 5 * 1_400 + 250


def test_of_two_young_batches_each_gives_back_its_own_line_of_the_earlier_cycle() -> None:
    """The charge of the next cycle names the newest batch alone; the line of the other stays within reach."""
    bought, later = Bought(100, price=POWER_BI_PRO_FOR_A_YEAR), an_id(85)
    bought.add(5, at(2, 27, 14))
    bought.add(2, at(2, 27, 15), invoice_id=later)
    bought.charge()
    assert bought.credits_of(7, at(2, 28, 13)).removals == {
        CYCLE: [removed(2, 31), removed(5, 31)],
        later: [removed(2, 1)],
        INCREASED: [removed(5, 1)],
    }


def test_a_batch_that_is_no_longer_young_gives_back_nothing_of_an_earlier_cycle() -> None:
    bought = Bought(100, price=POWER_BI_PRO_FOR_A_YEAR)
    bought.add(5, at(2, 27, 14))
    bought.charge()
    assert bought.credits_of(5, at(2, 28, 14)) == ({CYCLE: [removed(5, 31)]}, False)


def test_what_was_taken_of_a_young_batch_leaves_the_rest_of_its_earlier_line() -> None:
    bought = Bought(100, price=POWER_BI_PRO_FOR_A_YEAR)
    bought.add(5, at(2, 27, 14))
    bought.charge()
    assert bought.credits_of(2, at(2, 28, 13)) == ({CYCLE: [removed(2, 31)], INCREASED: [removed(2, 1)]}, True)


def test_a_young_renewal_gives_back_its_line_and_not_the_term_before() -> None:
    bought = Bought(3)
    bought.renew(at(2, 28, 1))
    assert bought.credits_of_all(at(2, 28, 20)) == ({CYCLE: [removed(3, 31)]}, False)
    assert bought.credits_of_all(at(3, 1, 0)) == ({CYCLE: [removed(3, 31)]}, True)


def test_a_renewal_that_was_recorded_late_gives_back_every_cycle_that_it_was_charged_for() -> None:
    """A year renewed three months late: its first day of 24 hours begins when it was recorded."""
    bought = Bought(3, price=POWER_BI_PRO_FOR_A_YEAR)
    months = [cycle(date(2025, 1, 31), "monthly", number) for number in (12, 13, 14, 15)]
    late = datetime(2026, 5, 2, 8, tzinfo=UTC)
    ids = [an_id(90 + number) for number in range(4)]
    bought.renew(late, months[0], invoice_id=ids[0])
    for month, invoice_id in zip(months[1:], ids[1:], strict=True):
        bought.charge(month, invoice_id=invoice_id)
    credits_of = bought.credits_of_all(late + AN_HOUR)
    assert credits_of.removals == {
        invoice_id: [removed(3, month.days)] for month, invoice_id in zip(months, ids, strict=True)
    }
    assert bought.cancel(late + AN_HOUR) == 4 * 3 * 1_400
    by_the_day = bought.credits_of_all(late + A_DAY)
    assert set(by_the_day.removals) <= {ids[3]}


# Once in 30 days; after that by the day.


def test_without_the_right_to_a_full_credit_it_goes_by_the_day_from_the_first_hour() -> None:
    bought = Bought(100)
    credits_of = bought.credits_of_all(PURCHASED_AT + timedelta(hours=23), in_full=False)
    assert credits_of == ({INVOICE: [removed(100, 27)]}, False)


def test_without_it_a_young_batch_leaves_the_earlier_cycle_alone() -> None:
    bought = Bought(100, price=POWER_BI_PRO_FOR_A_YEAR)
    bought.add(5, at(2, 27, 14))
    bought.charge()
    assert bought.credits_of(5, at(2, 28, 13), in_full=False) == ({CYCLE: [removed(5, 31)]}, False)


# Days.


def test_a_day_that_was_credited_is_not_counted_again() -> None:
    """A clock that goes back does not bring back days: r of a line never rises."""
    bought = Bought(10)
    bought.remove(1, at(2, 5))
    assert bought.credits_of(1, at(2, 3)).removals == {INVOICE: [removed(1, 23)]}


def test_after_the_end_of_the_cycle_nothing_is_unused() -> None:
    assert Bought(3).credits_of_all(at(3, 9)) == ({INVOICE: [removed(3, 0)]}, False)


def test_a_year_that_is_paid_at_once_is_credited_by_its_days() -> None:
    year = Period(start=date(2025, 1, 31), end=date(2026, 1, 31))
    bought = Bought(10, price=POWER_BI_PRO_PAID_YEARLY, cycle=year)
    assert bought.credits_of_all(at(2, 5)) == ({INVOICE: [removed(10, 360)]}, False)
    assert bought.cancel(at(2, 5)) == 165_699  # 168,000 · 360 / 365 = 165,698.63…


# Laws.

changes = st.lists(st.tuples(st.integers(-6, 6), st.integers(0, 60)), max_size=12)


@given(changes=changes, in_full=st.booleans())
def test_what_the_lines_hold_is_what_the_pool_has(changes: Sequence[tuple[int, int]], *, in_full: bool) -> None:
    """Licenses come and go in the first week, hours apart: of the cycle, no license is charged twice or not at all."""
    bought = Bought(10)
    when = PURCHASED_AT
    for number, (change, hours) in enumerate(changes):
        when = min(when + timedelta(hours=hours), PURCHASED_AT + timedelta(days=7) - AN_HOUR)
        if change > 0:
            bought.add(change, when, invoice_id=an_id(200 + number))
        elif change < 0 and bought.pool.total + change >= 1:
            bought.remove(-change, when, in_full=in_full)
        standings = [invoice.standings[1].quantity for invoice in bought.invoices.values()]
        assert sum(standings) == bought.pool.total
        assert all(
            0 <= invoice.credited_minor <= invoice.total_minor and invoice.due_minor >= 0
            for invoice in bought.invoices.values()
        )


@given(added=st.integers(1, 100), hours=st.integers(0, 6 * 24))
def test_adding_and_removing_at_one_instant_costs_nothing(added: int, hours: int) -> None:
    bought, when = Bought(7), PURCHASED_AT + timedelta(hours=hours)
    bought.add(added, when)
    charged = bought.invoices[INCREASED].total_minor
    assert bought.remove(added, when) == charged
    assert bought.invoices[INVOICE].credited_minor == 0


def test_taking_nothing_credits_nothing() -> None:
    bought = Bought(3)
    assert credits_for([], bought.pool.charges, bought.invoices, at(2, 3), in_full=True) == ({}, False)
