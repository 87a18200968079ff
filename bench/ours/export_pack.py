"""A pack of everything, written to a file."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.packs import export
from bench.program import Job, Score, Settings, Work, serve


@contextmanager
def prepare(settings: Settings) -> Iterator[Work]:
    def work(_: Job) -> Score:
        path = Path(settings["file"])
        started = time.perf_counter()
        events = export(settings["database"], path)
        seconds = time.perf_counter() - started
        path.unlink()
        return Score(events, seconds)

    yield work


if __name__ == "__main__":
    serve(prepare)
