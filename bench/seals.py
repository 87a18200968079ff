"""The sealer: how fast it takes a history up that was never sealed, and how long the proof of one event takes."""

from __future__ import annotations

from collections.abc import Iterator

from bench.contest import Cell, Entrant, Target
from bench.stage import Stage, purchased_history

PROVED_MS = 5
BATCH = 2_000
ROUNDS = 3
PROOFS = 300


def seals(stage: Stage) -> Iterator[Cell]:
    """All of a history sealed, with everything read back; against the hashes alone, and against reading it once."""
    url, extent = purchased_history(stage, "never_sealed", stage.scale.purchases)
    opponents = (
        Entrant("hashing alone", "bench.ceilings.hash_leaves", {"database": url}),
        Entrant("raw fetch", "bench.ceilings.raw_fetch", {"database": url}),
    )
    ours = Entrant("sealer", "bench.ours.seal", {"database": url})
    job = {"events": extent.events, "batch": BATCH}
    yield Cell("audit", f"seal {extent.events:,} events", "events/s", ours, opponents, job, rounds=ROUNDS)


def proof_of_one(url: str, events: int) -> Cell:
    """From the database, with a tree that nobody has read before; the event and its checkpoint come with it."""
    ours = Entrant("prove", "bench.ours.prove", {"database": url})
    promised = (Target(PROVED_MS),)
    what = f"proof of one event among {events:,}"
    return Cell("audit", what, "ms", ours, (), {"proofs": PROOFS}, promised, better="lower", rounds=ROUNDS)
