"""The reference client in C with the relay's settings, in the same batches and transactions of finished messages."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from confluent_kafka import Producer

from adapters.kafka.cloud_event import message_of
from adapters.kafka.relay import BATCH, FLUSH_TIMEOUT_S, PRODUCER
from adapters.kafka.relay_position import RelayPosition
from adapters.kafka.topic_settings import Topics, ensure_topics
from adapters.postgres.relay_session import RelaySession
from bench.program import Job, Score, Settings, Work, serve

TOPICS = Topics("bench.librdkafka.events", "bench.librdkafka.position")
SAME = ("acks", "linger.ms", "batch.size", "compression.type", "transaction.timeout.ms", "request.timeout.ms")


@contextmanager
def prepare(settings: Settings) -> Iterator[Work]:
    with RelaySession(settings["database"], TOPICS.events) as session:
        source = session.source()
        events = list(session.events_until(settings["until"]))
    messages = [message_of(event, source) for event in events]
    batches = [
        (messages[start : start + BATCH], RelayPosition.of(events[min(start + BATCH, len(events)) - 1], source))
        for start in range(0, len(events), BATCH)
    ]
    ensure_topics(settings["bootstrap"], TOPICS)
    producer = Producer(
        {
            "bootstrap.servers": settings["bootstrap"],
            "transactional.id": f"bench:{TOPICS.events}",
            **{name: PRODUCER[name.replace(".", "_")] for name in SAME},
        }
    )
    producer.init_transactions()

    def work(job: Job) -> Score:
        times = job.get("times", 1)
        started = time.perf_counter()
        for batch, position in batches * times:
            producer.begin_transaction()
            for message in batch:
                producer.produce(
                    TOPICS.events,
                    key=message.key,
                    value=message.value,
                    headers=message.headers,
                    partition=message.partition,
                    timestamp=message.timestamp_ms,
                )
            told = position.model_dump_json().encode()
            producer.produce(TOPICS.position, key=position.source.encode(), value=told, partition=0)
            producer.flush(FLUSH_TIMEOUT_S)  # does not wait for linger, as the commit would
            producer.commit_transaction()
        return Score(len(messages) * times, time.perf_counter() - started)

    yield work


if __name__ == "__main__":
    serve(prepare)
