"""The way of an event from the writer's commit to a consumer: commits at an even pace, and when each event came."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from typing import Any, NamedTuple, TypeAlias
from uuid import UUID

from confluent_kafka import Consumer
from confluent_kafka import TopicPartition as Partition
from kafka import KafkaConsumer, TopicPartition

from adapters.kafka.topic_settings import EVENTS
from bench.crew import READY, crew
from bench.drive import scored
from bench.kept import KeptRounds
from bench.program import Job, Score, Settings, Work
from bench.workload import picker
from bench.writing import save
from services.ledger import Ledger

SAVED = 2  # events of a save
THREADS = 4
LEAD_IN_S = 1.0  # which does not count: all have to be warm
LOOK_S = 0.05
PATIENCE_S = 30.0
COMMAND = "ce_commandid"

Committed: TypeAlias = Callable[[UUID, UUID], object]
"""Is told the organization and the command of each save that is committed."""

Arrivals: TypeAlias = list[tuple[str, float]]
"""The command of each event that came, and when."""


class Delivered(NamedTuple):
    """How many seconds each event was on its way, and how long the writers wrote."""

    took: list[float]
    seconds: float

    def score(self, job: Job) -> Score:
        """Events a second of the writers, or with `within` the time within which that share of the events came."""
        return scored(self.took, self.seconds, job)


def played(play: Callable[[Job], Delivered]) -> Work:
    """Plays each round once, whatever is asked of it."""
    rounds = KeptRounds[Delivered]()

    def work(job: Job) -> Score:
        asked = str(job.get("within", "pace"))
        return rounds.next(job["reader"], asked, lambda: play(job)).score(job)

    return work


def deliver(ledger: Ledger, settings: Settings, job: Job, topic: str, then: Committed) -> Delivered:
    """Writes at the job's pace while its reader reads the topic, and waits until every event came once."""
    asked = {"workers": 1, "bootstrap": settings["bootstrap"], "topic": topic, "reader": job["reader"]}
    with crew(asked, reader) as order:
        began = time.monotonic()
        committed = write(ledger, job, then)
        arrivals = arrivals_of(lambda: order("what came?")[0], committed)
    counted = {command for command, at in committed.items() if at >= began + LEAD_IN_S}
    took = [at - committed[command] for command, at in arrivals if command in counted]
    return Delivered(took, max(committed.values()) - began - LEAD_IN_S)


def write(ledger: Ledger, job: Job, then: Committed) -> dict[str, float]:
    """Saves so many events a second, evenly; when each command was committed. Who is late does not wait."""
    saves_a_second = job["pace"] / SAVED
    chance = random.Random(job["seed"])  # noqa: S311 - to repeat a run
    pick = picker("uniform", chance)
    saves = iter([(number, pick()) for number in range(round((LEAD_IN_S + job["seconds"]) * saves_a_second))])
    committed: dict[str, float] = {}
    began = time.monotonic()

    def work(_: int) -> None:
        for number, organization_id in saves:  # each thread takes the next
            time.sleep(max(0.0, began + number / saves_a_second - time.monotonic()))
            command_id = save(ledger, organization_id, SAVED)
            committed[str(command_id)] = time.monotonic()
            then(organization_id, command_id)

    with ThreadPoolExecutor(THREADS) as threads:
        list(threads.map(work, range(THREADS)))
    return committed


def arrivals_of(ask: Callable[[], Arrivals], commands: Collection[str]) -> Arrivals:
    """Asks until each event of the commands came; raises ValueError where one did not come, or came again."""
    arrivals: Arrivals = []
    deadline = time.monotonic() + PATIENCE_S
    while len(arrivals) < len(commands) * SAVED and time.monotonic() < deadline:
        arrivals += ask()
        time.sleep(LOOK_S)
    if Counter(command for command, _ in arrivals) != dict.fromkeys(commands, SAVED):
        raise ValueError(f"{len(arrivals)} events came, or others than the {len(commands) * SAVED} that were committed")
    return arrivals


def reader(settings: Settings, _: int, orders: Connection) -> None:
    """A process that reads the topic from its end on, and answers when asked what has come since."""
    arrivals: Arrivals = []
    looks = READERS[settings["reader"]](settings["bootstrap"], settings["topic"])
    next(looks)
    orders.send(READY)
    for came in looks:
        arrivals += came
        while orders.poll():
            if orders.recv() is None:
                return
            orders.send(arrivals)
            arrivals = []


def read_with_kafka_python(bootstrap: str, topic: str) -> Iterator[Arrivals]:
    """Its settings as they are, but for the isolation."""
    consumer = KafkaConsumer(
        bootstrap_servers=bootstrap, isolation_level="read_committed", enable_auto_commit=False, group_id=None
    )
    partitions = [TopicPartition(topic, number) for number in range(EVENTS.partitions)]
    consumer.assign(partitions)
    consumer.seek_to_end(*partitions)
    for partition in partitions:
        consumer.position(partition)  # an end that is not asked for is looked up late
    yield []
    while True:
        came: Mapping[Any, Any] = consumer.poll(timeout_ms=round(1000 * LOOK_S))
        now = time.monotonic()
        yield [(command_of(record.headers), now) for records in came.values() for record in records]


def read_with_confluent_kafka(bootstrap: str, topic: str) -> Iterator[Arrivals]:
    """Its settings as they are, but for the isolation."""
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": f"bench reads {topic}",
            "isolation.level": "read_committed",
            "enable.auto.commit": False,
        }
    )
    partitions = [Partition(topic, number) for number in range(EVENTS.partitions)]
    ends = [consumer.get_watermark_offsets(partition, timeout=PATIENCE_S)[1] for partition in partitions]
    consumer.assign([Partition(topic, number, end) for number, end in enumerate(ends)])
    yield []
    while True:
        message: Any = consumer.poll(LOOK_S)
        if message is None:
            yield []
            continue
        if message.error():
            raise ValueError(str(message.error()))
        yield [(command_of(message.headers()), time.monotonic())]


def command_of(headers: Collection[tuple[str, bytes]]) -> str:
    return next(value.decode() for name, value in headers if name == COMMAND)


READERS: Mapping[str, Callable[[str, str], Iterator[Arrivals]]] = {
    "kafka-python": read_with_kafka_python,
    "confluent-kafka": read_with_confluent_kafka,
}
