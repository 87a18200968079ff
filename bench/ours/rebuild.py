"""The projector's rebuild of the purchases: a scratch build from the beginning of history, dropped again."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from adapters.postgres.projector import Projector
from adapters.postgres.projector_builds import drop
from adapters.postgres.projector_rebuild import advance
from bench.program import Job, Score, Settings, Work, serve
from projections.purchases import Purchases


@contextmanager
def prepare(settings: Settings) -> Iterator[Work]:
    def work(job: Job) -> Score:
        with Projector(settings["database"], [Purchases()]) as projector:
            started = time.perf_counter()
            fold = projector.scratch(Purchases.name)
            advance(projector, fold, job["until"])
            seconds = time.perf_counter() - started
            drop(projector.connection, fold.build)
        return Score(job["folded"], seconds)

    yield work


if __name__ == "__main__":
    serve(prepare)
