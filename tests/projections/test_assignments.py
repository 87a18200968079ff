from projections.assignments import ASSIGNMENTS, CLOSED_POOLS, PAST_ASSIGNMENTS, Assignments
from tests.examples import BEN, CHRIS, POOL, PURCHASED_AT, THE_SAME_DAY, WITHIN_THE_WEEK, a_pool_of, candidates
from tests.projections.histories import History, ReadModel


def test_a_license_given_is_held_until_it_is_taken_back() -> None:
    history, pool = History(), a_pool_of(3)()
    pool.assign(candidates(CHRIS, BEN))
    history.tell(pool)
    pool.unassign([BEN], reason="member_removed")
    history.tell(pool, at=THE_SAME_DAY)
    model = ReadModel(Assignments()).fold(history.events)
    (held,) = model[ASSIGNMENTS]
    assert (held.member_id, held.assigned_seq, held.assigned_position) == (CHRIS, 2, 20)
    (past,) = model[PAST_ASSIGNMENTS]
    assert (past.member_id, past.assigned_at, past.unassigned_at) == (BEN, PURCHASED_AT, THE_SAME_DAY)
    assert (past.end_reason, past.unassigned_position) == ("member_removed", 40)


def test_each_time_that_a_member_held_a_license_is_a_row() -> None:
    history, pool = History(), a_pool_of(3)()
    for at in (PURCHASED_AT, THE_SAME_DAY):
        pool.assign(candidates(BEN))
        history.tell(pool, at=at)
        pool.unassign([BEN])
        history.tell(pool, at=WITHIN_THE_WEEK)
    pool.assign(candidates(BEN))
    history.tell(pool, at=WITHIN_THE_WEEK)
    model = ReadModel(Assignments()).fold(history.events)
    assert [past.assigned_at for past in model[PAST_ASSIGNMENTS]] == [PURCHASED_AT, THE_SAME_DAY]
    assert [held.assigned_at for held in model[ASSIGNMENTS]] == [WITHIN_THE_WEEK]


def test_a_pool_that_closes_is_one_row_however_many_hold_a_license() -> None:
    history, pool = History(), a_pool_of(3)()
    pool.assign(candidates(CHRIS, BEN))
    pool.close("cancelled")
    history.tell(pool, at=THE_SAME_DAY)
    model = ReadModel(Assignments()).fold(history.events)
    closed = model.one(CLOSED_POOLS, POOL)
    assert (closed.closed_at, closed.end_reason, closed.assignments_ended) == (THE_SAME_DAY, "cancelled", 2)
    assert len(model[ASSIGNMENTS]) == 2  # queries leave out those of closed pools
