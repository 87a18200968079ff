"""What every operation can rely on: saves can be repeated, decisions rest on what is still so, times are in order."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest

from domain.license_pool import LicensePool
from domain.refusals import Busy, NotFound, SaveTooLarge
from services import ledger as ledger_module
from services.assign_licenses import AssignLicenses
from services.command import Command
from services.ledger import Ledger, operation
from services.ports import LedgerUnavailable, Receipt, VersionConflict
from services.resize_licenses import ResizeLicenses
from services.schedule_licenses import ScheduleLicenses
from tests.examples import PURCHASED_AT
from tests.scenario import event
from tests.services.contoso import Clock, Contoso
from tests.services.crash import Crash
from tests.services.questions import just_before_the_save


def a_resize(contoso: Contoso, bought: object, total: int) -> ResizeLicenses:
    return contoso.command(ResizeLicenses, contoso.buyer, subscription_id=bought, total=total)


def a_schedule(contoso: Contoso, bought: UUID) -> ScheduleLicenses:
    """A command of one event."""
    return contoso.command(ScheduleLicenses, contoso.buyer, subscription_id=bought, total=5)


def raise_to(contoso: Contoso, pool: LicensePool, total: int) -> None:
    """An increase of which no invoice tells."""
    pool.increase(total, contoso.subscription(pool.subscription_id).price, invoice_id=uuid4(), at=contoso.clock.now)


def failing(ledger: Ledger, error: BaseException, *, recorded: bool) -> Callable[..., Receipt]:
    """An append that fails once, before or after history has it."""
    append = ledger.history.append

    def fails(*args: Any, **about: Any) -> Receipt:
        ledger.history.append = append  # type: ignore[method-assign]
        if recorded:
            append(*args, **about)
        raise error

    return fails


# A save that failed can be made again.


@pytest.mark.parametrize(
    "error", [LedgerUnavailable("the database is away"), VersionConflict("moved", uuid4()), Crash()]
)
def test_what_was_told_stays_until_it_is_recorded(
    contoso: Contoso, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    bought = contoso.buys(licenses=3)
    pool = contoso.pool(bought)
    raise_to(contoso, pool, 5)
    save = partial(contoso.ledger.save, pool, because=a_resize(contoso, bought, 5), at=contoso.clock.now)
    monkeypatch.setattr(contoso.ledger.history, "append", failing(contoso.ledger, error, recorded=False))
    with pytest.raises(type(error)):
        save()
    assert contoso.pool(bought).total == 3
    assert save().events == 1
    assert contoso.pool(bought).total == 5
    assert not pool.pending_events


def test_a_refusal_in_the_middle_of_a_save_records_nothing(contoso: Contoso, monkeypatch: pytest.MonkeyPatch) -> None:
    command = a_schedule(contoso, contoso.buys(licenses=3))
    with monkeypatch.context() as small:
        small.setattr(ledger_module, "EVENT_BYTES", 10)
        with contoso.refuses(SaveTooLarge, events=1):
            contoso.run(command)
    assert contoso.run(command).events == 1


def test_a_save_whose_answer_was_lost_is_answered_again(contoso: Contoso, monkeypatch: pytest.MonkeyPatch) -> None:
    command = a_schedule(contoso, contoso.buys(licenses=3))
    lost = LedgerUnavailable("the connection was lost")
    monkeypatch.setattr(contoso.ledger.history, "append", failing(contoso.ledger, lost, recorded=True))
    with pytest.raises(LedgerUnavailable):
        contoso.run(command)
    told = contoso.history()
    assert contoso.run(command).organization_seq == told[-1].organization_seq
    assert contoso.history() == told


def test_a_lost_answer_is_found_also_when_it_would_be_refused_now(
    contoso: Contoso, monkeypatch: pytest.MonkeyPatch
) -> None:
    bought = contoso.buys(licenses=1)
    assigning = contoso.command(AssignLicenses, contoso.buyer, subscription_id=bought, user_ids=(contoso.ben,))
    lost = LedgerUnavailable("the connection was lost")
    monkeypatch.setattr(contoso.ledger.history, "append", failing(contoso.ledger, lost, recorded=True))
    with pytest.raises(LedgerUnavailable):
        contoso.run(assigning)
    contoso.removes(contoso.ben)
    assert contoso.run(assigning).events == 1
    assert contoso.holders(bought) == []


# Decisions rest on what is still so.


def test_an_aggregate_loaded_twice_must_be_the_same_both_times(contoso: Contoso) -> None:
    """One load is written, the other only seen: it is not taken for the written one."""
    bought = contoso.buys(licenses=3)
    seen = contoso.pool(bought)
    contoso.assigns(bought, contoso.ben)
    written = contoso.pool(bought)
    written.unassign([contoso.ben])
    with pytest.raises(VersionConflict) as conflict:
        contoso.ledger.save(written, seen=[seen], because=a_resize(contoso, bought, 3), at=contoso.clock.now)
    assert conflict.value.originator_id == seen.id


def test_what_told_nothing_is_seen(contoso: Contoso) -> None:
    bought = contoso.buys(licenses=3)
    pool = contoso.pool(bought)
    contoso.assigns(bought, contoso.ben)
    with pytest.raises(VersionConflict):
        contoso.ledger.save(pool, because=a_resize(contoso, bought, 3), at=contoso.clock.now)


def test_conflict_after_conflict_is_decided_again(contoso: Contoso) -> None:
    """From the second attempt on in a queue, so that the others of these tests pass it by and do not wait for it."""
    bought = contoso.buys(licenses=30)
    others = [partial(contoso.assigns, bought, user) for user in contoso.generates(9)]
    with just_before_the_save(contoso.ledger, *others) as attempts:
        contoso.assigns(bought, contoso.ben)
    assert len(attempts) == 10
    assert len(contoso.holders(bought)) == 10


def test_who_never_gets_through_is_told_so(contoso: Contoso, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger_module, "ATTEMPTS", 3)
    bought = contoso.buys(licenses=30)
    others = [partial(contoso.assigns, bought, user) for user in contoso.generates(4)]
    command = a_resize(contoso, bought, 31)
    with just_before_the_save(contoso.ledger, *others), pytest.raises(Busy):
        contoso.run(command)
    assert contoso.run(command).events > 0  # a refusal, and so not remembered


def test_other_errors_are_not_repeated(contoso: Contoso) -> None:
    attempts = []

    @operation
    def breaks(ledger: Ledger, command: Command) -> Receipt:
        attempts.append((ledger, command))
        raise LedgerUnavailable("the database is away")

    with pytest.raises(LedgerUnavailable):
        breaks(contoso.ledger, a_resize(contoso, uuid4(), 3))
    assert len(attempts) == 1


# Times are in order.


def test_decision_times_do_not_decrease_when_the_clock_does(contoso: Contoso, clock: Clock) -> None:
    bought = contoso.buys(licenses=3)
    clock.now = PURCHASED_AT + timedelta(hours=2)
    contoso.run(a_resize(contoso, bought, 5))
    clock.now = PURCHASED_AT + timedelta(hours=1)
    contoso.assigns(bought, contoso.ben)
    pool_id = contoso.subscription(bought).pool_id
    times = [recorded.envelope.occurred_at for recorded in contoso.history() if recorded.originator_id == pool_id]
    assert times == [PURCHASED_AT, PURCHASED_AT + timedelta(hours=2), PURCHASED_AT + timedelta(hours=2)]


def test_a_window_is_counted_from_the_decision_as_recorded(contoso: Contoso, clock: Clock) -> None:
    bought = contoso.buys(licenses=3)
    clock.now = PURCHASED_AT - timedelta(hours=1)
    receipt = contoso.run(a_resize(contoso, bought, 5))
    told = contoso.recorded(receipt)[-1]
    assert contoso.pool(bought).batches[-1].opened_at == told.envelope.occurred_at == PURCHASED_AT


def test_who_told_nothing_is_not_later_for_it(contoso: Contoso, clock: Clock) -> None:
    bought = contoso.buys(licenses=3)
    clock.now += timedelta(hours=1)
    pool = contoso.pool(bought)
    contoso.ledger.save(pool, because=a_resize(contoso, bought, 3), at=clock.now)
    assert pool.occurred_at == contoso.pool(bought).occurred_at == PURCHASED_AT


def test_who_told_something_knows_when(contoso: Contoso, clock: Clock) -> None:
    """So that a second decision on the same load is no earlier than the first."""
    bought = contoso.buys(licenses=3)
    clock.now += timedelta(hours=1)
    pool = contoso.pool(bought)
    raise_to(contoso, pool, 5)
    contoso.ledger.save(pool, because=a_resize(contoso, bought, 5), at=clock.now)
    assert pool.occurred_at == contoso.pool(bought).occurred_at == clock.now


def test_several_aggregates_of_a_save_have_one_time(contoso: Contoso, clock: Clock) -> None:
    bought = contoso.buys(licenses=3)
    clock.now += timedelta(hours=1)
    contoso.run(a_resize(contoso, bought, 5))
    subscription, pool = contoso.subscription(bought), contoso.pool(bought)
    subscription.schedule_licenses(4)
    raise_to(contoso, pool, 6)
    because = contoso.command(ScheduleLicenses, contoso.buyer, subscription_id=bought, total=4)
    receipt = contoso.ledger.save(subscription, pool, because=because, at=PURCHASED_AT)
    envelopes = [recorded.envelope for recorded in contoso.recorded(receipt)]
    assert {envelope.occurred_at for envelope in envelopes} == {clock.now}
    assert [(envelope.index, envelope.count) for envelope in envelopes] == [(0, 2), (1, 2)]


def test_what_takes_effect_at_another_time_says_so(contoso: Contoso, clock: Clock) -> None:
    bought = contoso.buys(licenses=3)
    pool = contoso.pool(bought)
    raise_to(contoso, pool, 5)
    due = clock.now - timedelta(days=1)
    receipt = contoso.ledger.save(pool, because=a_resize(contoso, bought, 5), at=clock.now, effective_at=due)
    (recorded,) = contoso.recorded(receipt)
    assert (recorded.envelope.effective_at, recorded.envelope.occurred_at) == (due, clock.now)


# A command of several saves.


def test_each_step_is_recorded_once(contoso: Contoso, clock: Clock) -> None:
    bought = contoso.buys(licenses=3)
    command = a_resize(contoso, bought, 5)
    for step, total in (("first", 4), ("second", 5)):
        pool = contoso.pool(bought)
        raise_to(contoso, pool, total)
        receipt = contoso.ledger.save(pool, because=command, at=clock.now, step=step)
        history = contoso.ledger.history
        assert history.recorded(contoso.organization_id, command.command_id, step) == receipt
    assert [recorded.envelope.step for recorded in contoso.history()[-2:]] == ["first", "second"]


# Loads.


def test_nothing_of_another_organization_is_found(contoso: Contoso, another: Contoso) -> None:
    bought = contoso.buys()
    pool_id = contoso.subscription(bought).pool_id
    with pytest.raises(NotFound):
        contoso.ledger.subscription(another.organization_id, bought)
    with pytest.raises(NotFound):
        contoso.ledger.license_pool(another.organization_id, pool_id)
    assert contoso.ledger.members(another.organization_id, [contoso.ben]) == {contoso.ben: None}


def test_an_id_of_another_kind_is_not_found(contoso: Contoso) -> None:
    bought = contoso.buys()
    with pytest.raises(NotFound):
        contoso.ledger.license_pool(contoso.organization_id, bought)
    assert contoso.ledger.members(contoso.organization_id, [bought, contoso.ben])[bought] is None


def test_a_long_history_is_loaded_from_a_snapshot_that_says_the_same(
    contoso: Contoso, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger_module, "SNAPSHOT_EVERY", 5)
    bought = contoso.buys(licenses=30)
    users = contoso.generates(9)
    contoso.assigns(bought, *users)
    pool_id = contoso.subscription(bought).pool_id
    replayed = contoso.pool(bought)
    snapshot, events = contoso.ledger.history.load(contoso.organization_id, pool_id)
    assert snapshot is not None
    assert (snapshot.version, events) == (10, [])
    assert contoso.pool(bought) == replayed
    assert contoso.pool(bought).occurred_at == PURCHASED_AT
    clock.now += timedelta(hours=1)
    contoso.assigns(bought, contoso.ben)
    assert contoso.holders(bought) == [*users, contoso.ben]
    assert contoso.pool(bought).occurred_at == clock.now


def test_a_snapshot_of_unknown_shape_is_replaced(contoso: Contoso, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger_module, "SNAPSHOT_EVERY", 1)
    bought = contoso.buys(licenses=30)
    contoso.assigns(bought, contoso.ben, contoso.david)
    pool_id = contoso.subscription(bought).pool_id
    expected = contoso.pool(bought)
    with monkeypatch.context() as later_release:
        later_release.setattr(LicensePool, "_shape", b"another.", raising=False)
        assert contoso.pool(bought) == expected
        snapshot, _ = contoso.ledger.history.load(contoso.organization_id, pool_id)
        assert snapshot is not None
        assert snapshot.shape == b"another."
    assert contoso.pool(bought) == expected


def test_what_a_receipt_answers_for(contoso: Contoso) -> None:
    bought = contoso.buys(licenses=3)
    pool_id = contoso.subscription(bought).pool_id
    receipt = contoso.run(a_resize(contoso, bought, 5))
    contoso.assigns(bought, contoso.ben)
    told = [told for told in contoso.ledger.told(contoso.organization_id, receipt) if told.originator_id == pool_id]
    assert told == [event(LicensePool.LicensesResized, total=5)]
    nothing = contoso.run(a_resize(contoso, bought, 5))
    assert contoso.ledger.told(contoso.organization_id, nothing) == []
    assert nothing.position == contoso.position  # a reader can ask for it
