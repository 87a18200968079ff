"""Whoever has lost a partition and does not know it yet can have no effect any more."""

from __future__ import annotations

import threading
import time
from uuid import UUID

import pytest

from adapters.kit import Connection, Event, crew
from tests.adapters.kit.conftest import Desk, note, until
from tests.adapters.kit.memory_topic import REMOVED, history

ORGANIZATIONS = [UUID(int=number) for number in range(1, 5)]
MINE = "FROM pg_stat_activity WHERE application_name = 'kit desk' AND datname = current_database()"


class Hold:
    """Handles, and stays in the middle of the first event until it may go on."""

    def __init__(self) -> None:
        self.entered, self.may_go_on = threading.Event(), threading.Event()

    def __call__(self, event: Event, connection: Connection) -> None:
        note(event, connection)
        if not self.entered.is_set():
            self.entered.set()
            self.may_go_on.wait(20)


def test_a_worker_that_was_cut_off_in_the_middle_and_replaced_has_no_effect(desk: Desk) -> None:
    desk.topic.append(*history(ORGANIZATIONS[:1], 50, topics=[REMOVED]))
    hold = Hold()
    late = desk.consumer(desk.topic.source(), handle=hold, batch=10)
    with desk.running(late):
        assert hold.entered.wait(20)
        desk.rows(f"SELECT pg_terminate_backend(pid) {MINE}")  # as the server does with whoever is silent for long
        assert desk.catches_up().handled == 50
        hold.may_go_on.set()
        until(lambda: late.metrics().fenced)
        until(lambda: late.metrics().waiting == 0)
    assert late.metrics().handled == 0
    assert desk.effects == [10 + 3 * number for number in range(50)]


def test_a_second_owner_waits_for_what_the_first_is_doing_and_then_finds_that_it_is_late(desk: Desk) -> None:
    desk.topic.append(*history(ORGANIZATIONS[:1], 30, topics=[REMOVED]))
    hold = Hold()
    first, second = (desk.consumer(desk.topic.source(), handle=handle, batch=30) for handle in (hold, note))
    with desk.running(first):
        assert hold.entered.wait(20)
        with desk.running(second):
            until(lambda: desk.rows(f"SELECT count(*) {MINE} AND wait_event_type = 'Lock'") == [(1,)])
            hold.may_go_on.set()
            until(lambda: len(desk.effects) == 30)
            until(lambda: second.metrics().fenced)
    assert (first.metrics().handled, second.metrics().handled) == (30, 0)
    assert desk.effects == [10 + 3 * number for number in range(30)]


def test_a_partition_that_is_taken_away_is_given_up_when_what_is_being_done_has_ended(desk: Desk) -> None:
    desk.topic.append(*history(ORGANIZATIONS, 40, topics=[REMOVED]))
    hold = Hold()
    source = desk.topic.source()
    consumer = desk.consumer(source, handle=hold, batch=5)
    with desk.running(consumer):
        assert hold.entered.wait(20)
        source.assigned.clear()
        time.sleep(0.3)
        assert source.readers[0].joined  # it waits for the transaction
        hold.may_go_on.set()
        until(lambda: not source.readers[0].joined)
        done = len(desk.effects)
        assert done % 5 == 0 or done < 40
        source.assigned.update(range(12))
        until(lambda: len(desk.effects) == 40)
    assert desk.effects == [10 + 3 * number for number in range(40)]


def test_what_takes_too_long_is_left_behind_and_can_do_no_harm(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crew, "LEAVE_S", 0.05)
    desk.topic.append(*history(ORGANIZATIONS[:1], 40, topics=[REMOVED]))
    hold = Hold()
    source = desk.topic.source()
    consumer = desk.consumer(source, handle=hold, batch=5)
    with desk.running(consumer):
        assert hold.entered.wait(20)
        source.assigned.clear()
        until(lambda: not source.readers[0].joined)
        source.assigned.update(range(12))  # the same partition has two lanes now
        until(lambda: desk.rows(f"SELECT count(*) {MINE} AND wait_event_type = 'Lock'") == [(1,)])
        hold.may_go_on.set()
        until(lambda: len(desk.effects) == 40)
    assert desk.effects == [10 + 3 * number for number in range(40)]
