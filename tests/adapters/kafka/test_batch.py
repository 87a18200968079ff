"""Batches are read ahead while the one before is published: one at most, only when behind, and never past a halt."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from adapters.kafka.batch import Batch, BatchReader, Beside, translate
from adapters.kafka.public_mapper import Unpublishable
from adapters.kafka.watchdog import Watchdog
from domain.envelope import RecordedEvent
from tests.adapters.kafka.conftest import until
from tests.adapters.kafka.test_topic_audit import EVENTS, SOURCE

UNKNOWN = replace(EVENTS[2], topic="seatledger.Later.Thing")


class Told:
    """Hands out what it was given, and writes down in which thread it was asked."""

    def __init__(self, *answers: Sequence[RecordedEvent] | Exception) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    def poll(self, limit: int) -> list[RecordedEvent]:
        assert limit == 2
        self.asked.append(threading.current_thread().name)
        answer = self.answers.pop(0) if self.answers else []
        if isinstance(answer, Exception):
            raise answer
        return list(answer)

    def go_back(self, after: int) -> None:
        """Everything after it, in batches as before."""
        left = [event for event in EVENTS if event.position > after]
        self.answers = [left[start : start + 2] for start in range(0, len(left), 2)]


class Helps:
    """Hands out so many whole batches of the same events, and ends."""

    def __init__(self, batches: int, *, is_ready: bool = True) -> None:
        self.left, self.is_ready = batches, is_ready
        self.asked: list[int] = []
        self.killed = 0

    def ready(self) -> bool:
        return self.is_ready

    def next(self, after: int) -> Batch | None:
        assert not self.killed
        self.asked.append(after)
        self.left -= 1
        events = [event for event in EVENTS if event.position > after][:2]
        return translate(events, SOURCE) if self.left >= 0 and len(events) == 2 else None

    def kill(self) -> None:
        self.killed += 1


def reader_of(events: Told, beside: Callable[[], Beside] | None = None) -> BatchReader:
    return BatchReader(events, SOURCE, 2, Watchdog(60), beside=beside)


def positions(reader: BatchReader) -> list[int]:
    batch = reader.next()
    reader.read_on()
    return [int(dict(message.headers)["ce_position"]) for message in batch.messages]


def test_batches_come_in_order_and_each_once() -> None:
    with reader_of(Told(EVENTS[:2], EVENTS[2:4], EVENTS[4:])) as reader:
        assert [positions(reader) for _ in range(4)] == [[10, 20], [30, 40], [50], []]


def test_behind_a_full_batch_one_more_is_read_and_not_two() -> None:
    events = Told(EVENTS[:2], EVENTS[2:4], EVENTS[4:])
    with reader_of(events) as reader:
        reader.next()
        assert len(events.asked) == 1  # until it is told to
        reader.read_on()
        until(lambda: len(events.asked) == 2)
    assert len(events.asked) == 2
    assert events.asked[0] == threading.current_thread().name != events.asked[1]


def test_a_relay_that_has_caught_up_reads_nothing_ahead() -> None:
    events = Told(EVENTS[:1], EVENTS[1:2])
    with reader_of(events) as reader:
        assert [positions(reader), positions(reader)] == [[10], [20]]
    assert set(events.asked) == {threading.current_thread().name}


def test_what_stands_before_an_event_that_cannot_go_out_is_a_batch_and_nothing_is_read_behind_it() -> None:
    events = Told([EVENTS[1], UNKNOWN], EVENTS[3:])
    with reader_of(events) as reader:
        batch = reader.next()
        reader.read_on()
    assert [message.key for message in batch.messages] == [b"00000000-0000-0000-0000-000000000001"]
    assert batch.position
    assert batch.position.position == 20
    assert batch.stuck
    assert batch.stuck.position == 30
    assert len(events.asked) == 1


def test_a_batch_that_begins_with_an_event_that_cannot_go_out_has_no_position() -> None:
    batch = translate([UNKNOWN, EVENTS[3]], SOURCE)
    assert (batch.messages, batch.position) == ([], None)
    assert isinstance(batch.stuck, Unpublishable)


def test_what_goes_wrong_while_reading_ahead_is_raised_in_its_turn() -> None:
    with reader_of(Told(EVENTS[:2], ConnectionError("gone"))) as reader:
        assert positions(reader) == [10, 20]
        with pytest.raises(ConnectionError):
            reader.next()


def test_the_reading_has_ended_when_the_reader_is_left() -> None:
    let_go = threading.Event()

    class Slow(Told):
        def poll(self, limit: int) -> list[RecordedEvent]:
            if self.asked:
                let_go.wait(10)
            return super().poll(limit)

    events = Slow(EVENTS[:2], EVENTS[2:4])
    with reader_of(events) as reader:
        reader.next()
        reader.read_on()
        threading.Timer(0.1, let_go.set).start()
    assert len(events.asked) == 2


@pytest.fixture
def soon_far_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.kafka.batch.FAR_BEHIND", 1)


@pytest.mark.usefixtures("soon_far_behind")
@pytest.mark.parametrize("batches", [0, 1, 2])
def test_a_reader_far_behind_is_helped_from_where_it_is_and_goes_on_alone_where_the_help_ends(batches: int) -> None:
    called: list[Helps] = []

    def call() -> Helps:
        called.append(Helps(batches))
        return called[-1]

    with reader_of(Told(EVENTS[:2]), call) as reader:
        assert [positions(reader) for _ in range(4)] == [[10, 20], [30, 40], [50], []]
    assert called[0].asked[0] == 20
    assert all(helps.killed for helps in called)


@pytest.mark.usefixtures("soon_far_behind")
def test_nobody_waits_for_help_that_is_not_ready_nor_keeps_it_when_there_is_nothing_left() -> None:
    helps = Helps(9, is_ready=False)
    with reader_of(Told(EVENTS[:2], EVENTS[2:4], EVENTS[4:]), lambda: helps) as reader:
        assert [positions(reader) for _ in range(3)] == [[10, 20], [30, 40], [50]]
        assert helps.killed
    assert helps.asked == []


def test_help_is_called_once_and_only_after_several_full_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[Helps] = []

    def call() -> Helps:
        called.append(Helps(0, is_ready=False))
        return called[-1]

    monkeypatch.setattr("adapters.kafka.batch.FAR_BEHIND", 2)
    with reader_of(Told(EVENTS[:2], [], EVENTS[2:4], EVENTS[:2], EVENTS[2:4]), call) as reader:
        for _ in range(3):
            reader.next()
        assert called == []
        reader.next()
        reader.next()
        assert len(called) == 1
        assert not called[0].killed
    assert called[0].killed
