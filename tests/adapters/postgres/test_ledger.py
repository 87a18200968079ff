"""Saves and loads of real aggregates: once, whole, by organization, and answered again for ever."""

from __future__ import annotations

from collections import Counter
from threading import Barrier
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from domain.license_pool import LicensePool
from domain.member import Member
from domain.refusals import CommandIdReused, NotFound, SaveTooLarge, TooManyLicenses
from services.ledger import EVENT_BYTES, Ledger
from services.ports import AlreadyRecorded, Receipt, VersionConflict
from tests.adapters.postgres.conftest import Admin
from tests.adapters.postgres.writers import a_change, a_pool, at_once, change_pool, save
from tests.examples import THE_SAME_DAY, resized_to


def count(admin: Admin, table: str = "events") -> int:
    (rows,) = admin.execute(f"SELECT count(*) FROM ledger.{table}").fetchone() or (0,)  # noqa: S608 - own words
    return int(rows)


def resized(pool: LicensePool, total: int) -> LicensePool:
    resized_to(total, THE_SAME_DAY)(pool)
    return pool


# Told and loaded.


def test_what_was_saved_is_loaded_and_its_receipt_answers_for_its_events(ledger: Ledger) -> None:
    organization_id, pool = uuid4(), resized(a_pool(), 7)
    receipt = save(ledger, pool, organization_id=organization_id)
    loaded = ledger.license_pool(organization_id, pool.id)
    assert (loaded.total, loaded.version, loaded.batches) == (7, 2, pool.batches)
    assert [type(event).__name__ for event in ledger.told(organization_id, receipt)] == [
        "LicensePoolOpened",
        "LicensesResized",
    ]
    assert (receipt.organization_seq, receipt.events) == (2, 2)


def test_the_envelope_says_who_why_and_when(ledger: Ledger) -> None:
    organization_id, pool = uuid4(), resized(a_pool(), 7)
    command = a_change(organization_id, pool, 7)
    save(ledger, pool, organization_id=organization_id, because=command)
    first, second = (event.envelope for event in ledger.history.load_events(organization_id, pool.id))
    assert (first.actor_id, first.actor_role, first.command) == (command.actor.id, "admin", "change_pool")
    assert (first.command_id, first.correlation_id, first.causation_id) == (
        command.command_id,
        command.command_id,
        None,
    )
    assert [(e.index, e.count) for e in (first, second)] == [(0, 2), (1, 2)]
    assert first.occurred_at == second.occurred_at == pool.occurred_at


def test_another_organization_s_aggregate_is_not_found_and_may_have_the_same_id(ledger: Ledger) -> None:
    mine, theirs, pool = uuid4(), uuid4(), a_pool()
    opened = list(pool.pending_events)
    save(ledger, pool, organization_id=mine)
    with pytest.raises(NotFound):
        ledger.license_pool(theirs, pool.id)
    pool.pending_events[:] = opened
    save(ledger, pool, organization_id=theirs)
    assert ledger.license_pool(theirs, pool.id).total == 5


def test_an_aggregate_of_another_kind_is_not_found(ledger: Ledger) -> None:
    organization_id, pool = uuid4(), a_pool()
    save(ledger, pool, organization_id=organization_id)
    with pytest.raises(NotFound):
        ledger.member(organization_id, pool.id)


def test_members_are_loaded_together_and_unknown_ones_are_none(ledger: Ledger) -> None:
    organization_id, stranger = uuid4(), uuid4()
    members = [Member.add(id=uuid4(), kind="member", details={}) for _ in range(20)]
    members[3].deactivate()
    command = a_change(organization_id)
    ledger.save(*members, because=command, at=ledger.now())
    found = ledger.members(organization_id, [*(member.id for member in members), stranger])
    assert found.pop(stranger) is None
    assert [member.status for member in found.values() if member] == ["active"] * 3 + ["deactivated"] + ["active"] * 16


def test_a_save_of_two_thousand_events_is_one_save(ledger: Ledger, admin: Admin) -> None:
    organization_id, pool = uuid4(), a_pool()
    for step in range(1_999):
        resized(pool, 6 + step % 2)
    receipt = save(ledger, pool, organization_id=organization_id)
    assert (receipt.events, receipt.organization_seq) == (2_000, 2_000)
    assert ledger.license_pool(organization_id, pool.id).version == 2_000
    assert admin.execute("SELECT count(DISTINCT recorded_at) FROM ledger.events").fetchone() == (1,)


