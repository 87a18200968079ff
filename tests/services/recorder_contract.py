"""What `services.ports.Recorder` promises, as checks that every recorder is put through."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from eventsourcing.persistence import StoredEvent

from domain.as_of import AsOf
from domain.personal import PersonalFact
from services.ports import AlreadyRecorded, Receipt, Recorder, Snapshot, VersionConflict

Promise = Callable[[Recorder], None]
PROMISES: list[Promise] = []
ALL = 2**60
NOON = datetime(2025, 1, 31, 12, tzinfo=UTC)


def promise(check: Promise) -> Promise:
    PROMISES.append(check)
    return check


class Room:
    """An organization of its own, with what is needed to append to it."""

    def __init__(self, recorder: Recorder) -> None:
        self.recorder, self.organization_id = recorder, uuid4()

    def events(self, originator_id: UUID, *versions: int) -> list[StoredEvent]:
        return [StoredEvent(originator_id, version, "a topic", b'{"of":%d}' % version) for version in versions]

    def append(self, *events: StoredEvent, **more: Any) -> Receipt:
        usual: dict[str, Any] = {
            "organization_id": self.organization_id,
            "command_id": uuid4(),
            "step": "",
            "fingerprint": b"a fingerprint",
            "metadata": [b'{"index":%d}' % index for index in range(len(events))],
            "seen": [],
            "facts": [],
        }
        return self.recorder.append(events, **usual | more)

    def told(self) -> list[tuple[UUID, int]]:
        recorded = self.recorder.told(self.organization_id, after=0, until=ALL)
        assert [event.organization_seq for event in recorded] == list(range(1, len(recorded) + 1))
        assert [event.position for event in recorded] == sorted({event.position for event in recorded})
        return [(event.originator_id, event.originator_version) for event in recorded]


def named(subject_id: UUID, value: str) -> PersonalFact:
    return PersonalFact(fact_id=uuid4(), subject_id=subject_id, purpose="user_name", value=value, salt="5a" * 32)


@promise
def a_save_is_recorded_as_it_was_told(recorder: Recorder) -> None:
    room, one, other = Room(recorder), uuid4(), uuid4()
    receipt = room.append(*room.events(one, 1, 2), *room.events(other, 1))
    assert room.told() == [(one, 1), (one, 2), (other, 1)]
    first, second = recorder.load_events(room.organization_id, one)
    assert (first.topic, first.state, first.metadata) == ("a topic", b'{"of":1}', b'{"index":0}')
    assert (second.state, second.metadata, second.organization_id) == (
        b'{"of":2}',
        b'{"index":1}',
        room.organization_id,
    )
    assert (receipt.events, receipt.organization_seq, receipt.fingerprint) == (3, 3, b"a fingerprint")
    assert receipt.position == recorder.load_events(room.organization_id, other)[0].position
    assert first.recorded_at == second.recorded_at == receipt.recorded_at


@promise
def a_step_of_a_command_is_recorded_once(recorder: Recorder) -> None:
    room, one, command_id = Room(recorder), uuid4(), uuid4()
    first = room.append(*room.events(one, 1), command_id=command_id)
    with pytest.raises(AlreadyRecorded) as again:
        room.append(*room.events(one, 7), command_id=command_id, fingerprint=b"another")
    assert again.value.receipt == first == recorder.recorded(room.organization_id, command_id, "")
    assert room.append(*room.events(one, 2), command_id=command_id, step="two").organization_seq == 2
    assert recorder.recorded(room.organization_id, command_id, "three") is None
    assert Room(recorder).append(*room.events(one, 1), command_id=command_id).organization_seq == 1


@promise
def a_command_that_tells_nothing_has_a_receipt(recorder: Recorder) -> None:
    room, command_id = Room(recorder), uuid4()
    nothing = room.append(command_id=uuid4())
    assert (nothing.position, nothing.organization_seq, nothing.events) == (0, 0, 0)
    last = room.append(*room.events(uuid4(), 1))
    nothing = room.append(command_id=command_id, seen=[(uuid4(), 0)])
    assert (nothing.events, nothing.position, nothing.organization_seq) == (0, last.position, last.organization_seq)
    assert recorder.recorded(room.organization_id, command_id, "") == nothing


@promise
def what_was_written_must_not_have_moved(recorder: Recorder) -> None:
    room, one, other = Room(recorder), uuid4(), uuid4()
    room.append(*room.events(one, 1, 2))
    for events in (room.events(one, 2), room.events(one, 4), room.events(other, 2)):
        command_id = uuid4()
        with pytest.raises(VersionConflict) as conflict:
            room.append(*room.events(uuid4(), 1), *events, command_id=command_id)
        assert conflict.value.originator_id == events[0].originator_id
        assert recorder.recorded(room.organization_id, command_id, "") is None
    assert room.told() == [(one, 1), (one, 2)]


@promise
def what_was_seen_must_not_have_moved(recorder: Recorder) -> None:
    room, one, nobody = Room(recorder), uuid4(), uuid4()
    room.append(*room.events(one, 1, 2))
    room.append(*room.events(uuid4(), 1), seen=[(one, 2), (nobody, 0)])
    for seen in ((one, 1), (one, 3), (nobody, 1)):
        with pytest.raises(VersionConflict) as conflict:
            room.append(*room.events(uuid4(), 1), seen=[(one, 2), seen])
        assert conflict.value.originator_id == seen[0]
    assert len(room.told()) == 3


@promise
def loads_know_their_organization(recorder: Recorder) -> None:
    room, another, one = Room(recorder), Room(recorder), uuid4()
    room.append(*room.events(one, 1, 2))
    assert recorder.load(another.organization_id, one) == (None, [])
    assert recorder.load_several(another.organization_id, [one]) == {}
    assert recorder.load_events(another.organization_id, one) == []
    assert recorder.load_many(another.organization_id, [one]) == []
    assert recorder.told(another.organization_id, after=0, until=ALL) == []


@promise
def many_are_loaded_at_once(recorder: Recorder) -> None:
    room, one, other, nobody = Room(recorder), uuid4(), uuid4(), uuid4()
    room.append(*room.events(one, 1, 2), *room.events(other, 1))
    several = recorder.load_several(room.organization_id, [one, other, nobody])
    assert set(several) == {one, other}
    assert {key: [event.originator_version for event in events] for key, (_, events) in several.items()} == {
        one: [1, 2],
        other: [1],
    }
    assert recorder.versions(room.organization_id, [one, other, nobody]) == {one: 2, other: 1}
    assert recorder.versions(Room(recorder).organization_id, [one]) == {}
    many = recorder.load_many(room.organization_id, [one, other, nobody])
    assert sorted((event.originator_id, event.originator_version) for event in many) == sorted(room.told())
    assert [event.originator_version for event in many if event.originator_id == one] == [1, 2]
    assert [event.organization_seq for event in recorder.told(room.organization_id, after=1, until=2)] == [2]


@promise
def several_streams_are_read_page_by_page(recorder: Recorder) -> None:
    room, one, other, nobody = Room(recorder), uuid4(), uuid4(), uuid4()
    room.append(*room.events(one, 1, 2), *room.events(other, 1))
    room.append(*room.events(other, 2, 3), *room.events(one, 3))
    room.append(*room.events(uuid4(), 1))
    after = {one: 0, nobody: 0, other: 0}
    pages = []
    while page := recorder.load_page(room.organization_id, after, 2):
        pages.append([(event.originator_id, event.originator_version) for event in page])
        after |= dict(pages[-1])
    assert pages == [[(one, 1), (one, 2)], [(other, 1), (other, 2)], [(other, 3), (one, 3)]]
    assert recorder.load_page(Room(recorder).organization_id, {one: 0}, 2) == []
    assert recorder.load_page(room.organization_id, {}, 2) == []


@promise
def a_load_starts_from_the_newest_snapshot(recorder: Recorder) -> None:
    room, one = Room(recorder), uuid4()
    room.append(*room.events(one, 1, 2, 3))
    for version, kept in ((2, 2), (1, 2), (9, 2), (3, 3)):  # it never goes back, and says no more than history
        snapshot = Snapshot(topic="a topic", version=version, shape=b"shape", state=b"%d" % version, occurred_at=NOON)
        recorder.keep_snapshot(room.organization_id, one, snapshot)
        found, events = recorder.load(room.organization_id, one)
        assert found is not None
        assert (found.version, found.state, found.shape, found.occurred_at) == (kept, b"%d" % kept, b"shape", NOON)
        assert [event.originator_version for event in events] == list(range(kept + 1, 4))
        assert recorder.load_several(room.organization_id, [one]) == {one: (found, events)}
    assert len(recorder.load_events(room.organization_id, one)) == 3


@promise
def a_user_name_belongs_to_one_member(recorder: Recorder) -> None:
    room, one, other = Room(recorder), uuid4(), uuid4()
    room.append(*room.events(one, 1), facts=[named(one, "generated@contoso.example")])
    with pytest.raises(VersionConflict) as conflict:
        room.append(*room.events(other, 1), facts=[named(other, "Generated@contoso.example")])
    assert conflict.value.originator_id == one
    room.append(*room.events(one, 2), facts=[named(one, "Generated@contoso.example")])
    assert room.told() == [(one, 1), (one, 2)]


@promise
def facts_go_with_a_save_that_erases_them_or_stay_with_it(recorder: Recorder) -> None:
    """Seen by the name, which is free for another member once it is gone."""
    room, one, other = Room(recorder), uuid4(), uuid4()
    fact = named(one, "generated@contoso.example")
    room.append(*room.events(one, 1), facts=[fact])
    with pytest.raises(VersionConflict):
        room.append(*room.events(one, 3), erasing=[fact.fact_id])
    with pytest.raises(VersionConflict):
        room.append(*room.events(other, 1), facts=[named(other, "generated@contoso.example")])
    room.append(*room.events(one, 2), erasing=[fact.fact_id])
    room.append(*room.events(other, 1), facts=[named(other, "generated@contoso.example")])
    assert room.told() == [(one, 1), (one, 2), (other, 1)]


@promise
def what_was_recorded_before_erases_nothing(recorder: Recorder) -> None:
    """The id may have stood for another command, which told of no erasure."""
    room, one, other, command_id = Room(recorder), uuid4(), uuid4(), uuid4()
    fact = named(one, "generated@contoso.example")
    room.append(*room.events(one, 1), facts=[fact], command_id=command_id)
    with pytest.raises(AlreadyRecorded):
        room.append(*room.events(one, 2), erasing=[fact.fact_id], command_id=command_id, fingerprint=b"another")
    with pytest.raises(VersionConflict):
        room.append(*room.events(other, 1), facts=[named(other, "generated@contoso.example")])
    assert room.told() == [(one, 1)]


@promise
def events_are_found_by_a_text_in_them(recorder: Recorder) -> None:
    room, one = Room(recorder), uuid4()
    room.append(*room.events(one, 1, 2))
    room.append(*room.events(uuid4(), 1, 2))
    found = recorder.mentioning(room.organization_id, '"of":2')
    assert [event.organization_seq for event in found] == [2, 4]
    assert recorder.mentioning(uuid4(), '"of":2') == []


@promise
def a_turn_is_given_and_given_back(recorder: Recorder) -> None:
    room, one = Room(recorder), uuid4()
    for _ in range(2):
        with recorder.turn(room.organization_id, one):
            room.append(*room.events(uuid4(), 1))
    assert len(room.told()) == 2


@promise
def what_was_known_at_a_moment_is_a_beginning_of_the_stream(recorder: Recorder) -> None:
    room, one = Room(recorder), uuid4()
    for version in (1, 2, 3):
        room.append(*room.events(one, version))
    events = recorder.load_events(room.organization_id, one)
    for count, event in enumerate(events, start=1):
        for known in (event.position, event.recorded_time):
            _, found = recorder.load_as_of(room.organization_id, one, AsOf(known=known))
            assert [each.originator_version for each in found] == list(range(1, count + 1))
    assert recorder.load_as_of(room.organization_id, one, AsOf(known=events[0].position - 1)) == (None, [])
    assert recorder.load_as_of(uuid4(), one, AsOf()) == (None, [])


@promise
def aggregates_come_in_the_order_of_their_ids(recorder: Recorder) -> None:
    room, ids = Room(recorder), sorted(uuid4() for _ in range(5))
    for one in ids[::-1]:
        room.append(*room.events(one, 1, 2))
    found = [
        list(recorder.aggregates(room.organization_id, after=after, limit=2))
        for after in (None, ids[1], ids[3], ids[4])
    ]
    assert found == [ids[:2], ids[2:4], ids[4:], []]
    assert list(recorder.aggregates(uuid4(), after=None, limit=2)) == []
