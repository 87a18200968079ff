import pytest

from projections.due_work import DUE_WORK, DueWorkRow
from projections.projection import Changes, Rows, Unread
from tests.examples import SUBSCRIPTION, TODAY, TOMORROW
from tests.projections.histories import CONTOSO_ID

KEY = (CONTOSO_ID, "subscription", SUBSCRIPTION)
ROW = DueWorkRow(CONTOSO_ID, "subscription", SUBSCRIPTION, TODAY, 1, None, None)
LATER = ROW._replace(due_on=TOMORROW)


def test_reading_a_row_that_was_not_touched_is_a_defect() -> None:
    with pytest.raises(Unread, match="due_work"):
        Rows().get(DUE_WORK, KEY)


def test_a_row_put_where_none_was_read_is_inserted() -> None:
    rows = Rows()
    rows.put(DUE_WORK, ROW)
    assert rows.changes(DUE_WORK) == Changes([ROW], [], [])


def test_a_row_that_was_read_is_updated_only_if_it_differs() -> None:
    rows = Rows()
    rows.have_read(DUE_WORK, [KEY], [ROW])
    rows.change(DUE_WORK, KEY, due_on=TOMORROW)
    assert rows.changes(DUE_WORK) == Changes([], [LATER], [])
    rows.change(DUE_WORK, KEY, due_on=TODAY)
    assert not rows.changes(DUE_WORK)


def test_a_row_that_was_read_is_deleted_and_may_come_again() -> None:
    rows = Rows()
    rows.have_read(DUE_WORK, [KEY], [ROW])
    rows.delete(DUE_WORK, KEY)
    assert rows.changes(DUE_WORK) == Changes([], [], [KEY])
    rows.put(DUE_WORK, LATER)
    assert rows.changes(DUE_WORK) == Changes([], [LATER], [])


def test_a_row_that_was_born_and_deleted_in_one_batch_leaves_nothing() -> None:
    rows = Rows()
    rows.put(DUE_WORK, ROW)
    rows.delete(DUE_WORK, KEY)
    assert not rows.changes(DUE_WORK)
