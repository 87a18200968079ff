"""What an auditor may know of people, and until when: `domain.auditor_access`."""

from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

import pytest

from domain.auditor_access import LONGEST, SUBJECTS_AT_A_TIME, AuditorAccess
from domain.refusals import AccessPeriodUnusable, NotFound
from tests.examples import BEN, CHRIS, CYNTHIA, PURCHASED_AT, an_id
from tests.scenario import Scenario, event

ACCESS, EVERYBODY, BEN_ALONE = (an_id(number) for number in (81, 82, 83))
NOW, LATER = PURCHASED_AT, PURCHASED_AT + timedelta(days=30)
CLOSED = partial(AuditorAccess.open, id=ACCESS, auditor_id=CYNTHIA)
GRANTED = event(AuditorAccess.AccessGranted, grant_id=EVERYBODY, purpose="tax_audit", ends_at=LATER, subject_id=None)
FOR_BEN = event(AuditorAccess.AccessGranted, grant_id=BEN_ALONE, purpose="tax_audit", ends_at=LATER, subject_id=BEN)
REVOKED = event(AuditorAccess.AccessRevoked, grant_id=EVERYBODY)


def granting(until: datetime, grant_id: UUID = EVERYBODY) -> partial[None]:
    return partial(AuditorAccess.grant, grant_id=grant_id, purpose="tax_audit", ends_at=until, subject_id=None, at=NOW)


def test_a_grant_is_told_once() -> None:
    Scenario(AuditorAccess).given(CLOSED).when(granting(LATER)).then_told(GRANTED)
    Scenario(AuditorAccess).given(CLOSED, GRANTED).when(granting(LATER)).then_told_nothing()


@pytest.mark.parametrize("until", [NOW, NOW - timedelta(seconds=1), NOW + LONGEST + timedelta(microseconds=1)])
def test_a_grant_ends_later_and_within_a_year(until: datetime) -> None:
    Scenario(AuditorAccess).given(CLOSED).when(granting(until)).then_refused(AccessPeriodUnusable)


def test_the_longest_grant_is_a_year_and_a_day() -> None:
    Scenario(AuditorAccess).given(CLOSED).when(granting(NOW + LONGEST)).then_told(event(AuditorAccess.AccessGranted))


def test_a_grant_is_revoked_once_and_an_unknown_one_does_not_exist() -> None:
    revoke = partial(AuditorAccess.revoke, grant_id=EVERYBODY)
    Scenario(AuditorAccess).given(CLOSED, GRANTED).when(revoke).then_told(REVOKED)
    Scenario(AuditorAccess).given(CLOSED, GRANTED, REVOKED).when(revoke).then_told_nothing()
    Scenario(AuditorAccess).given(CLOSED).when(revoke).then_refused(NotFound)


def test_it_opens_until_it_ends_or_is_revoked() -> None:
    access = CLOSED()
    assert access.opening(BEN, NOW) is None
    GRANTED(access)
    assert access.opening(BEN, LATER - timedelta(microseconds=1)) == EVERYBODY
    assert access.opening(BEN, LATER) is None
    REVOKED(access)
    assert access.opening(BEN, NOW) is None


def test_the_narrowest_grant_is_the_one_that_was_used() -> None:
    access = CLOSED()
    FOR_BEN(access)
    assert (access.opening(BEN, NOW), access.opening(CHRIS, NOW)) == (BEN_ALONE, None)
    GRANTED(access)
    assert (access.opening(BEN, NOW), access.opening(CHRIS, NOW)) == (BEN_ALONE, EVERYBODY)


def test_what_is_read_of_many_is_told_in_parts() -> None:
    access = CLOSED()
    GRANTED(access)
    people = [an_id(number) for number in range(1_000, 1_001 + SUBJECTS_AT_A_TIME)]
    before = len(access.pending_events)
    access.read(EVERYBODY, operation="export purchases", subject_ids=people, purposes=["user_name"])
    told = access.pending_events[before:]
    assert [one for event in told for one in event.subject_ids] == people  # type: ignore[attr-defined]
    assert len(told) == 2
