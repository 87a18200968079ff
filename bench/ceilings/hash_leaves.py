"""The leaves of a history hashed, and a node of the tree for each, with all of it in memory already."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256

from adapters.postgres.follower import Follower
from bench.program import Job, Score, Settings, Work, serve
from projections.audit.leaf import leaf_of


@contextmanager
def prepare(settings: Settings) -> Iterator[Work]:
    leaves: list[bytes] = []
    with Follower(settings["database"]) as follower:
        while events := follower.poll(10_000):
            leaves += [b"\x00" + leaf_of(event) for event in events]

    def work(_: Job) -> Score:
        node = bytes(65)
        started = time.perf_counter()
        for leaf in leaves:
            sha256(leaf).digest()
            sha256(node).digest()
        return Score(len(leaves), time.perf_counter() - started)

    yield work


if __name__ == "__main__":
    serve(prepare)
