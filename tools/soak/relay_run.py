"""Relays and consumers on three brokers: all are killed, brokers frozen, leaders moved, and the network fails."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import TypeAlias

from kafka import KafkaAdminClient
from kafka.errors import KafkaError

from adapters.embedded.kafka_cluster import EmbeddedKafkaCluster
from adapters.embedded.throw_away import throw_away_home, throw_away_kafka_cluster, throw_away_postgres
from adapters.kafka.topic_settings import Topics
from adapters.postgres.relay_standing import relay_standing
from tools.soak.checks import Checks, made
from tools.soak.fault_proxy import FaultProxy, at_random
from tools.soak.fleet import CATCH_UP_S, RESTARTABLE, Fleet
from tools.soak.revenue import Revenue
from tools.soak.run import Outcome, counts_of

RELAYS = 2  # one leads, one stands by
CONSUMERS = 2  # of one group
REPLICATION = 3
PREFERRED = 0  # the kind of election that only moves leaders back
SHARE = 0.005  # of all frames between relays and brokers that something happens to
FROZEN_S = 25.0  # longer than every timeout of the client and of the watchdog


Tell: TypeAlias = Callable[[str], None]


@dataclass(frozen=True)
class RelayOptions:
    """How many of each; with the same seed the same order."""

    seed: int
    relay_kills: int = 50
    consumer_kills: int = 30
    broker_kills: int = 20
    leader_moves: int = 10
    freezes: int = 3
    seconds: float = 0.0
    writers: int = 2


def run_relay(options: RelayOptions, tell: Tell) -> Outcome:
    """The whole run on servers of its own."""
    with ExitStack() as stack:
        folder = stack.enter_context(throw_away_home())
        postgres = stack.enter_context(throw_away_postgres())
        cluster = stack.enter_context(throw_away_kafka_cluster())
        proxy = stack.enter_context(FaultProxy(cluster.bootstrap))
        fleet = Fleet(folder, options.seed, postgres, None)
        stack.callback(fleet.end)
        fleet.prepare(writers=options.writers, shared=2)
        fleet.workers = fleet.writers
        for number in range(RELAYS):
            arguments = (fleet.url, proxy.bootstrap, str(REPLICATION))
            fleet.add(f"relay {number}", "relay", arguments, worked=fleet.relayed, restartable=RESTARTABLE)
        run = Run(fleet, cluster, proxy, options=options, tell=tell)
        run.revenue.prepare()
        for number in range(CONSUMERS):
            fleet.add(f"consumer {number}", "consumer", (run.revenue.url, proxy.bootstrap), worked=run.revenue.read)
        fleet.kafka = cluster
        tell(f"three brokers at {cluster.bootstrap}")
        return run.to_its_end()


class Run:
    """One run."""

    def __init__(
        self, fleet: Fleet, cluster: EmbeddedKafkaCluster, proxy: FaultProxy, *, options: RelayOptions, tell: Tell
    ) -> None:
        self.fleet, self.cluster, self.proxy, self.options, self.tell = fleet, cluster, proxy, options, tell
        self.revenue = Revenue(fleet.url)
        self.chance = random.Random(options.seed)  # noqa: S311 - not a secret
        self.struck = 0

    def to_its_end(self) -> Outcome:
        fleet, options = self.fleet, self.options
        outcome = Outcome(options.seed, options.writers)
        started = time.monotonic()
        fleet.start()
        fleet.until(lambda: fleet.relayed() > 0, "the first message")
        fleet.until(lambda: self.revenue.read() > 0, "the first event at a consumer")
        self.proxy.plan(at_random(random.Random(f"{options.seed} network"), SHARE))  # noqa: S311 - not a secret
        self.under_faults()
        self.proxy.plan(lambda _: None)
        self.come_to_rest()
        outcome.seconds = round(time.monotonic() - started, 1)
        outcome.kills = fleet.kills
        outcome.restarts = sum(worker.restarts for worker in fleet.workers)
        checks = Checks(fleet, repeats=0)
        outcome.counts = {**counts_of(fleet, checks), "faults_of_the_network": len(self.proxy.done)}
        self.tell(f"{outcome.counts['events']:,} events, {sum(fleet.kills.values())} kills; now the checks")
        counted = ("the example counts what the ledger says, to the twelfth of a cent", self.revenue.check)
        for check in (*checks.of_the_topic(), *made([counted])):
            outcome.checks.append(check)
            self.tell(f"{'stands' if not check.found else 'FOUND '}  {check.name} ({check.looked_at:,})")
        outcome.findings = fleet.findings
        return outcome

    def under_faults(self) -> None:
        options = self.options
        acts: list[Callable[[], str]] = [
            *[self.kill_the_leader] * options.relay_kills,
            *[self.kill_a_consumer] * options.consumer_kills,
            *[self.kill_a_broker] * options.broker_kills,
            *[self.move_leaders] * options.leader_moves,
            *[self.freeze_a_broker] * options.freezes,
        ]
        self.chance.shuffle(acts)
        started = time.monotonic()
        for number, act in enumerate(acts):
            due = options.seconds * (number + self.chance.random()) / len(acts)
            self.fleet.go_on(max(0.0, started + due - time.monotonic()))
            before = self.fleet.relayed()
            self.fleet.until(lambda before=before: self.fleet.relayed() > before, "work of the relay before its fault")  # type: ignore[misc]
            time.sleep(self.chance.random() * 0.1)
            what = act()
            self.fleet.kills[what] = self.fleet.kills.get(what, 0) + 1
            self.tell(f"{what} ({number + 1} of {len(acts)})")

    def kill_the_leader(self) -> str:
        """Whoever holds the lock; where nobody does, any."""
        relays = [worker for worker in self.fleet.workers if worker.name.startswith("relay")]
        leader = relay_standing(self.fleet.url, Topics().events).leader
        leading = [worker for worker in relays if leader and worker.pid == leader.process_id]
        self.chance.choice(leading or relays).kill()
        return "relay"

    def kill_a_consumer(self) -> str:
        """One of the two, after the group was seen to get on: the other takes over what it had, and gives it back."""
        before = self.revenue.read()
        self.fleet.until(lambda: self.revenue.read() > before, "work of the consumers before their fault")
        self.chance.choice([worker for worker in self.fleet.workers if worker.name.startswith("consumer")]).kill()
        return "consumer"

    def kill_a_broker(self) -> str:
        """Each in turn: what it led, another leads then."""
        self.struck += 1
        node = self.cluster.nodes[self.struck % len(self.cluster.nodes)]
        node.kill9()
        self.fleet.go_on(self.chance.random() * 5)
        node.start()
        return "Kafka"

    def freeze_a_broker(self) -> str:
        """Its connections stay open, and nothing answers."""
        node = self.chance.choice(self.cluster.nodes)
        node.pause()
        try:
            self.fleet.go_on(FROZEN_S)
        finally:
            node.resume()
        return "frozen broker"

    def move_leaders(self) -> str:
        """Back to who leads by preference, while the relay writes to them."""
        with suppress(KafkaError):
            admin = KafkaAdminClient(bootstrap_servers=self.cluster.bootstrap)
            try:
                admin.elect_leaders(PREFERRED, raise_errors=False)
            finally:
                admin.close()
        return "leaders moved"

    def come_to_rest(self) -> None:
        """The writers stop, and relay and consumers come to the end of history."""
        for writer in self.fleet.writers:
            self.fleet.stop(writer)
        last = self.fleet.written()
        self.fleet.until(lambda: self.fleet.relayed() == last, "the end of history in the topic", CATCH_UP_S)
        events = self.fleet.count("SELECT count(*) FROM ledger.events")
        self.fleet.until(lambda: self.revenue.read() == events, "the end of history at the consumers", CATCH_UP_S)
        for worker in self.fleet.workers:
            self.fleet.stop(worker)
