"""Who holds a license: assigning from `domain.license_pool`, and taking back."""

from uuid import UUID

import pytest

from domain.license_pool import USERS_AT_ONCE, LicensePool, refuse_many_users
from domain.member import Member
from domain.refusals import (
    NotEnoughLicenses,
    SubscriptionNotActive,
    TooManyUsersAtOnce,
    UserNotInOrganization,
)
from tests.examples import (
    A_POOL_OF_THREE,
    A_STRANGER,
    A_WEEK_LATER,
    BEN,
    BEN_HOLDS_ONE,
    CHRIS,
    CHRIS_HOLDS_ONE,
    CYNTHIA,
    DAVID,
    MELISSA,
    RENEWED_WITH_ONE,
    SUBSCRIPTION,
    a_batch,
    a_pool_of,
    an_id,
    candidates,
    closed,
    holding,
    resized_to,
)
from tests.scenario import Scenario, event

Resized, Assigned, Unassigned = LicensePool.LicensesResized, LicensePool.LicenseAssigned, LicensePool.LicenseUnassigned
OF_THE_POOL = {"subscription_id": SUBSCRIPTION, "product_id": "CFQ7TTC0H9MP"}


# Assigning.


def test_assigning_tells_each_license_in_the_order_asked_for() -> None:
    (
        Scenario(LicensePool)
        .given(A_POOL_OF_THREE)
        .when(holding(BEN, CHRIS))
        .then_told(
            event(Assigned, **OF_THE_POOL, member_id=BEN, assigned=1, total=3),
            event(Assigned, **OF_THE_POOL, member_id=CHRIS, assigned=2, total=3),
        )
        .leaving(assigned=2, free=1)
    )


def test_assigning_again_tells_nothing() -> None:
    (
        Scenario(LicensePool)
        .given(A_POOL_OF_THREE, CHRIS_HOLDS_ONE)
        .when(CHRIS_HOLDS_ONE)
        .then_told_nothing()
        .leaving(assigned=1)
    )


def test_a_holder_is_left_alone_and_needs_no_second_license() -> None:
    (
        Scenario(LicensePool)
        .given(a_pool_of(2), CHRIS_HOLDS_ONE)
        .when(holding(CHRIS, BEN))
        .then_told(event(Assigned, member_id=BEN, assigned=2))
    )


def test_a_holder_who_was_deactivated_since_is_left_alone() -> None:
    (
        Scenario(LicensePool)
        .given(A_POOL_OF_THREE, CHRIS_HOLDS_ONE)
        .when(lambda pool: pool.assign(candidates(BEN, but={CHRIS: deactivated(CHRIS)})))
        .then_told(event(Assigned, member_id=BEN))
        .leaving(assigned=2)
    )


def test_more_users_than_free_licenses_are_refused_whole() -> None:
    (
        Scenario(LicensePool)
        .given(A_POOL_OF_THREE, CHRIS_HOLDS_ONE)
        .when(holding(CHRIS, BEN, DAVID, CYNTHIA))
        .then_refused(NotEnoughLicenses, wanted=3, free=2)
    )


def test_every_user_that_cannot_hold_a_license_is_named_with_the_reason() -> None:
    cannot = {A_STRANGER: None, DAVID: deactivated(DAVID), MELISSA: removed(MELISSA)}
    (
        Scenario(LicensePool)
        .given(A_POOL_OF_THREE)
        .when(lambda pool: pool.assign(candidates(BEN, but=cannot)))
        .then_refused(
            UserNotInOrganization,
            reasons={str(A_STRANGER): "unknown", str(DAVID): "deactivated", str(MELISSA): "removed"},
        )
    )


def test_users_are_named_before_licenses_are_counted() -> None:
    """Adding licenses for a stranger would help nobody."""
    (
        Scenario(LicensePool)
        .given(a_pool_of(1))
        .when(lambda pool: pool.assign(candidates(BEN, CHRIS, but={A_STRANGER: None})))
        .then_refused(UserNotInOrganization, reasons={str(A_STRANGER): "unknown"})
    )


def test_a_guest_can_hold_a_license() -> None:
    guest = Member.add(id=BEN, kind="guest", details={})
    (
        Scenario(LicensePool)
        .given(A_POOL_OF_THREE)
        .when(lambda pool: pool.assign({BEN: guest}))
        .then_told(event(Assigned, member_id=BEN))
    )


def test_twenty_users_are_assigned_at_once() -> None:
    twenty = [an_id(100 + number) for number in range(20)]
    (
        Scenario(LicensePool)
        .given(a_pool_of(30))
        .when(holding(*twenty))
        .then_told(*(event(Assigned, member_id=user, assigned=number) for number, user in enumerate(twenty, start=1)))
    )


def test_twenty_one_users_at_once_are_refused() -> None:
    (
        Scenario(LicensePool)
        .given(a_pool_of(30))
        .when(holding(*(an_id(100 + number) for number in range(21))))
        .then_refused(TooManyUsersAtOnce, users=21, maximum=20)
    )


