from projections.due_work import DUE_WORK, DueWorkRow
from projections.parity import differences
from tests.examples import TODAY, TOMORROW, an_id
from tests.projections.histories import CONTOSO_ID

ROWS = [DueWorkRow(CONTOSO_ID, "subscription", an_id(number), TODAY, number, None, None) for number in range(1, 6)]


def found(read: list[DueWorkRow]) -> list[tuple[str, str]]:
    return [(difference.key, difference.what) for difference in differences("due_work", DUE_WORK, read, ROWS)]


def key(number: int) -> str:
    return f"due_work due_work {CONTOSO_ID} subscription {an_id(number)}"


def test_equal_rows_have_no_difference() -> None:
    assert found(ROWS) == []
    assert found([]) == [(key(number), "the row is missing") for number in range(1, 6)]


def test_a_changed_cell_a_missing_and_an_extra_row_are_each_named() -> None:
    extra = DueWorkRow(CONTOSO_ID, "subscription", an_id(9), TODAY, 9, None, None)
    assert found([ROWS[0], ROWS[1]._replace(due_on=TOMORROW), *ROWS[3:], extra]) == [
        (key(2), "due_on is 2025-02-01 and history gives 2025-01-31"),
        (key(3), "the row is missing"),
        (key(9), "history does not give this row"),
    ]
