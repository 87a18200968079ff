"""The bytes of a pack read and hashed as often as its events are, for the chain and for the tree, and no more.

Nothing is looked at: the pieces are as long as an event on average, and each node of the tree is hashed once.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

from bench.program import Job, Score, Settings, Work, serve


@contextmanager
def prepare(settings: Settings) -> Iterator[Work]:
    path, events = Path(settings["file"]), settings["events"]

    def work(_: Job) -> Score:
        length, node = path.stat().st_size // events, bytes(65)
        started = time.perf_counter()
        with path.open("rb") as file:
            for _number in range(events):
                piece = file.read(length)
                sha256(piece).digest()
                sha256(piece).digest()
                sha256(node).digest()
        return Score(events, time.perf_counter() - started)

    yield work


if __name__ == "__main__":
    serve(prepare)
