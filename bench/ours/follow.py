"""The follower, as relay and projector read it: settled events in batches, as recorded events or also decoded."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from adapters.postgres.follower import Follower
from adapters.postgres.session import PROJECTOR
from bench.program import Job, Score, Settings, Work, serve
from bench.purchase_rows import MAPPER


@contextmanager
def prepare(settings: Settings) -> Iterator[Work]:
    def work(job: Job) -> Score:
        with Follower(settings["database"], role=PROJECTOR, session_name="seatledger bench") as follower:
            done, started = 0, time.perf_counter()
            while done < job["events"]:
                events = follower.poll(job["batch"])
                if job.get("decode"):
                    for event in events:
                        MAPPER.to_domain_event(event)
                done += len(events)
            return Score(done, time.perf_counter() - started)

    yield work


if __name__ == "__main__":
    serve(prepare)
