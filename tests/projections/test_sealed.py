"""Whatever is changed in history after it was sealed is named, by the first position that is not as it was."""

from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.envelope import RecordedEvent
from projections.audit.merkle import EMPTY_ROOT
from projections.audit.sealed import Leaf, SealedCheck, SignedRoot
from tests.examples import an_id
from tests.projections.sealed_history import found_in, history_of, leaves_of, rechained, roots_of

Events = list[RecordedEvent]
HISTORY = history_of(40)
LEAVES = leaves_of(HISTORY)
ROOTS = roots_of(HISTORY, 10, 20, 40)


def told(events: Events, leaves: list[Leaf] = LEAVES) -> list[tuple[str, str]]:
    return [(one.key, one.what) for one in found_in(events, leaves, ROOTS)]


def test_what_was_not_changed_is_as_it_was_sealed() -> None:
    assert told(HISTORY) == []


def test_of_nothing_everything_is_true() -> None:
    assert found_in(HISTORY, LEAVES, [SignedRoot(0, EMPTY_ROOT, "the checkpoint of nothing"), *ROOTS]) == []
    assert found_in(HISTORY, [], []) == []


def test_what_is_not_sealed_yet_is_counted_and_is_no_difference() -> None:
    check = SealedCheck(roots_of(HISTORY, 10))
    assert list(check.differences(HISTORY, LEAVES[:30])) == []
    assert (check.size, check.unsealed) == (30, 10)


def test_an_edited_event_is_named() -> None:
    edited = replace(HISTORY[7], state=b'{"total":999}')
    assert told([*HISTORY[:7], edited, *HISTORY[8:]]) == [
        (
            f"position {edited.position}",
            f"{edited.organization_id} #{edited.organization_seq}: what is stored is not what was sealed as leaf 7",
        )
    ]


def test_a_deleted_event_is_named() -> None:
    assert told([*HISTORY[:7], *HISTORY[8:]]) == [
        (f"position {HISTORY[7].position}", "the event that was sealed as leaf 7 is not there")
    ]


def test_an_inserted_event_is_named() -> None:
    place = next(i for i in range(1, 40) if HISTORY[i].position - HISTORY[i - 1].position > 1)
    invented = replace(HISTORY[place], position=HISTORY[place].position - 1, organization_seq=77)
    assert told([*HISTORY[:place], invented, *HISTORY[place:]]) == [
        (
            f"position {invented.position}",
            f"{invented.organization_id} #77: it was not there when leaf {place}, which comes behind it, was sealed",
        )
    ]
    twin = replace(HISTORY[place], originator_id=an_id(5))
    for pair in ([twin, HISTORY[place]], [HISTORY[place], twin]):  # two events at one position
        ((key, what),) = told([*HISTORY[:place], *pair, *HISTORY[place + 1 :]])
        assert key == f"position {twin.position}"
        assert "was not there" in what


def test_an_event_that_was_moved_is_named_where_it_was_and_where_it_is() -> None:
    beyond = HISTORY[-1].position + 5
    moved = replace(HISTORY[7], position=beyond)
    check = SealedCheck(ROOTS)
    (found,) = check.differences([*HISTORY[:7], *HISTORY[8:], moved], LEAVES)
    assert found.key == f"position {HISTORY[7].position}"
    assert found.what.startswith(f"what was sealed as leaf 7 was moved to position {beyond}, ")
    assert check.unsealed == 0


@pytest.mark.parametrize("coordinate", ["position", "organization_seq"])
def test_two_events_that_were_swapped_are_both_named(coordinate: str) -> None:
    one, other = [i for i, event in enumerate(HISTORY) if event.organization_id == HISTORY[3].organization_id][1:3]
    events = list(HISTORY)
    events[one] = replace(HISTORY[one], **{coordinate: getattr(HISTORY[other], coordinate)})
    events[other] = replace(HISTORY[other], **{coordinate: getattr(HISTORY[one], coordinate)})
    found = told(sorted(events, key=lambda event: event.position))
    assert [key for key, _ in found] == [f"position {HISTORY[at].position}" for at in (one, other)]
    assert all("was moved to position" in what for _, what in found)


def test_a_tail_that_was_cut_off_with_its_leaves_shows_against_a_signed_root() -> None:
    assert found_in(HISTORY[:30], LEAVES[:30]) == []
    last = HISTORY[29].position
    ((key, what),) = told(HISTORY[:30], LEAVES[:30])
    assert key == "checkpoint 40"
    assert f"and the tree has 30: the end of history, after position {last}, is missing" in what
    assert what.endswith(f"what stands after position {HISTORY[19].position} may be changed")
    assert len(told(HISTORY[:30])) == 10  # and against its leaves


