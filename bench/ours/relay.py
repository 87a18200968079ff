"""The relay, as its worker runs it: batches of settled events, translated and published in transactions."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from adapters.kafka.batch import BatchReader
from adapters.kafka.relay import BATCH, WATCHDOG_S, open_producer, resume
from adapters.kafka.topic_settings import Topics, ensure_topics
from adapters.kafka.watchdog import Watchdog
from adapters.postgres.follower import Follower
from adapters.postgres.relay_session import RelaySession
from adapters.postgres.session import PROJECTOR
from adapters.workers.relay_reader import ReaderProcess, Reading
from bench.program import Job, Score, Settings, Work, serve

TOPICS = Topics("bench.relay.events", "bench.relay.position")


@contextmanager
def prepare(settings: Settings) -> Iterator[Work]:
    database, bootstrap = settings["database"], settings["bootstrap"]
    ensure_topics(bootstrap, TOPICS)
    producer = open_producer(bootstrap, TOPICS)
    with RelaySession(database, TOPICS.events) as session:
        watchdog = Watchdog(WATCHDOG_S)
        relay = resume(producer, bootstrap, TOPICS, session, watchdog)
        reading = Reading(database, relay.source, BATCH, TOPICS.edition, {})

        def work(job: Job) -> Score:
            with (
                Follower(database, role=PROJECTOR, session_name="seatledger bench") as follower,
                BatchReader(follower, relay.source, BATCH, watchdog, beside=lambda: ReaderProcess(reading)) as reader,
            ):
                done, started = 0, time.perf_counter()
                while done < job["events"]:
                    session.look()
                    batch = reader.next()
                    relay.publish(batch, meanwhile=reader.read_on)
                    done += len(batch.messages)
                return Score(done, time.perf_counter() - started)

        yield work
    producer.close(timeout=5)


if __name__ == "__main__":
    serve(prepare)
