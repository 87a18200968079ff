"""The relay as a process, from the first event to the last, into topics that nobody has written to.

With `measure` a job asks about a round that was played: what the process `held` at most, or its `growth`.
"""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from adapters.kafka.topic_settings import Topics
from bench.kept import KeptRounds
from bench.program import Job, Score, Settings, Work, serve
from bench.relay_program import RelayProcess


class Round(NamedTuple):
    """How long it took, and what the process held, look by look."""

    seconds: float
    held: Sequence[float]


@contextmanager
def prepare(settings: Settings) -> Iterator[Work]:
    rounds, numbers = KeptRounds[Round](), itertools.count()

    def play(every_s: float) -> Round:
        number = next(numbers)
        topics = Topics(f"bench.catch-up.{number}.events", f"bench.catch-up.{number}.position")
        with RelayProcess(settings["database"], settings["bootstrap"], topics, settings["until"]) as relay:
            begins = relay.leads()
            done = relay.catches_up(every_s=every_s)
        return Round(done.at - begins, done.held)

    def work(job: Job) -> Score:
        measure = job.get("measure", "pace")
        found = rounds.next("relay", measure, lambda: play(job["every_s"]))
        match measure:
            case "held":
                return Score(1000, max(found.held))
            case "growth":
                return Score(1000, growth(found.held))
            case _:
                return Score(job["events"], found.seconds)

    yield work


def growth(held: Sequence[float]) -> float:
    """From the first tenth of the looks to the last, each at its median."""
    tenth = max(1, len(held) // 10)
    return statistics.median(held[-tenth:]) / statistics.median(held[:tenth])


if __name__ == "__main__":
    serve(prepare)
