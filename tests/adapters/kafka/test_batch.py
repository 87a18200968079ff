"""Batches are read ahead while the one before is published: one at most, only when behind, and never past a halt."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace

import pytest

from adapters.kafka.batch import BatchReader, translate
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


def reader_of(events: Told) -> BatchReader:
    return BatchReader(events, SOURCE, 2, Watchdog(60))


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
