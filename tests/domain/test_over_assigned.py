"""More licenses assigned than there are, after a renewal with fewer."""

from datetime import date, timedelta

from domain.calendar import Period
from domain.license_pool import LicensePool
from tests.examples import BEN, CHRIS, DAVID, POOL, POWER_BI_PRO, PURCHASED_AT, SUBSCRIPTION, an_id, candidates

FEBRUARY = Period(start=date(2025, 2, 28), end=date(2025, 3, 31))
RENEWED_AT = PURCHASED_AT + timedelta(days=28)


def renewed_with_one_of_three() -> LicensePool:
    """Three hold a license, and there is one."""
    pool = LicensePool.open(
        id=POOL,
        subscription_id=SUBSCRIPTION,
        total=3,
        price=POWER_BI_PRO,
        invoice_id=an_id(1),
        cycle=Period(start=date(2025, 1, 31), end=date(2025, 2, 28)),
        at=PURCHASED_AT,
    )
    pool.assign(candidates(CHRIS, BEN, DAVID))
    pool.renew(1, POWER_BI_PRO, invoice_id=an_id(2), line=1, cycle=FEBRUARY, term=FEBRUARY, at=RENEWED_AT)
    return pool


def test_an_increase_that_is_too_small_leaves_the_day_on_which_the_newest_lose_theirs() -> None:
    pool = renewed_with_one_of_three()
    pool.increase(2, POWER_BI_PRO, invoice_id=an_id(3), at=RENEWED_AT)
    assert (pool.excess, pool.over_assigned_until) == (1, date(2025, 3, 31))


def test_an_increase_to_all_that_are_assigned_ends_it() -> None:
    pool = renewed_with_one_of_three()
    pool.increase(3, POWER_BI_PRO, invoice_id=an_id(3), at=RENEWED_AT)
    assert (pool.excess, pool.over_assigned_until) == (0, None)


def test_the_total_that_there_is_tells_nothing_also_below_the_holders() -> None:
    pool = renewed_with_one_of_three()
    pool.collect_events()
    pool.decrease(1, POWER_BI_PRO, credit_note_ids=[], at=RENEWED_AT)
    pool.increase(1, POWER_BI_PRO, invoice_id=an_id(3), at=RENEWED_AT)
    assert not pool.pending_events
