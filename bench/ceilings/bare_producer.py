"""kafka-python's producer with the relay's settings and finished messages, in the same batches and transactions."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from adapters.kafka.relay import FLUSH_TIMEOUT_S, open_producer
from adapters.kafka.topic_settings import Topics, ensure_topics
from bench.ceilings.finished import finished, told
from bench.program import Job, Score, Settings, Work, serve

TOPICS = Topics("bench.bare.events", "bench.bare.position")


@contextmanager
def prepare(settings: Settings) -> Iterator[Work]:
    batches = finished(settings, TOPICS)
    ensure_topics(settings["bootstrap"], TOPICS)
    producer = open_producer(settings["bootstrap"], TOPICS)
    producer.init_transactions()

    def work(job: Job) -> Score:
        times = job.get("times", 1)  # more than once where a history is too long to be held in memory
        started = time.perf_counter()
        for batch, position in batches * times:
            producer.begin_transaction()
            for message in batch:
                producer.send(
                    TOPICS.events,
                    key=message.key,
                    value=message.value,
                    headers=message.headers,
                    timestamp_ms=message.timestamp_ms,
                )
            resume = position.model_dump_json().encode()
            producer.send(TOPICS.position, key=position.source.encode(), value=resume, partition=0)
            producer.flush(timeout=FLUSH_TIMEOUT_S)
            producer.commit_transaction()
        return Score(told(batches, times), time.perf_counter() - started)

    yield work
    producer.close(timeout=5)


if __name__ == "__main__":
    serve(prepare)
