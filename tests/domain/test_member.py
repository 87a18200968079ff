"""Members come, pause, go and come back, under pseudonymous ids: `domain.member`."""

from collections.abc import Callable, Sequence
from datetime import date

import pytest

from domain.member import FACTS_AT_A_TIME, Member
from domain.personal import ErasedFact, KeptFact, PersonalFact
from domain.refusals import GuestMayNotBuy, MemberNotActive, MemberStillActive, PersonalFactsKept
from tests.examples import A_GUEST, A_MEMBER, BEN, CHRIS, CHRIS_GREEN, an_id
from tests.scenario import MAPPER, Scenario, event

Ask = Callable[[Member], None]

A_TITLE = PersonalFact(fact_id=an_id(23), subject_id=CHRIS, purpose="job_title", value="IT Manager", salt="2e" * 32)


def test_a_member_is_added_with_commitments_for_details() -> None:
    (
        Scenario(Member)
        .when_born(A_MEMBER)
        .then_told(
            event(Member.MemberAdded, originator_id=CHRIS, kind="member", details={"display_name": CHRIS_GREEN.ref})
        )
        .leaving(kind="member", status="active", active=True)
    )


def test_no_detail_is_stored_in_an_event() -> None:
    [added] = A_MEMBER().pending_events
    stored = MAPPER.to_stored_event(added).state
    assert CHRIS_GREEN.ref.commitment.encode() in stored
    assert not any(part in stored for part in (b"Chris", b"Green", CHRIS_GREEN.salt.encode()))


def test_changed_details_leave_the_others_as_they_are() -> None:
    (
        Scenario(Member)
        .given(A_MEMBER)
        .when(lambda member: member.change_details({"job_title": A_TITLE.ref}))
        .then_told(event(Member.MemberDetailsChanged, details={"job_title": A_TITLE.ref}))
        .leaving(details={"display_name": CHRIS_GREEN.ref, "job_title": A_TITLE.ref})
    )


def test_no_changed_details_tell_nothing() -> None:
    Scenario(Member).given(A_MEMBER).when(lambda member: member.change_details({})).then_told_nothing()


@pytest.mark.parametrize(
    ("given", "ask", "told", "status"),
    [
        ([], Member.deactivate, Member.MemberDeactivated, "deactivated"),
        ([Member.deactivate], Member.reactivate, Member.MemberReactivated, "active"),
        ([], Member.remove, Member.MemberRemoved, "removed"),
        ([Member.deactivate], Member.remove, Member.MemberRemoved, "removed"),
        ([Member.remove], Member.restore, Member.MemberRestored, "active"),
        ([Member.deactivate, Member.remove], Member.restore, Member.MemberRestored, "active"),
    ],
)
def test_the_life_of_a_member(given: list[Ask], ask: Ask, told: type[Member.Event], status: str) -> None:
    Scenario(Member).given(A_MEMBER, *given).when(ask).then_told(event(told)).leaving(status=status)


@pytest.mark.parametrize(
    ("given", "ask"),
    [
        ([Member.deactivate], Member.deactivate),
        ([], Member.reactivate),
        ([Member.remove], Member.remove),
        ([], Member.restore),
        ([Member.deactivate], Member.restore),
    ],
)
def test_what_is_so_already_tells_nothing(given: list[Ask], ask: Ask) -> None:
    Scenario(Member).given(A_MEMBER, *given).when(ask).then_told_nothing()


@pytest.mark.parametrize("ask", [Member.deactivate, Member.reactivate])
def test_a_removed_member_is_restored_and_not_reactivated(ask: Ask) -> None:
    (
        Scenario(Member)
        .given(A_MEMBER, Member.remove)
        .when(ask)
        .then_refused(MemberNotActive, member_id=str(CHRIS), status="removed")
    )


@pytest.mark.parametrize(("given", "status"), [(Member.deactivate, "deactivated"), (Member.remove, "removed")])
def test_only_an_active_member_may_act(given: Ask, status: str) -> None:
    (
        Scenario(Member)
        .given(A_MEMBER, given)
        .when(Member.refuse_unless_purchaser)
        .then_refused(MemberNotActive, status=status)
    )


def test_a_member_may_buy() -> None:
    Scenario(Member).given(A_MEMBER).when(Member.refuse_unless_purchaser).then_told_nothing()


def test_a_guest_may_act_and_may_not_buy() -> None:
    Scenario(Member).given(A_GUEST).when(Member.refuse_unless_active).then_told_nothing()
    Scenario(Member).given(A_GUEST).when(Member.refuse_unless_purchaser).then_refused(
        GuestMayNotBuy, member_id=str(BEN)
    )


A_FACT = ErasedFact(fact_id=an_id(23), purpose="job_title")
A_KEPT_ONE = KeptFact(fact_id=an_id(24), purpose="tax_id", keep_until=date(2035, 12, 31), number="A-000001")


def erasing(*erased: ErasedFact, kept: Sequence[KeptFact] = (), what_may_go: bool = False, cards: int = 0) -> Ask:
    return lambda member: member.erase(
        erased,
        kept=kept,
        what_may_go=what_may_go,
        payment_method_ids=[an_id(40 + number) for number in range(cards)],
        reason="objected",
    )


def left(member: Member) -> None:
    member.remove()


def test_who_has_left_is_forgotten() -> None:
    (
        Scenario(Member)
        .given(A_MEMBER, left)
        .when(erasing(A_FACT, cards=1))
        .then_told(
            event(
                Member.PersonalDataErased,
                erased=(A_FACT,),
                kept=(),
                payment_method_ids=(an_id(40),),
                reason="objected",
            )
        )
    )
    Scenario(Member).given(A_MEMBER, left).when(erasing(cards=1)).then_told(event(Member.PersonalDataErased))
    Scenario(Member).given(A_MEMBER, left).when(erasing()).then_told_nothing()


def test_who_is_there_is_not_forgotten() -> None:
    Scenario(Member).given(A_MEMBER).when(erasing(A_FACT)).then_refused(MemberStillActive)
    Scenario(Member).given(A_MEMBER, Member.deactivate).when(erasing(A_FACT)).then_refused(MemberStillActive)


def test_what_must_be_kept_keeps_all_unless_the_rest_is_asked_for() -> None:
    there = Scenario(Member).given(A_MEMBER, left)
    there.when(erasing(A_FACT, kept=[A_KEPT_ONE])).then_refused(PersonalFactsKept, keep_until="2035-12-31", erasable=1)
    there = Scenario(Member).given(A_MEMBER, left)
    there.when(erasing(A_FACT, kept=[A_KEPT_ONE], what_may_go=True)).then_told(
        event(Member.PersonalDataErased, erased=(A_FACT,), kept=(A_KEPT_ONE,))
    )
    there = Scenario(Member).given(A_MEMBER, left)
    there.when(erasing(kept=[A_KEPT_ONE], what_may_go=True)).then_told_nothing()


def test_much_is_erased_in_parts() -> None:
    facts = [ErasedFact(fact_id=an_id(number), purpose="feedback") for number in range(2 * FACTS_AT_A_TIME + 1)]
    member = A_MEMBER()
    left(member)
    before = len(member.pending_events)
    erasing(*facts, kept=[A_KEPT_ONE], what_may_go=True, cards=1)(member)
    told = [one for one in member.pending_events[before:] if isinstance(one, Member.PersonalDataErased)]
    assert [fact for one in told for fact in one.erased] == facts
    assert [(len(one.kept), len(one.payment_method_ids)) for one in told] == [(1, 1), (0, 0), (0, 0)]