def test_the_same_bound_holds_for_who_unassigns() -> None:
    refuse_many_users(USERS_AT_ONCE)
    with pytest.raises(TooManyUsersAtOnce):
        refuse_many_users(USERS_AT_ONCE + 1)


# Unassigning.


def test_unassigning_frees_the_license_at_once() -> None:
    (
        Scenario(LicensePool)
        .given(A_POOL_OF_THREE, CHRIS_HOLDS_ONE, BEN_HOLDS_ONE)
        .when(lambda pool: pool.unassign([CHRIS]))
        .then_told(event(Unassigned, **OF_THE_POOL, member_id=CHRIS, assigned=1, total=3, reason="requested"))
        .leaving(assigned=1, free=2)
    )


def test_unassigning_who_holds_none_tells_nothing() -> None:
    (
        Scenario(LicensePool)
        .given(A_POOL_OF_THREE, CHRIS_HOLDS_ONE)
        .when(lambda pool: pool.unassign([BEN, A_STRANGER]))
        .then_told_nothing()
    )


def test_a_user_named_twice_is_unassigned_once() -> None:
    (
        Scenario(LicensePool)
        .given(A_POOL_OF_THREE, CHRIS_HOLDS_ONE)
        .when(lambda pool: pool.unassign([CHRIS, BEN, CHRIS]))
        .then_told(event(Unassigned, member_id=CHRIS, assigned=0))
    )


def test_a_removed_member_frees_the_license_with_that_reason() -> None:
    (
        Scenario(LicensePool)
        .given(A_POOL_OF_THREE, CHRIS_HOLDS_ONE)
        .when(lambda pool: pool.unassign([CHRIS], reason="member_removed"))
        .then_told(event(Unassigned, member_id=CHRIS, reason="member_removed"))
    )


def test_who_is_assigned_anew_is_the_newest() -> None:
    pool = a_pool_of(3)()
    holding(CHRIS, BEN, DAVID)(pool)
    pool.unassign([CHRIS])
    CHRIS_HOLDS_ONE(pool)
    assert list(pool.holders) == [BEN, DAVID, CHRIS]
    assert pool.holders.newest(2) == [CHRIS, DAVID]


# More assigned than there are: a decrease that was scheduled, taken into effect by a renewal.


def test_over_assigned_nothing_is_free() -> None:
    (
        Scenario(LicensePool)
        .given(A_POOL_OF_THREE, holding(CHRIS, BEN), RENEWED_WITH_ONE)
        .when(holding(DAVID))
        .then_refused(NotEnoughLicenses, wanted=1, free=0)
        .leaving(total=1, assigned=2, free=0)
    )


def test_over_assigned_holders_are_left_alone() -> None:
    (
        Scenario(LicensePool)
        .given(A_POOL_OF_THREE, holding(CHRIS, BEN), RENEWED_WITH_ONE)
        .when(holding(CHRIS, BEN))
        .then_told_nothing()
    )


def test_over_assigned_a_license_taken_back_is_not_free_until_all_fit() -> None:
    (
        Scenario(LicensePool)
        .given(A_POOL_OF_THREE, holding(CHRIS, BEN), RENEWED_WITH_ONE)
        .when(lambda pool: pool.unassign([BEN]))
        .then_told(event(Unassigned, assigned=1, total=1))
        .leaving(free=0)
    )


def test_over_assigned_more_licenses_may_be_bought_though_not_enough() -> None:
    (
        Scenario(LicensePool)
        .given(A_POOL_OF_THREE, holding(CHRIS, BEN, DAVID), RENEWED_WITH_ONE)
        .when(resized_to(2, A_WEEK_LATER))
        .then_told(event(Resized, total=2, batches=(a_batch(3, 1, A_WEEK_LATER),)))
        .leaving(assigned=3, free=0)
    )


# Closed.


@pytest.mark.parametrize("member_id", [CHRIS, A_STRANGER])
def test_a_closed_pool_gives_no_license(member_id: UUID) -> None:
    (
        Scenario(LicensePool)
        .given(A_POOL_OF_THREE, closed)
        .when(holding(member_id))
        .then_refused(SubscriptionNotActive, subscription_id=str(SUBSCRIPTION), state="disabled")
    )


def test_unassigning_from_a_closed_pool_tells_nothing() -> None:
    (
        Scenario(LicensePool)
        .given(A_POOL_OF_THREE, CHRIS_HOLDS_ONE, closed)
        .when(lambda pool: pool.unassign([CHRIS]))
        .then_told_nothing()
    )


# Members, as the ledger finds them.


def deactivated(member_id: UUID) -> Member:
    member = Member.add(id=member_id, kind="member", details={})
    member.deactivate()
    return member


def removed(member_id: UUID) -> Member:
    member = Member.add(id=member_id, kind="member", details={})
    member.remove()
    return member