def test_history_that_was_rewritten_with_its_leaves_shows_against_the_first_root_behind_it() -> None:
    edited = [*HISTORY[:13], replace(HISTORY[13], state=b'{"total":999}'), *HISTORY[14:]]
    rewritten = rechained(edited, HISTORY[13].organization_id)
    assert found_in(rewritten, leaves_of(rewritten)) == []
    ((key, what),) = told(rewritten, leaves_of(rewritten))
    assert key == "checkpoint 20"
    assert f"after position {HISTORY[9].position} and up to {HISTORY[19].position}, in leaves 10 to 19" in what
    assert told(rewritten)[0][0] == f"position {HISTORY[13].position}"  # its leaves, as they were, name it exactly


def test_a_damaged_leaf_is_told_from_a_changed_event_by_a_signed_root() -> None:
    damaged = [*LEAVES[:13], Leaf(LEAVES[13].position, sha256(b"a flipped bit").digest()), *LEAVES[14:]]
    ((key, what),) = told(HISTORY, damaged)
    assert key == f"position {HISTORY[13].position}"
    assert "the tree's hash of leaf 13 is damaged" in what
    wrong = [*LEAVES[:13], Leaf(LEAVES[13].position + 1, LEAVES[13].hash), *LEAVES[14:]]
    assert told(HISTORY, wrong)[0][0] in {f"position {HISTORY[13].position}", f"position {HISTORY[13].position + 1}"}


def test_of_very_many_differences_the_first_are_named_and_the_others_counted() -> None:
    many = history_of(1_200, seed=3)
    found = found_in([replace(event, state=b"") for event in many], leaves_of(many))
    assert len(found) == 1_001
    assert found[0].key == f"position {many[0].position}"
    assert found[-1].what == "200 more events or leaves differ"


# By chance.

CHANGES: dict[str, Callable[[Events, int], tuple[Events, int]]] = {}


def change(how: Callable[[Events, int], tuple[Events, int]]) -> Callable[[Events, int], tuple[Events, int]]:
    CHANGES[how.__name__] = how
    return how


@change
def delete(events: Events, at: int) -> tuple[Events, int]:
    return [*events[:at], *events[at + 1 :]], events[at].position


@change
def insert(events: Events, at: int) -> tuple[Events, int]:
    twin = replace(events[at], organization_seq=events[at].organization_seq + 1_000)
    return [*events[: at + 1], twin, *events[at + 1 :]], events[at].position


@change
def swap(events: Events, at: int) -> tuple[Events, int]:
    one, other = events[at], events[at - 1]
    swapped = [replace(one, position=other.position), replace(other, position=one.position)]
    rest = [event for event in events if event not in (one, other)]
    return sorted([*rest, *swapped], key=lambda event: event.position), min(one.position, other.position)


@change
def rewrite(events: Events, at: int) -> tuple[Events, int]:
    edited = [*events[:at], replace(events[at], metadata=b"{ }"), *events[at + 1 :]]
    return rechained(edited, events[at].organization_id), events[at].position


@change
def truncate(events: Events, at: int) -> tuple[Events, int]:
    return events[:at], events[at].position


FIELDS: dict[str, Any] = {
    "originator_id": lambda _: an_id(999),
    "originator_version": lambda old: old + 1,
    "topic": lambda old: f"{old}x",
    "state": lambda old: old[:-1],
    "organization_id": lambda _: an_id(998),
    "organization_seq": lambda old: old + 1,
    "recorded_at": lambda old: old - 1,
    "metadata": lambda old: b" " + old,
    "chain_hash": lambda old: sha256(old).digest(),
    "chain_hash, longer": lambda old: old + b"\0",  # a leaf has room for 32 bytes
    "chain_hash, missing": lambda _: None,
    "topic, missing": lambda _: None,
    "organization_seq, too large": lambda _: 2**64,
}


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 39), st.sampled_from([*CHANGES, *FIELDS]))
def test_the_first_changed_position_is_named_whatever_was_done(at: int, how: str) -> None:
    if how in FIELDS:
        field = how.partition(",")[0]
        edited = replace(HISTORY[at], **{field: FIELDS[how](getattr(HISTORY[at], field))})
        events, first = [*HISTORY[:at], edited, *HISTORY[at + 1 :]], edited.position
    else:
        events, first = CHANGES[how](list(HISTORY), at)
    assert told(events)[0][0] == f"position {first}"
    if "," not in how:
        assert told(events, leaves_of(events))  # made anew, the leaves agree; what was signed of them does not
