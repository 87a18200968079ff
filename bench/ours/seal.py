"""A sealer that takes a whole history up, from an empty tree to its last checkpoint."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from adapters.postgres.follower import Follower
from adapters.postgres.seal_session import SealSession
from adapters.postgres.session import SEALER
from adapters.proof.seal_folder import SealFolder
from adapters.proof.sealer import Pace, begin
from bench.program import Job, Score, Settings, Work, serve


@contextmanager
def prepare(settings: Settings) -> Iterator[Work]:
    url = settings["database"]

    def work(_: Job) -> Score:
        with psycopg.connect(url, autocommit=True) as owner:
            owner.execute("TRUNCATE proof.tiles, proof.checkpoints")
        with tempfile.TemporaryDirectory(prefix="seatledger-bench.") as folder, ExitStack() as opened:
            kept = SealFolder(Path(folder))
            kept.make_key()
            started = time.perf_counter()
            session = opened.enter_context(SealSession(url))
            follower = opened.enter_context(Follower(url, role=SEALER))
            if not session.elected():
                raise RuntimeError("another sealer is at work here")
            sealer = begin(session, follower, kept, clock=lambda: datetime.now(UTC), pace=Pace(reread_s=1e12))
            while not sealer.step().drained:
                pass
            return Score(sealer.signed_size, time.perf_counter() - started)

    yield work


if __name__ == "__main__":
    serve(prepare)
