"""The topic equals the ledger, whatever happens to the relay."""

from __future__ import annotations

import signal
import time

from adapters.workers.relay import Ending
from tests.adapters.kafka.conftest import Relayed, until

RELAYS = "FROM pg_stat_activity WHERE application_name = 'seatledger relay' AND datname = current_database()"
SESSIONS = f"SELECT count(*) {RELAYS}"


def until_published_further(here: Relayed) -> None:
    before = here.shown
    until(lambda: here.shown > before)


def test_what_is_recorded_is_in_the_topic_once_and_in_order(here: Relayed) -> None:
    here.write(members=7, saves=3)
    here.write(members=1)
    assert here.relay() is Ending.STOPPED
    here.assert_topic_is_the_ledger()
    assert here.shown == here.last  # for people


def test_a_relay_goes_on_where_the_one_before_stopped_and_adds_nothing_when_there_is_nothing(here: Relayed) -> None:
    for _ in range(2):
        here.write(members=5)
        assert here.relay() is Ending.STOPPED
        assert here.relay() is Ending.STOPPED
    here.assert_topic_is_the_ledger()


def test_a_relay_killed_in_the_middle_again_and_again_publishes_everything_once(here: Relayed) -> None:
    here.write(members=100, saves=20)
    with here.being_written():
        for kill in range(3):
            with here.relay_process():
                until_published_further(here)
                time.sleep(0.03 * kill)  # and then somewhere in a transaction
    assert here.relay() is Ending.STOPPED
    here.assert_topic_is_the_ledger()


def test_a_relay_that_was_frozen_and_replaced_cannot_commit_any_more(here: Relayed) -> None:
    with here.being_written(), here.relay_process() as frozen:
        until_published_further(here)
        frozen.send_signal(signal.SIGSTOP)
        # Its session is gone for PostgreSQL, but it does not know that it is not the leader any more.
        here.count(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'seatledger relay'"
        )
        with here.relay_process() as successor:
            until_published_further(here)
            frozen.send_signal(signal.SIGCONT)
            assert frozen.wait(60) == Ending.FAILED
            until_published_further(here)
            successor.terminate()
            assert successor.wait(60) == Ending.STOPPED
    assert here.relay() is Ending.STOPPED
    here.assert_topic_is_the_ledger()


def test_of_two_relays_one_publishes_and_the_other_takes_over_when_it_is_gone(here: Relayed) -> None:
    with here.being_written(), here.relay_process() as leader:
        until_published_further(here)
        with here.relay_process() as standby:
            until(lambda: here.count(SESSIONS) == 3)  # of the leader one for its lock and one to follow the ledger
            until_published_further(here)
            assert here.count(SESSIONS) == 3
            leader.kill()
            leader.wait()
            until_published_further(here)
            standby.terminate()
            assert standby.wait(60) == Ending.STOPPED
    assert here.relay() is Ending.STOPPED
    here.assert_topic_is_the_ledger()
