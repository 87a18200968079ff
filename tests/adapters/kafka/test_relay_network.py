"""The network between relay and broker fails at the worst points; the topic is the ledger all the same."""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

import psutil
import pytest

from adapters.workers.relay import Ending
from tests.adapters.kafka.conftest import Relayed, relayed, until
from tests.adapters.kafka.test_relay import until_published_further
from tests.adapters.kafka.test_relay_faults import supervised
from tools.soak.fault_proxy import Fault, FaultProxy, Side, at_random

if TYPE_CHECKING:
    from adapters.embedded.kafka import EmbeddedKafka
    from adapters.embedded.postgres import EmbeddedPostgres

TRANSACTION = ("AddPartitionsToTxn", "Produce", "EndTxn")
CUTS = list(product(TRANSACTION, Side, (Fault.CUT, Fault.LOSE)))
HALVES = [("EndTxn", side, Fault.HALF_CLOSE) for side in Side]


@dataclass
class Network:
    """A ledger that is relayed through a proxy, and the way around it."""

    here: Relayed
    proxy: FaultProxy
    direct: Relayed

    def check(self) -> None:
        """By a reader that nothing disturbs."""
        assert self.direct.relay() is Ending.STOPPED
        self.direct.assert_topic_is_the_ledger()


@pytest.fixture
def network(postgres: EmbeddedPostgres, kafka: EmbeddedKafka) -> Iterator[Network]:
    with FaultProxy(kafka.bootstrap) as proxy, relayed(postgres, proxy.bootstrap) as here:
        direct = Relayed(here.url, kafka.bootstrap, here.topics)
        try:
            yield Network(here, proxy, direct)
        finally:
            direct.close()


def test_the_proxy_is_the_only_way_that_clients_know(network: Network) -> None:
    network.here.write(members=1)
    assert network.here.relay() is Ending.STOPPED
    seen: set[str] = set()
    network.proxy.plan(lambda frame: seen.add(frame.call))
    network.here.write(members=1)
    assert network.here.relay() is Ending.STOPPED
    assert seen > {"InitProducerId", *TRANSACTION}
    network.check()


@pytest.mark.timeout(300)
def test_every_call_of_a_transaction_cut_lost_and_half_closed_loses_and_doubles_nothing(network: Network) -> None:
    """Lost answers are the worst: the broker has done it, and the relay does not know."""
    network.here.write(members=10, saves=3)
    with network.here.being_written(), supervised(network.here) as endings:
        until_published_further(network.here)
        for call, side, fault in [*CUTS, *HALVES]:
            struck = network.proxy.once(fault, call, side)
            until(struck.is_set)
            until_published_further(network.here)
    assert len(network.proxy.done) == len(CUTS) + len(HALVES)
    assert all(ending.restartable for ending in endings)
    network.check()


def test_a_network_that_fails_at_random_all_the_time_loses_and_doubles_nothing(network: Network) -> None:
    network.here.write(members=20, saves=5)
    with network.here.being_written(), supervised(network.here) as endings:
        until_published_further(network.here)
        network.proxy.plan(at_random(random.Random(11), 0.02))  # noqa: S311 - not a secret
        time.sleep(10)
        network.proxy.plan(lambda _: None)
        until_published_further(network.here)
    assert len(network.proxy.done) > 5
    assert all(ending.restartable for ending in endings)
    network.check()


def test_a_relay_whose_commit_comes_after_another_has_led_commits_nothing(network: Network) -> None:
    """Its whole transaction is in the broker, and only the word to commit it is late: it was frozen meanwhile."""
    network.here.write(members=10)
    with network.here.relay_process() as zombie:
        until(lambda: network.here.shown == network.here.last)
        committed = network.proxy.once(Fault.HOLD, "EndTxn", Side.REQUEST)
        network.here.write(members=10)
        until(committed.is_set)
        zombie.send_signal(signal.SIGSTOP)
        network.here.count(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'seatledger relay'"
        )
        with network.direct.relay_process() as successor:
            until(lambda: network.here.shown == network.here.last)
            network.proxy.release()  # the broker hears it now
            network.here.write(members=3)
            until(lambda: network.here.shown == network.here.last)
            before = len(network.direct.messages())
            zombie.send_signal(signal.SIGCONT)
            assert zombie.wait(60) == Ending.FAILED
            assert len(network.direct.messages()) == before
            successor.terminate()
            assert successor.wait(60) == Ending.STOPPED
    network.check()


@contextmanager
def held_in_the_middle(network: Network, call: str) -> Iterator[None]:
    held = network.proxy.once(Fault.HOLD, call, Side.REQUEST)
    network.here.write(members=10)
    until(held.is_set)
    try:
        yield
    finally:
        network.proxy.release()


@pytest.mark.parametrize("call", ["Produce", "EndTxn"])
def test_a_relay_that_is_told_to_stop_while_the_broker_does_not_answer_ends_within_seconds_and_with_zero(
    network: Network, call: str
) -> None:
    network.here.write(members=5)
    with network.here.relay_process() as relay:
        until(lambda: network.here.shown == network.here.last)
        with held_in_the_middle(network, call):
            told = time.monotonic()
            relay.terminate()
            assert relay.wait(30) == Ending.STOPPED
            assert time.monotonic() - told < 10
    network.check()


def test_a_relay_that_is_told_to_stop_in_the_middle_of_a_batch_ends_it_first(network: Network) -> None:
    network.here.write(members=100, saves=10)
    with network.here.being_written():
        for round_ in range(4):
            with network.here.relay_process() as relay:
                until_published_further(network.here)
                time.sleep(0.02 * round_)
                told = time.monotonic()
                relay.terminate()
                assert relay.wait(30) == Ending.STOPPED
                assert time.monotonic() - told < 10
            assert network.direct.shown == network.direct.published  # what it committed, it showed
    network.check()


def test_memory_stays_as_it_is_however_far_it_is_behind(network: Network) -> None:
    """14,000 events are some 30 MB as Python has them; two batches of 50 are next to nothing."""
    network.direct.write(members=200, saves=70)
    with network.direct.relay_process() as relay:
        until(lambda: network.direct.shown > 3_000)
        process = psutil.Process(relay.pid)
        early, most = process.memory_info().rss, 0
        while network.direct.shown < network.direct.last:
            most = max(most, process.memory_info().rss)
            time.sleep(0.1)
        assert most - early < 12 * 1024 * 1024
        relay.terminate()
        assert relay.wait(30) == Ending.STOPPED
