"""Audit packs: how fast a ledger is exported, and how fast and in how little memory a pack is verified offline."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from adapters.postgres.follower import Follower
from adapters.postgres.pack_reads import PackReads
from adapters.postgres.seal_session import SealSession
from adapters.postgres.session import SEALER
from adapters.proof.export_pack import Asked, Maker, export_pack
from adapters.proof.seal_folder import SealFolder
from adapters.proof.sealer import Pace, begin
from bench.contest import Cell, Entrant, Target
from bench.history import Tell
from bench.seals import proof_of_one
from bench.stage import Stage, purchased_history

VERIFIED_S = 15  # for a million events
MEMORY_MIB = 100
BATCH = 1_000
ROUNDS = 3


def packs(stage: Stage) -> Iterator[Cell]:
    """A pack of everything: written, against a loop that fetches the same events; verified, against hashing alone."""
    url, extent = purchased_history(stage, "exported", stage.scale.caught_up // 2)
    events = extent.events
    with tempfile.TemporaryDirectory(prefix="seatledger-bench.") as folder:
        key = sealed(url, Path(folder) / "seal", events, stage.preparing(f"the tree of {events:,} events"))
        yield proof_of_one(url, events)
        pack = Path(folder) / "all.pack"
        export(url, pack)
        job: dict[str, Any] = {"events": events, "batch": BATCH}
        written = Entrant("export", "bench.ours.export_pack", {"database": url, "file": f"{pack}.again"})
        fetched = Entrant("raw fetch", "bench.ceilings.raw_fetch", {"database": url})
        yield Cell("audit", f"export of {events:,} events", "events/s", written, (fetched,), job, rounds=ROUNDS)
        settings = {"file": str(pack), "key": key, "events": events}
        verified = Entrant("verifier", "bench.ours.verify_pack", settings)
        hashed = Entrant("hashing alone", "bench.ceilings.hash_pack", settings)
        what = f"verify {events:,} events offline"
        promised = (Target(VERIFIED_S),)
        yield Cell("audit", what, "s", verified, (), {"whole": True}, promised, better="lower", rounds=ROUNDS)
        yield Cell("audit", f"{what}, its rate", "events/s", verified, (hashed,), rounds=ROUNDS)
        held = (Target(MEMORY_MIB),)
        job = {"measure": "memory"}
        yield Cell("audit", f"{what}, the process", "MiB", verified, (), job, held, better="lower", rounds=1)


def sealed(url: str, folder: Path, events: int, tell: Tell) -> str:
    """Seals all that is settled, and answers the log's key."""
    kept = SealFolder(folder)
    kept.make_key()
    with ExitStack() as opened:
        session = opened.enter_context(SealSession(url))
        follower = opened.enter_context(Follower(url, role=SEALER))
        if not session.elected():
            raise RuntimeError("another sealer is at work here")
        sealer = begin(session, follower, kept, clock=lambda: datetime.now(UTC), pace=Pace(reread_s=1e12))
        while not (step := sealer.step()).drained:
            tell(min(1.0, step.size / events))
    tell(1.0)
    last = kept.last()
    if last is None:
        raise RuntimeError("nothing was there to be sealed")
    return str(kept.keys(last.checkpoint.origin)[0].verifying())


def export(url: str, path: Path) -> int:
    """Writes a pack of everything, and answers how many events it has."""
    with path.open("w+b") as file, PackReads(url) as reads:
        return export_pack(reads, Asked(), file, Maker("seatledger bench")).events
