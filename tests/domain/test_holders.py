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


def test_who_holds_one_already_keeps_the_place() -> None:
    held = holders(BEN, CHRIS)
    held.add(BEN)
    assert list(held) == [BEN, CHRIS]


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


def test_a_holder_takes_16_bytes() -> None:
    assert len(STORED.dump_json(holders(*(UUID(int=number) for number in range(1, 301))))) == 300 * 16 * 4 / 3 + 2


@pytest.mark.parametrize("broken", ['"AAAA"', '"not base64"', "5", "null", '["AAAA"]'])
def test_what_is_no_packed_list_is_refused_as_such(broken: str) -> None:
    with pytest.raises(ValidationError):
        STORED.validate_json(broken)
