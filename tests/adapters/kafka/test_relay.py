"""The topic equals the ledger, whatever happens to the relay."""

from __future__ import annotations

import signal
import time

from adapters.workers.relay import Ending
from tests.adapters.kafka.conftest import Relayed, until


def test_what_is_recorded_is_in_the_topic_once_and_in_order(here: Relayed) -> None:
    here.write(members=7, saves=3)
    here.write(members=1)
    assert here.relay() is Ending.STOPPED
    here.assert_topic_is_the_ledger()
    assert here.shown == here.last  # for people


def test_a_relay_goes_on_where_the_one_before_stopped_and_adds_nothing_when_there_is_nothing(here: Relayed) -> None:
    for _ in range(3):
        here.write(members=5)
        assert here.relay() is Ending.STOPPED
        assert here.relay() is Ending.STOPPED
    here.assert_topic_is_the_ledger()


def test_a_relay_killed_in_the_middle_again_and_again_publishes_everything_once(here: Relayed) -> None:
    here.write(members=100, saves=20)
    with here.being_written():
        for kill in range(5):
            before = here.shown
            with here.relay_process():
                until(lambda before=before: here.shown > before)
                time.sleep(0.03 * kill)  # and then somewhere in a transaction
    assert here.relay() is Ending.STOPPED
    here.assert_topic_is_the_ledger()


def test_a_relay_that_was_frozen_and_replaced_cannot_commit_any_more(here: Relayed) -> None:
    with here.being_written(), here.relay_process() as frozen:
        until(lambda: here.shown > 0)
        frozen.send_signal(signal.SIGSTOP)
        # Its session is gone for PostgreSQL, but it does not know that it is not the leader any more.
        here.one(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'seatledger relay'"
        )
        before = here.shown
        with here.relay_process() as successor:
            until(lambda: here.shown > before)
            frozen.send_signal(signal.SIGCONT)
            assert frozen.wait(60) == Ending.FAILED
            before = here.shown
            until(lambda: here.shown > before)
            successor.terminate()
            assert successor.wait(60) == Ending.STOPPED
    assert here.relay() is Ending.STOPPED
    here.assert_topic_is_the_ledger()
