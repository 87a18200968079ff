"""The reference client in C with the relay's settings, in the same batches and transactions of finished messages."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from confluent_kafka import Producer

from adapters.kafka.relay import FLUSH_TIMEOUT_S, PRODUCER
from adapters.kafka.topic_settings import Topics, ensure_topics
from bench.ceilings.finished import finished, told
from bench.program import Job, Score, Settings, Work, serve

TOPICS = Topics("bench.librdkafka.events", "bench.librdkafka.position")
SAME = ("acks", "linger.ms", "batch.size", "compression.type", "transaction.timeout.ms", "request.timeout.ms")


@contextmanager
def prepare(settings: Settings) -> Iterator[Work]:
    batches = finished(settings, TOPICS)
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
            resume = position.model_dump_json().encode()
            producer.produce(TOPICS.position, key=position.source.encode(), value=resume, partition=0)
            producer.flush(FLUSH_TIMEOUT_S)  # does not wait for linger, as the commit would
            producer.commit_transaction()
        return Score(told(batches, times), time.perf_counter() - started)

    yield work


if __name__ == "__main__":
    serve(prepare)
