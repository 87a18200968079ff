"""What licenses are charged for, cycle by cycle and term by term: `domain.license_pool`."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import get_args

import pytest

from domain.calendar import Period, cycle
from domain.license_pool import CloseReason, LicensePool
from domain.refusals import RemovalWindowPassed
from tests.examples import (
    A_POOL_OF_THREE,
    A_WEEK_LATER,
    ANOTHER_INVOICE,
    BEN,
    CHRIS,
    DAVID,
    INVOICE,
    OFFER,
    POWER_BI_PRO,
    SUBSCRIPTION,
    THE_CYCLE,
    THE_LAST_INSTANT,
    THE_NEXT_CYCLE,
    THE_SAME_DAY,
    WITHIN_THE_WEEK,
    a_batch,
    a_charge,
    a_pool_of,
    an_id,
    candidates,
    holding,
    resized_to,
)
from tests.scenario import Scenario, event

Resized, Charged, Unassigned = LicensePool.LicensesResized, LicensePool.LicensesCharged, LicensePool.LicenseUnassigned
OF_THE_POOL = {"subscription_id": SUBSCRIPTION, "product_id": "CFQ7TTC0H9MP"}
Deed = Callable[[LicensePool], None]

RENEWED_AT = A_WEEK_LATER + timedelta(days=21)  # February 28
A_YEAR = Period(start=date(2025, 2, 28), end=date(2026, 1, 31))


def renewed(total: int = 3, *, term: Period = THE_NEXT_CYCLE) -> Deed:
    return lambda pool: pool.renew(
        total, POWER_BI_PRO, invoice_id=ANOTHER_INVOICE, line=2, cycle=THE_NEXT_CYCLE, term=term, at=RENEWED_AT
    )


def charged(period: Period = THE_NEXT_CYCLE, *, number: int = 35) -> Deed:
    return lambda pool: pool.charge(invoice_id=an_id(number), line=2, cycle=period)


# Renewal.


def test_a_renewal_opens_a_batch_of_all_and_closes_the_others() -> None:
    (
        Scenario(LicensePool)
        .given(A_POOL_OF_THREE, resized_to(5, WITHIN_THE_WEEK))
        .when(renewed(5))
        .then_told(
            event(
                Resized,
                **OF_THE_POOL,
                offer_id=OFFER,
                total=5,
                total_before=5,
                reason="renewal",
                price=POWER_BI_PRO,
                batches=(a_batch(3, 5, RENEWED_AT),),
                removable_until=RENEWED_AT + timedelta(hours=168),
                charge=a_charge(3, invoice_id=ANOTHER_INVOICE, line=2, cycle=THE_NEXT_CYCLE),
                document_id=ANOTHER_INVOICE,
                credit_note_ids=(),
                over_assigned_until=None,
            )
        )
        .leaving(batches=[a_batch(3, 5, RENEWED_AT)], cycle=THE_NEXT_CYCLE, charged_until=date(2025, 3, 31))
    )


def test_its_window_is_that_of_the_renewal() -> None:
    pool = A_POOL_OF_THREE()
    renewed()(pool)
    assert pool.removable_now(RENEWED_AT + timedelta(hours=168) - timedelta(microseconds=1)) == 3
    assert pool.removable_now(RENEWED_AT + timedelta(hours=168)) == 0


@pytest.mark.parametrize(
    ("term", "until"),
    [
        (THE_NEXT_CYCLE, date(2025, 3, 31)),  # the end of the term comes before 90 days
        (A_YEAR, date(2025, 5, 29)),  # 90 days
    ],
)
def test_a_renewal_below_the_holders_says_when_the_newest_lose_theirs(term: Period, until: date) -> None:
    (
        Scenario(LicensePool)
        .given(A_POOL_OF_THREE, holding(CHRIS, BEN, DAVID))
        .when(renewed(1, term=term))
        .then_told(event(Resized, total=1, total_before=3, over_assigned_until=until))
        .leaving(assigned=3, excess=2, free=0, over_assigned_until=until)
    )


def test_a_renewal_to_exactly_the_holders_takes_nobodys_license() -> None:
    (
        Scenario(LicensePool)
        .given(A_POOL_OF_THREE, holding(CHRIS, BEN))
        .when(renewed(2))
        .then_told(event(Resized, total=2, total_before=3, over_assigned_until=None))
        .leaving(assigned=2, excess=0, free=0)
    )


def test_the_newest_assignments_above_the_total_end() -> None:
    (
        Scenario(LicensePool)
        .given(A_POOL_OF_THREE, holding(CHRIS, BEN, DAVID), renewed(1))
        .when(lambda pool: pool.unassign_excess())
        .then_told(
            event(Unassigned, member_id=DAVID, assigned=2, total=1, reason="over_assigned"),
            event(Unassigned, member_id=BEN, assigned=1, total=1, reason="over_assigned"),
        )
        .leaving(excess=0)
    )


def test_where_all_fit_nobody_loses_a_license() -> None:
    (
        Scenario(LicensePool)
        .given(A_POOL_OF_THREE, holding(CHRIS))
        .when(lambda pool: pool.unassign_excess())
        .then_told_nothing()
    )


# Cycles within a term.


def test_a_cycle_is_charged_for_all_and_opens_no_batch() -> None:
    (
        Scenario(LicensePool)
        .given(A_POOL_OF_THREE, resized_to(5, WITHIN_THE_WEEK))
        .when(charged())
        .then_told(
            event(
                Charged,
                **OF_THE_POOL,
                total=5,
                charge=a_charge(2, invoice_id=an_id(35), line=2, cycle=THE_NEXT_CYCLE),
                document_id=an_id(35),
            )
        )
        .leaving(
            total=5,
            batches=[a_batch(1, 3), a_batch(2, 2, WITHIN_THE_WEEK)],
            cycle=THE_NEXT_CYCLE,
            charged_until=date(2025, 3, 31),
        )
    )


def test_what_is_added_later_is_charged_for_the_cycle_that_runs() -> None:
    (
        Scenario(LicensePool)
        .given(A_POOL_OF_THREE, charged())
        .when(resized_to(4, RENEWED_AT, invoice_id=an_id(36)))
        .then_told(event(Resized, charge=a_charge(2, invoice_id=an_id(36), cycle=THE_NEXT_CYCLE)))
    )


def test_the_charges_within_reach_are_those_of_this_cycle_and_the_one_before() -> None:
    months = [cycle(date(2025, 1, 31), "monthly", number) for number in range(4)]
    pool = A_POOL_OF_THREE()
    resized_to(4, THE_SAME_DAY)(pool)
    for number, month in enumerate(months[1:], start=50):
        resized_to(pool.total + 1, RENEWED_AT)(pool)
        charged(month, number=number)(pool)
    assert {charge.cycle for charge in pool.charges} == {months[2], months[3]}


def test_all_that_was_charged_for_one_batch_stays_within_reach() -> None:
    """A year that was renewed late is young with all its cycles; what came before it is forgotten."""
    months = [cycle(date(2025, 1, 31), "monthly", number) for number in range(6)]
    pool = A_POOL_OF_THREE()
    charged(months[1])(pool)
    charged(months[2])(pool)
    pool.renew(3, POWER_BI_PRO, invoice_id=INVOICE, line=1, cycle=months[3], term=A_YEAR, at=RENEWED_AT)
    charged(months[4])(pool)
    charged(months[5])(pool)
    assert [charge.cycle for charge in pool.charges] == months[3:]


# Taking away.


def test_what_a_decrease_would_take_is_answered_newest_first() -> None:
    pool = A_POOL_OF_THREE()
    resized_to(5, WITHIN_THE_WEEK)(pool)
    pool.collect_events()
    assert pool.taken_by(2, POWER_BI_PRO, WITHIN_THE_WEEK) == [(a_batch(2, 2, WITHIN_THE_WEEK), 2), (a_batch(1, 3), 1)]
    assert pool.taken_by(4, POWER_BI_PRO, WITHIN_THE_WEEK) == [(a_batch(2, 2, WITHIN_THE_WEEK), 1)]
    assert not pool.pending_events


def test_three_more_than_the_two_of_the_newest_batch_are_refused_whole() -> None:
    """Five added on February 10, three removed; the purchase of January 31 is too old."""
    february_10 = THE_LAST_INSTANT + timedelta(days=3)
    (
        Scenario(LicensePool)
        .given(a_pool_of(100), resized_to(105, february_10), resized_to(102, february_10 + timedelta(days=2)))
        .when(resized_to(99, february_10 + timedelta(days=2)))
        .then_refused(RemovalWindowPassed, asked=3, removable_now=2)
    )


def test_a_cancellation_takes_all_batches_whatever_their_age_newest_first() -> None:
    pool = A_POOL_OF_THREE()
    resized_to(5, WITHIN_THE_WEEK)(pool)
    assert pool.all_batches() == [(a_batch(2, 2, WITHIN_THE_WEEK), 2), (a_batch(1, 3), 3)]


# Taking over the holders of another pool.


def test_holders_who_come_over_together_may_be_more_than_twenty_and_deactivated() -> None:
    many = [an_id(400 + number) for number in range(25)]
    found = candidates(*many)
    for member in list(found.values())[:2]:
        assert member is not None
        member.deactivate()
    pool = a_pool_of(25)()
    pool.assign(found, all_at_once=True)
    assert list(pool.holders) == many


@pytest.mark.parametrize("reason", get_args(CloseReason))
def test_a_pool_says_why_it_was_closed(reason: CloseReason) -> None:
    (
        Scenario(LicensePool)
        .given(A_POOL_OF_THREE, holding(BEN, CHRIS))
        .when(lambda pool: pool.close(reason))
        .then_told(event(LicensePool.LicensePoolClosed, **OF_THE_POOL, total=3, assignments_ended=2, reason=reason))
    )


def test_the_first_cycle_is_that_of_the_purchase() -> None:
    pool = A_POOL_OF_THREE()
    assert (pool.cycle, pool.charged_until) == (THE_CYCLE, date(2025, 2, 28))
