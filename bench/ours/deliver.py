"""From the commit to a consumer, through the relay as a process with its settings as they are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from adapters.kafka.topic_settings import Topics
from bench.delivery import Delivered, deliver, writing
from bench.kept import KeptRounds
from bench.program import Job, Score, Settings, Work, serve
from bench.relay_program import RelayProcess

TOPICS = Topics("bench.delivered.events", "bench.delivered.position")


@contextmanager
def prepare(settings: Settings) -> Iterator[Work]:
    rounds = KeptRounds[Delivered]()
    with writing(settings["database"]) as ledger:

        def play(job: Job) -> Delivered:
            with RelayProcess(settings["database"], settings["bootstrap"], TOPICS) as relay:
                relay.leads()
                return deliver(ledger, settings, job, TOPICS.events, then=lambda *_: None)

        def work(job: Job) -> Score:
            asked = str(job.get("within", "pace"))
            return rounds.next(job["reader"], asked, lambda: play(job)).score(job)

        yield work


if __name__ == "__main__":
    serve(prepare)
