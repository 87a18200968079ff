"""The process beside a relay that is far behind: it hands out what the relay would make, and may end at any time."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psutil
import pytest

from adapters.embedded.postgres import EmbeddedPostgres
from adapters.kafka.batch import Batch, translate
from adapters.workers.relay import Ending
from adapters.workers.relay_reader import SESSION_NAME, ReaderProcess, Reading
from tests.adapters.kafka.conftest import Relayed, relayed, until
from tests.adapters.kafka.test_relay_refusals import events_of, rewrite_history
from tests.adapters.kafka.test_skips import UNKNOWN

NOWHERE = "127.0.0.1:1"
SOURCE = "/seatledger/of-the-test/1"
READERS = f"FROM pg_stat_activity WHERE application_name = '{SESSION_NAME}' AND datname = current_database()"
READING = f"SELECT count(*) {READERS}"


@pytest.fixture
def alone(postgres: EmbeddedPostgres) -> Iterator[Relayed]:
    """A ledger without a broker."""
    with relayed(postgres, NOWHERE) as ready:
        yield ready


@contextmanager
def reading(here: Relayed, limit: int = 5, skips: dict[int, bytes] | None = None) -> Iterator[ReaderProcess]:
    reader = ReaderProcess(Reading(here.url, SOURCE, limit, 1, skips or {}))
    try:
        until(reader.ready)
        yield reader
    finally:
        reader.kill()


def handed_out(reader: ReaderProcess, after: int = 0) -> list[Batch]:
    found = []
    while batch := reader.next(after):
        found.append(batch)
    return found


def test_it_hands_out_whole_batches_from_a_position_on_as_the_relay_would_make_them(alone: Relayed) -> None:
    alone.write(members=4, saves=6)
    events = events_of(alone)[3:]
    with reading(alone) as reader:
        found = handed_out(reader, after=3)
        assert reader.next(0) is None  # it has ended
    whole = [events[start : start + 5] for start in range(0, len(events) - 4, 5)]
    assert found == [translate(batch, SOURCE) for batch in whole]
    assert len(found) == 4


def test_it_ends_before_a_batch_with_an_event_that_cannot_go_out_and_tells_what_is_skipped_as_skipped(
    alone: Relayed,
) -> None:
    alone.write(members=6)
    rewrite_history(alone, UNKNOWN)
    stuck = alone.last
    alone.write(members=20)
    with reading(alone) as reader:
        assert len(handed_out(reader)) == (stuck - 1) // 5
    skips = {stuck: events_of(alone)[stuck - 1].chain_hash}
    with reading(alone, skips=skips) as reader:
        found = handed_out(reader)
    assert found == [translate(events_of(alone)[at : at + 5], SOURCE, skips=skips) for at in range(0, 25, 5)]


def test_whatever_it_meets_it_ends_and_says_nothing(alone: Relayed, capfd: pytest.CaptureFixture[str]) -> None:
    for url in ("postgresql://127.0.0.1:1/nothing", "no url"):
        reader = ReaderProcess(Reading(url, SOURCE, 5, 1, {}))
        assert handed_out(reader) == []
        assert reader.process.wait(10) == 0
    with reading(alone) as reader:
        reader.kill()
        assert reader.next(0) is None
        reader.kill()
    assert capfd.readouterr() == ("", "")


def test_it_ends_when_whoever_asked_is_gone(alone: Relayed) -> None:
    alone.write(members=2_000)
    with reading(alone, limit=100) as reader:
        assert reader.next(0)
        assert alone.count(READING) == 1
        reader._pipe.close()  # as the kernel does when the relay dies
        assert reader.process.wait(10) == 0
    until(lambda: alone.count(READING) == 0)


def test_one_that_hangs_is_not_waited_for(alone: Relayed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.workers.relay_reader.PATIENCE_S", 0.2)
    alone.write(members=2_000)
    with reading(alone, limit=1_000) as reader:
        os.kill(reader.process.pid, signal.SIGSTOP)
        assert reader.next(0) is None


def test_a_relay_killed_far_behind_leaves_no_reader(here: Relayed) -> None:
    here.write(members=1_000, saves=5)
    with here.relay_process() as relay:
        until(lambda: here.count(READING))
        [reader] = psutil.Process(relay.pid).children()
        relay.kill()
        relay.wait()
    until(lambda: not psutil.pid_exists(reader.pid))
    assert here.relay() is Ending.STOPPED
    here.assert_topic_is_the_ledger()


def test_a_relay_whose_readers_are_killed_publishes_everything_once(here: Relayed) -> None:
    here.write(members=1_000, saves=8)
    killed: set[int] = set()
    with here.being_written(), here.relay_process() as relay:
        while len(killed) < 3 and here.shown < here.last - 100:
            for reader in psutil.Process(relay.pid).children():
                if reader.pid not in killed and here.count(READING):
                    with suppress(psutil.NoSuchProcess):
                        reader.kill()
                        killed.add(reader.pid)
        relay.terminate()
        assert relay.wait(60) == Ending.STOPPED
    assert killed
    assert here.relay() is Ending.STOPPED
    here.assert_topic_is_the_ledger()
