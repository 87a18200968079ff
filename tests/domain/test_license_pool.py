"""How many licenses there are: the total of `domain.license_pool`, its batches and its end."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from domain.license_pool import LicensePool
from domain.refusals import (
    LicensesStillAssigned,
    RemovalWindowPassed,
    StaleVersion,
    SubscriptionNotActive,
    TooFewLicenses,
    TooManyLicenses,
)
from tests.examples import (
    A_CREDIT_NOTE,
    A_POOL_OF_THREE,
    A_WEEK_LATER,
    ANOTHER_INVOICE,
    BEN,
    BEN_HOLDS_ONE,
    CHRIS,
    CHRIS_HOLDS_ONE,
    INVOICE,
    OFFER,
    POOL,
    POWER_BI_PRO,
    RENEWED_WITH_ONE,
    SUBSCRIPTION,
    THE_LAST_INSTANT,
    THE_SAME_DAY,
    WITHIN_THE_WEEK,
    a_batch,
    a_charge,
    a_pool_of,
    closed,
    resized_to,
)
from tests.scenario import Scenario, event

Resized, Closed = LicensePool.LicensesResized, LicensePool.LicensePoolClosed
OF_THE_POOL = {"subscription_id": SUBSCRIPTION, "product_id": "CFQ7TTC0H9MP"}


# Opening.


def test_a_purchase_opens_a_pool_with_its_first_batch() -> None:
    (
        Scenario(LicensePool)
        .when_born(a_pool_of(3))
        .then_told(
            event(
                LicensePool.LicensePoolOpened,
                **OF_THE_POOL,
                originator_id=POOL,
                offer_id=OFFER,
                total=3,
                price=POWER_BI_PRO,
                batch=a_batch(1, 3),
                removable_until=A_WEEK_LATER,
                charge=a_charge(1),
                document_id=INVOICE,
            )
        )
        .leaving(total=3, assigned=0, free=3, closed=False)
    )


@pytest.mark.parametrize("total", [1, 300])
def test_a_pool_has_from_one_license_to_the_maximum(total: int) -> None:
    (
        Scenario(LicensePool)
        .when_born(a_pool_of(total))
        .then_told(event(LicensePool.LicensePoolOpened, total=total))
        .leaving(total=total)
    )


def test_a_pool_without_licenses_is_refused() -> None:
    Scenario(LicensePool).when_born(a_pool_of(0)).then_refused(TooFewLicenses, total=0)


def test_a_pool_above_the_maximum_is_refused() -> None:
    Scenario(LicensePool).when_born(a_pool_of(301)).then_refused(TooManyLicenses, total=301, maximum=300)


# Adding.


def test_an_increase_opens_a_batch_with_a_window_of_its_own() -> None:
    (
        Scenario(LicensePool)
        .given(A_POOL_OF_THREE)
        .when(resized_to(5, WITHIN_THE_WEEK))
        .then_told(
            event(
                Resized,
                **OF_THE_POOL,
                offer_id=OFFER,
                total=5,
                total_before=3,
                reason="increase",
                price=POWER_BI_PRO,
                batches=(a_batch(2, 2, WITHIN_THE_WEEK),),
                removable_until=WITHIN_THE_WEEK + timedelta(hours=168),
                charge=a_charge(2, invoice_id=ANOTHER_INVOICE),
                document_id=ANOTHER_INVOICE,
                credit_note_ids=(),
            )
        )
        .leaving(total=5, free=5, batches=[a_batch(1, 3), a_batch(2, 2, WITHIN_THE_WEEK)])
    )


def test_added_licenses_can_be_assigned_at_once() -> None:
    (
        Scenario(LicensePool)
        .given(a_pool_of(1), CHRIS_HOLDS_ONE, resized_to(2, THE_SAME_DAY))
        .when(BEN_HOLDS_ONE)
        .then_told(event(LicensePool.LicenseAssigned, member_id=BEN, assigned=2, total=2))
    )


@pytest.mark.parametrize(
    "ask",
    [
        lambda pool: pool.increase(3, POWER_BI_PRO, invoice_id=ANOTHER_INVOICE, at=THE_SAME_DAY),
        lambda pool: pool.decrease(3, POWER_BI_PRO, credit_note_ids=[], at=THE_SAME_DAY),
    ],
    ids=["increase", "decrease"],
)
def test_the_total_that_there_is_tells_nothing(ask: Callable[[LicensePool], None]) -> None:
    Scenario(LicensePool).given(A_POOL_OF_THREE).when(ask).then_told_nothing()


def test_growing_to_the_maximum_is_possible() -> None:
    (
        Scenario(LicensePool)
        .given(A_POOL_OF_THREE)
        .when(resized_to(300, THE_SAME_DAY))
        .then_told(event(Resized, total=300))
    )


def test_growing_above_the_maximum_is_refused() -> None:
    (
        Scenario(LicensePool)
        .given(A_POOL_OF_THREE)
        .when(resized_to(301, THE_SAME_DAY))
        .then_refused(TooManyLicenses, total=301, maximum=300)
    )


def test_another_total_than_expected_is_refused() -> None:
    (
        Scenario(LicensePool)
        .given(A_POOL_OF_THREE, resized_to(5, THE_SAME_DAY))
        .when(lambda pool: pool.refuse_unexpected(3))
        .then_refused(StaleVersion, expected=3, actual=5)
    )


@pytest.mark.parametrize("expected_total", [3, None])
def test_the_expected_total_and_no_expectation_are_fine(expected_total: int | None) -> None:
    (
        Scenario(LicensePool)
        .given(A_POOL_OF_THREE)
        .when(lambda pool: pool.refuse_unexpected(expected_total))
        .then_told_nothing()
    )


# Removing.


def test_a_decrease_within_the_week_takes_from_the_batch() -> None:
    (
        Scenario(LicensePool)
        .given(A_POOL_OF_THREE)
        .when(resized_to(2, THE_SAME_DAY))
        .then_told(
            event(
                Resized,
                **OF_THE_POOL,
                offer_id=OFFER,
                total=2,
                total_before=3,
                reason="decrease",
                price=POWER_BI_PRO,
                batches=(a_batch(1, 2),),
                removable_until=None,
                charge=None,
                document_id=None,
                credit_note_ids=(A_CREDIT_NOTE,),
            )
        )
        .leaving(total=2, batches=[a_batch(1, 2)])
    )


def test_the_window_is_open_until_its_last_microsecond() -> None:
    (
        Scenario(LicensePool)
        .given(A_POOL_OF_THREE)
        .when(resized_to(1, THE_LAST_INSTANT))
        .then_told(event(Resized, total=1, batches=(a_batch(1, 1),)))
    )


def test_the_window_is_closed_after_seven_times_24_hours() -> None:
    (
        Scenario(LicensePool)
        .given(A_POOL_OF_THREE)
        .when(resized_to(2, A_WEEK_LATER))
        .then_refused(RemovalWindowPassed, asked=1, removable_now=0, windows=[])
    )


def test_the_newest_batch_goes_first_across_a_batch_boundary() -> None:
    """Three bought, two added, two added: of five removed, the last is from the purchase."""
    (
        Scenario(LicensePool)
        .given(A_POOL_OF_THREE, resized_to(5, THE_SAME_DAY), resized_to(7, WITHIN_THE_WEEK))
        .when(resized_to(2, WITHIN_THE_WEEK))
        .then_told(
            event(
                Resized,
                total=2,
                total_before=7,
                batches=(a_batch(3, 0, WITHIN_THE_WEEK), a_batch(2, 0, THE_SAME_DAY), a_batch(1, 2)),
            )
        )
        .leaving(batches=[a_batch(1, 2)])
    )


def test_a_part_of_the_newest_batch_leaves_the_others_alone() -> None:
    (
        Scenario(LicensePool)
        .given(A_POOL_OF_THREE, resized_to(5, THE_SAME_DAY), resized_to(7, WITHIN_THE_WEEK))
        .when(resized_to(6, WITHIN_THE_WEEK))
        .then_told(event(Resized, batches=(a_batch(3, 1, WITHIN_THE_WEEK),)))
        .leaving(batches=[a_batch(1, 3), a_batch(2, 2, THE_SAME_DAY), a_batch(3, 1, WITHIN_THE_WEEK)])
    )


def test_a_younger_batch_can_go_after_the_purchase_cannot() -> None:
    (
        Scenario(LicensePool)
        .given(A_POOL_OF_THREE, resized_to(5, WITHIN_THE_WEEK))
        .when(resized_to(3, A_WEEK_LATER))
        .then_told(event(Resized, total=3, batches=(a_batch(2, 0, WITHIN_THE_WEEK),)))
        .leaving(batches=[a_batch(1, 3)])
    )


def test_a_decrease_is_whole_or_refused_with_what_could_go_and_until_when() -> None:
    until = WITHIN_THE_WEEK + timedelta(hours=168)
    (
        Scenario(LicensePool)
        .given(A_POOL_OF_THREE, resized_to(5, WITHIN_THE_WEEK))
        .when(resized_to(2, A_WEEK_LATER))
        .then_refused(
            RemovalWindowPassed,
            asked=3,
            removable_now=2,
            windows=[{"licenses": 2, "until": until.isoformat()}],
        )
    )


def test_a_batch_number_is_never_used_again() -> None:
    (
        Scenario(LicensePool)
        .given(A_POOL_OF_THREE, resized_to(5, THE_SAME_DAY), resized_to(3, THE_SAME_DAY))
        .when(resized_to(4, WITHIN_THE_WEEK))
        .then_told(event(Resized, batches=(a_batch(3, 1, WITHIN_THE_WEEK),)))
        .leaving(batches=[a_batch(1, 3), a_batch(3, 1, WITHIN_THE_WEEK)])
    )


def test_shrinking_below_the_holders_is_refused() -> None:
    (
        Scenario(LicensePool)
        .given(A_POOL_OF_THREE, CHRIS_HOLDS_ONE, BEN_HOLDS_ONE)
        .when(resized_to(1, THE_SAME_DAY))
        .then_refused(LicensesStillAssigned, total=1, assigned=2)
    )


def test_shrinking_to_the_holders_is_possible() -> None:
    (
        Scenario(LicensePool)
        .given(A_POOL_OF_THREE, CHRIS_HOLDS_ONE, BEN_HOLDS_ONE)
        .when(resized_to(2, THE_SAME_DAY))
        .then_told(event(Resized, total=2))
        .leaving(total=2, assigned=2, free=0)
    )


@pytest.mark.parametrize("total", [0, -1])
def test_shrinking_below_one_is_refused(total: int) -> None:
    (
        Scenario(LicensePool)
        .given(A_POOL_OF_THREE)
        .when(resized_to(total, THE_SAME_DAY))
        .then_refused(TooFewLicenses, total=total)
    )


def test_a_renewal_closes_all_other_batches() -> None:
    (
        Scenario(LicensePool)
        .given(A_POOL_OF_THREE, RENEWED_WITH_ONE)
        .when(resized_to(2, A_WEEK_LATER))
        .then_told(event(Resized, total=2))
        .leaving(batches=[a_batch(2, 1, A_WEEK_LATER), a_batch(3, 1, A_WEEK_LATER)])
    )


# Closing.


def test_closing_ends_every_assignment_with_their_count() -> None:
    (
        Scenario(LicensePool)
        .given(A_POOL_OF_THREE, CHRIS_HOLDS_ONE, BEN_HOLDS_ONE)
        .when(lambda pool: pool.close("cancelled"))
        .then_told(
            event(LicensePool.LicensePoolClosed, **OF_THE_POOL, total=3, assignments_ended=2, reason="cancelled")
        )
        .leaving(assigned=0, free=0, excess=0, closed=True)
    )


def test_who_held_a_license_at_the_end_is_kept_for_a_reactivation_oldest_first() -> None:
    pool = A_POOL_OF_THREE()
    for fact in (BEN_HOLDS_ONE, CHRIS_HOLDS_ONE, closed):
        fact(pool)
    assert list(pool.former_holders) == [BEN, CHRIS]
    assert list(pool.holders) == []


def test_closing_again_tells_nothing() -> None:
    Scenario(LicensePool).given(A_POOL_OF_THREE, closed).when(lambda pool: pool.close("ended")).then_told_nothing()


@pytest.mark.parametrize("total", [2, 5])
def test_a_closed_pool_cannot_be_resized(total: int) -> None:
    (
        Scenario(LicensePool)
        .given(A_POOL_OF_THREE, closed)
        .when(resized_to(total, THE_SAME_DAY))
        .then_refused(SubscriptionNotActive, state="disabled")
    )
