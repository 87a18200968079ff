"""From the commit to a consumer, through the relay as a process with its settings as they are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from adapters.kafka.topic_settings import Topics
from bench.delivery import THREADS, Delivered, deliver, played
from bench.program import Job, Settings, Work, serve
from bench.relay_program import RelayProcess
from bench.writing import writing

TOPICS = Topics("bench.delivered.events", "bench.delivered.position")


@contextmanager
def prepare(settings: Settings) -> Iterator[Work]:
    with writing(settings["database"], THREADS) as ledger:

        def play(job: Job) -> Delivered:
            with RelayProcess(settings["database"], settings["bootstrap"], TOPICS) as relay:
                relay.leads()
                return deliver(ledger, settings, job, TOPICS.events, then=lambda *_: None)

        yield played(play)


if __name__ == "__main__":
    serve(prepare)
