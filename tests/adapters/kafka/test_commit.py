"""What the relay does to its producer, in which order, and when it stops: without a broker."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import Any

import pytest
from kafka.errors import KafkaTimeoutError

from adapters.kafka.batch import translate
from adapters.kafka.relay import Relay
from adapters.kafka.topic_settings import Topics
from adapters.kafka.watchdog import Watchdog
from tests.adapters.kafka.conftest import ROOT
from tests.adapters.kafka.test_topic_audit import EVENTS, SOURCE


class Future:
    """What a send answers."""

    def __init__(self, told: list[str], error: Exception | None = None) -> None:
        self.told, self.error = told, error

    def get(self, timeout: float) -> None:
        assert timeout == 0, "after the flush there is nothing to wait for"
        self.told.append("look")
        if self.error:
            raise self.error


class ToldProducer:
    """Writes down what it is told; the send number `fails` is lost, the `flush` may not come to an end."""

    def __init__(self, *, fails: int = -1, flush: Exception | None = None) -> None:
        self.told: list[str] = []
        self.fails, self.unflushed = fails, flush

    def begin_transaction(self) -> None:
        self.told.append("begin")

    def send(self, topic: str, **_: Any) -> Future:
        self.told.append(f"send {topic}")
        lost = sum(word.startswith("send") for word in self.told) == self.fails
        return Future(self.told, ConnectionError("lost") if lost else None)

    def flush(self, timeout: float) -> None:
        assert timeout > 0
        self.told.append("flush")
        if self.unflushed:
            raise self.unflushed

    def commit_transaction(self) -> None:
        self.told.append("commit")


def relay_of(producer: ToldProducer) -> Relay:
    return Relay(producer, Topics("events", "position"), SOURCE, after=None, watchdog=Watchdog(60))


def test_events_and_position_are_one_transaction_and_every_future_is_looked_at_before_the_commit() -> None:
    producer = ToldProducer()
    relay = relay_of(producer)
    relay.publish(translate(EVENTS[:2], SOURCE))
    sends = ["send events", "send events", "send position"]
    assert producer.told == ["begin", *sends, "flush", "look", "look", "look", "commit"]
    assert relay.after == EVENTS[1].position


@pytest.mark.parametrize("fails", [1, 2, 3])
def test_a_batch_with_a_lost_message_is_never_committed(fails: int) -> None:
    producer = ToldProducer(fails=fails)
    relay = relay_of(producer)
    with pytest.raises(ConnectionError):
        relay.publish(translate(EVENTS[:2], SOURCE))
    assert "commit" not in producer.told
    assert relay.after == 0


def test_a_batch_that_is_not_flushed_in_time_is_never_committed() -> None:
    producer = ToldProducer(flush=KafkaTimeoutError())
    with pytest.raises(KafkaTimeoutError):
        relay_of(producer).publish(translate(EVENTS[:2], SOURCE))
    assert "commit" not in producer.told


def test_a_block_that_hangs_ends_the_process_and_says_which() -> None:
    program = (
        "import time; from adapters.kafka.watchdog import Watchdog\n"
        "with Watchdog(0.2).guards('a commit'): time.sleep(30)"
    )
    started = time.monotonic()
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False, cwd=ROOT)
    assert ended.returncode == 70
    assert ended.stderr == b"a commit hangs for 0.2 s\n"
    assert time.monotonic() - started < 25


def test_a_block_that_ends_in_time_does_not() -> None:
    ends: list[int] = []
    with Watchdog(0.05, end=ends.append).guards("a commit"):
        pass
    time.sleep(0.1)
    assert ends == []
