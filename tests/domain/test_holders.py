"""The order of holders, and how they are packed: `domain.holders`."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from domain.holders import Holders
from tests.examples import BEN, CHRIS, DAVID

STORED = TypeAdapter(Holders)


def holders(*member_ids: UUID) -> Holders:
    held = Holders()
    for member_id in member_ids:
        held.add(member_id)
    return held


def test_the_oldest_assignment_stands_first() -> None:
    held = holders(BEN, CHRIS, DAVID)
    assert list(held) == [BEN, CHRIS, DAVID]
    assert held.newest(2) == [DAVID, CHRIS]
    assert held.newest(0) == []
    assert len(held) == 3


def test_the_order_is_part_of_what_they_are() -> None:
    assert holders(BEN, CHRIS) != holders(CHRIS, BEN)
    assert holders(BEN) != [BEN]


def test_ids_do_not_show_where_holders_are_printed() -> None:
    assert repr(holders(BEN, CHRIS)) == "Holders(2)"


@given(st.lists(st.uuids(), unique=True))
def test_packed_and_back_they_are_the_same(member_ids: list[UUID]) -> None:
    held = holders(*member_ids)
    back = STORED.validate_json(STORED.dump_json(held))
    assert back == held
    assert list(back) == member_ids
    assert all(member_id in back for member_id in member_ids)


@given(st.lists(st.tuples(st.integers(0, 9), st.booleans())))
def test_with_snapshots_anywhere_they_are_an_ordered_set(acts: list[tuple[int, bool]]) -> None:
    """Each act gives or takes the license of one of ten, perhaps after a snapshot; beside it stands a plain list."""
    held, model = Holders(), list[UUID]()
    for number, after_a_snapshot in acts:
        if after_a_snapshot:
            held = STORED.validate_json(STORED.dump_json(held))
        member_id = UUID(int=number << 64 | number)  # ids that overlap one another in the packed bytes
        if member_id in model:
            held.remove(member_id)
            model.remove(member_id)
        else:
            held.add(member_id)
            model.append(member_id)
        assert (list(held), len(held)) == (model, len(model))
        assert [UUID(int=n << 64 | n) in held for n in range(10)] == [UUID(int=n << 64 | n) in model for n in range(10)]
        assert held.newest(3) == model[::-1][:3]
    held.clear()
    assert (list(held), len(held)) == ([], 0)


def test_half_of_one_id_and_half_of_the_next_are_nobody() -> None:
    first, second = UUID(int=1 << 64 | 2), UUID(int=3 << 64 | 4)
    held = STORED.validate_json(STORED.dump_json(holders(first, second)))
    assert UUID(int=2 << 64 | 3) not in held
    assert second in held


def test_a_holder_takes_16_bytes() -> None:
    assert len(STORED.dump_json(holders(*(UUID(int=number) for number in range(1, 301))))) == 300 * 16 * 4 / 3 + 2


@pytest.mark.parametrize("broken", ['"AAAA"', '"not base64"', "5", "null", '["AAAA"]'])
def test_what_is_no_packed_list_is_refused_as_such(broken: str) -> None:
    with pytest.raises(ValidationError):
        STORED.validate_json(broken)
