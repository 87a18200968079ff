"""Proofs of events here and there, each from a tree that was not read before."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager

from adapters.postgres.session import APP, connect, session
from adapters.postgres.tree import TreeReads
from adapters.proof.prove import prove_event
from bench.program import Job, Score, Settings, Work, serve


@contextmanager
def prepare(settings: Settings) -> Iterator[Work]:
    chance = random.Random(1)  # noqa: S311 - not a secret
    with connect(session(settings["database"], role=APP, name="seatledger bench")) as connection:
        size = TreeReads.over(connection).size()

        def work(job: Job) -> Score:
            tree = TreeReads.over(connection)
            indexes = [chance.randrange(size) for _ in range(job["proofs"])]
            events = [event for event in map(tree.event_at, indexes) if event]
            started = time.perf_counter()
            for event in events:
                prove_event(TreeReads.over(connection), event.organization_id, event.position)
            return Score(len(events), time.perf_counter() - started)

        yield work


if __name__ == "__main__":
    serve(prepare)