def test_an_event_just_below_the_limit_is_stored_and_one_above_is_refused(ledger: Ledger) -> None:
    organization_id, pool = uuid4(), a_pool()
    event: Any = pool.pending_events[0]
    for spare, refused in ((1_200, False), (-1, True)):
        large = event.model_copy(update={"product_id": "x" * (EVENT_BYTES - spare), "originator_id": uuid4()})
        pool.pending_events[:] = [large]
        pool._id = large.originator_id
        if refused:
            with pytest.raises(SaveTooLarge):
                save(ledger, pool, organization_id=organization_id)
        else:
            save(ledger, pool, organization_id=organization_id)
            assert ledger.license_pool(organization_id, pool.id).product_id == large.product_id


# Once.


@pytest.mark.parametrize("total", [5, 6], ids=["tells nothing", "tells"])
def test_the_same_command_sixteen_times_at_once_has_one_effect_and_sixteen_equal_answers(
    ledger: Ledger, admin: Admin, total: int
) -> None:
    organization_id, pool = uuid4(), a_pool()
    save(ledger, pool, organization_id=organization_id)
    command = a_change(organization_id, pool, total)
    answers = at_once(16, lambda _: change_pool(ledger, command))
    assert len(set(answers)) == 1
    assert isinstance(answers[0], Receipt)
    assert answers[0].events == total - 5
    assert (count(admin), count(admin, "commands")) == (1 + total - 5, 2)


def test_a_repeat_is_answered_although_others_changed_the_pool_since(ledger: Ledger) -> None:
    organization_id, pool = uuid4(), a_pool()
    save(ledger, pool, organization_id=organization_id)
    first = change_pool(ledger, command := a_change(organization_id, pool, 6))
    change_pool(ledger, a_change(organization_id, pool, 9))
    assert change_pool(ledger, command) == first
    assert ledger.license_pool(organization_id, pool.id).total == 9


def test_a_command_that_told_nothing_stays_done(ledger: Ledger) -> None:
    organization_id, pool = uuid4(), a_pool()
    opened = save(ledger, pool, organization_id=organization_id)
    told_nothing = change_pool(ledger, command := a_change(organization_id, pool, 5))
    assert (told_nothing.events, told_nothing.position, told_nothing.organization_seq) == (0, opened.position, 1)
    assert ledger.told(organization_id, told_nothing) == []
    change_pool(ledger, a_change(organization_id, pool, 110))
    assert change_pool(ledger, command) == told_nothing  # a retried "5" does not undo a colleague's later "110"
    assert ledger.license_pool(organization_id, pool.id).total == 110


def test_a_command_id_with_other_content_is_refused(ledger: Ledger) -> None:
    organization_id, pool = uuid4(), a_pool()
    save(ledger, pool, organization_id=organization_id)
    change_pool(ledger, command := a_change(organization_id, pool, 6))
    with pytest.raises(CommandIdReused):
        change_pool(ledger, command.model_copy(update={"total": 7}))


def test_a_refused_command_is_not_remembered(ledger: Ledger) -> None:
    organization_id, pool, command_id = uuid4(), a_pool(), uuid4()
    save(ledger, pool, organization_id=organization_id)
    with pytest.raises(TooManyLicenses):
        change_pool(ledger, a_change(organization_id, pool, 10_000, command_id=command_id))
    assert change_pool(ledger, a_change(organization_id, pool, 6, command_id=command_id)).events == 1


def test_each_step_of_a_command_is_recorded_once(ledger: Ledger, admin: Admin) -> None:
    organization_id = uuid4()
    command = a_change(organization_id)
    for step in ("intent", "record"):
        save(ledger, a_pool(), organization_id=organization_id, because=command, step=step)
        with pytest.raises(AlreadyRecorded):
            save(ledger, a_pool(), organization_id=organization_id, because=command, step=step)
    assert count(admin) == 2


def test_a_save_that_failed_in_the_middle_is_not_an_empty_one_when_it_is_repeated(ledger: Ledger, admin: Admin) -> None:
    organization_id, pool = uuid4(), resized(a_pool(), 7)
    command = a_change(organization_id)
    admin.execute("CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'in the middle'; END $$")
    admin.execute("CREATE TRIGGER fail AFTER INSERT ON ledger.commands EXECUTE FUNCTION fail()")
    with pytest.raises(psycopg.errors.RaiseException):
        save(ledger, pool, organization_id=organization_id, because=command)
    assert count(admin) == 0
    admin.execute("DROP TRIGGER fail ON ledger.commands")
    assert save(ledger, pool, organization_id=organization_id, because=command).events == 2
    assert ledger.license_pool(organization_id, pool.id).total == 7
    assert save(ledger, pool, organization_id=organization_id).events == 0  # now it is told


# Conflicts.


