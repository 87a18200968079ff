"""The ledger's own save, as a service calls it: stamped, fingerprinted, chained, with its command's receipt."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from bench.program import Job, Score, Settings, Work, serve
from bench.workload import save_in_threads
from bench.writing import save, writing


@contextmanager
def prepare(settings: Settings) -> Iterator[Work]:
    with writing(settings["database"], settings["threads"]) as ledger:

        def work(job: Job) -> Score:
            return save_in_threads(job, lambda organization_id: save(ledger, organization_id, job["events"]))

        yield work


if __name__ == "__main__":
    serve(prepare)
