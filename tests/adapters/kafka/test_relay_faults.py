"""The broker goes away, comes back and freezes while the relay publishes; a supervisor starts it again."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from adapters.embedded.postgres import EmbeddedPostgres
from adapters.embedded.throw_away import throw_away_kafka
from adapters.workers.relay import Ending
from tests.adapters.kafka.conftest import Relayed, relayed
from tests.adapters.kafka.test_relay import until_published_further


@contextmanager
def supervised(here: Relayed) -> Iterator[list[Ending]]:
    """Relay processes one after the other, as `seatledger up` keeps them; the endings so far."""
    endings: list[Ending] = []
    stop = threading.Event()

    def supervise() -> None:
        while not stop.is_set():
            with here.relay_process("2") as relay:
                while relay.poll() is None and not stop.wait(0.05):
                    pass
                if not stop.is_set():
                    endings.append(Ending(relay.returncode))

    supervisor = threading.Thread(target=supervise)
    supervisor.start()
    try:
        yield endings
    finally:
        stop.set()
        supervisor.join()


def test_a_broker_killed_and_frozen_in_the_middle_loses_and_doubles_nothing(
    postgres: EmbeddedPostgres,
) -> None:
    with throw_away_kafka() as kafka, relayed(postgres, kafka.bootstrap) as here:
        with here.being_written(), supervised(here) as endings:
            until_published_further(here)
            kafka.kill9()
            kafka.start()
            until_published_further(here)
            kafka.pause()
            try:
                while not endings or endings[-1] is not Ending.HUNG:
                    assert all(ending.restartable for ending in endings)
                    threading.Event().wait(0.1)
            finally:
                kafka.resume()
            until_published_further(here)
        assert all(ending.restartable for ending in endings)
        assert here.relay() is Ending.STOPPED
        here.assert_topic_is_the_ledger()


def test_a_database_that_is_not_there_ends_the_relay_so_that_it_is_started_again(here: Relayed) -> None:
    elsewhere = Relayed.__new__(Relayed)
    elsewhere.url, elsewhere.bootstrap, elsewhere.topics = "postgresql://127.0.0.1:1/none", here.bootstrap, here.topics
    with elsewhere.relay_process() as relay:
        try:
            assert Ending(relay.wait(30)) is Ending.FAILED
        except subprocess.TimeoutExpired:
            raise AssertionError("it hangs") from None