def test_two_writers_of_one_version_one_wins_and_the_other_is_told_whom_to_load_again(ledger: Ledger) -> None:
    organization_id, pool = uuid4(), a_pool()
    save(ledger, pool, organization_id=organization_id)
    for turn in range(10):
        mine = [resized(ledger.license_pool(organization_id, pool.id), 20 + 2 * turn + i) for i in range(2)]
        answers = at_once(2, lambda i: save(ledger, mine[i], organization_id=organization_id))  # noqa: B023 - done here
        assert Counter(type(answer).__name__ for answer in answers) == {"Receipt": 1, "VersionConflict": 1}
        (conflict,) = (answer for answer in answers if isinstance(answer, VersionConflict))
        assert conflict.originator_id == pool.id


def test_a_version_that_skips_one_is_a_conflict(ledger: Ledger) -> None:
    organization_id, pool = uuid4(), resized(resized(a_pool(), 6), 7)
    del pool.pending_events[1]
    with pytest.raises(VersionConflict):
        save(ledger, pool, organization_id=organization_id)


def test_the_same_new_aggregate_opened_twice_is_a_conflict(ledger: Ledger) -> None:
    organization_id, pool = uuid4(), a_pool()
    opened = list(pool.pending_events)
    save(ledger, pool, organization_id=organization_id)
    pool.pending_events[:] = opened
    with pytest.raises(VersionConflict):
        save(ledger, pool, organization_id=organization_id)


def test_assigning_and_removing_the_member_never_both_succeed(ledger: Ledger) -> None:
    outcomes: Counter[tuple[str, ...]] = Counter()
    for _ in range(30):
        organization_id, member, pool = uuid4(), Member.add(id=uuid4(), kind="member", details={}), a_pool()
        ledger.save(member, pool, because=a_change(organization_id), at=ledger.now())
        gate = Barrier(2)

        def assign(organization_id: UUID, member_id: UUID, pool_id: UUID, gate: Barrier) -> Receipt:
            pool, member = ledger.license_pool(organization_id, pool_id), ledger.member(organization_id, member_id)
            pool.assign({member_id: member})
            gate.wait()
            return save(ledger, pool, organization_id=organization_id, seen=[member])

        def remove(organization_id: UUID, member_id: UUID, pool_id: UUID, gate: Barrier) -> Receipt:
            pool, member = ledger.license_pool(organization_id, pool_id), ledger.member(organization_id, member_id)
            assert member_id not in pool.holders
            member.remove()
            gate.wait()
            return ledger.save(member, seen=[pool], because=a_change(organization_id), at=ledger.now())

        answers = at_once(2, lambda i: (assign, remove)[i](organization_id, member.id, pool.id, gate))  # noqa: B023 - done here
        holds = member.id in ledger.license_pool(organization_id, pool.id).holders
        assert not (holds and ledger.member(organization_id, member.id).status == "removed")
        outcomes[tuple(type(answer).__name__ for answer in answers)] += 1
    assert set(outcomes) <= {("Receipt", "VersionConflict"), ("VersionConflict", "Receipt")}


def test_a_no_op_whose_pool_was_changed_meanwhile_is_a_conflict(ledger: Ledger) -> None:
    organization_id, pool = uuid4(), a_pool()
    save(ledger, pool, organization_id=organization_id)
    unchanged = ledger.license_pool(organization_id, pool.id)
    change_pool(ledger, a_change(organization_id, pool, 110))
    with pytest.raises(VersionConflict):
        save(ledger, unchanged, organization_id=organization_id)


def test_fifty_clients_that_want_one_license_of_fifty_all_get_it(ledger: Ledger) -> None:
    organization_id, pool = uuid4(), a_pool(50)
    save(ledger, pool, organization_id=organization_id)

    def assign(_: int) -> Receipt:
        command, member = a_change(organization_id), Member.add(id=uuid4(), kind="member", details={})

        def attempt() -> Receipt:
            mine = ledger.license_pool(organization_id, pool.id)
            mine.assign({member.id: member})
            return save(ledger, mine, organization_id=organization_id, because=command)

        return ledger.carry_out(command, attempt)

    answers = at_once(50, assign)
    assert [answer for answer in answers if isinstance(answer, Exception)] == []
    assert ledger.license_pool(organization_id, pool.id).free == 0


# Time.


def test_a_decision_is_never_older_than_the_last_one_when_the_clock_goes_back(ledger: Ledger) -> None:
    organization_id, pool = uuid4(), a_pool()
    save(ledger, pool, organization_id=organization_id)
    told_at = pool.occurred_at
    assert told_at is not None
    ledger.clock = lambda: told_at.replace(year=told_at.year - 1)
    change_pool(ledger, a_change(organization_id, pool, 6))
    assert ledger.license_pool(organization_id, pool.id).occurred_at == told_at
