"""Sealed history tampered with by the owner of a real database, and forged proofs: all is detected, none is accepted.

`tests/adapters/proof/tamperings.py` says what the owner does, and `forgeries.py` beside it how proofs are changed.
"""

from __future__ import annotations

import multiprocessing
import os
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

BATCHES = {"tamperings": 250, "forgeries": 5_000}  # of one seed and number: a finding is repeated by them


@dataclass
class TamperOutcome:
    """A run, as it is kept in the evidence."""

    seed: int
    part: str
    seconds: float = 0.0
    done: dict[str, int] = field(default_factory=dict)  # by kind
    findings: list[str] = field(default_factory=list)

    @property
    def times(self) -> int:
        return sum(self.done.values())

    @property
    def stood(self) -> bool:
        return not self.findings and self.times > 0


def run_tampering(part: str, seed: int, times: int, tell: Callable[[str], None] = lambda _: None) -> TamperOutcome:
    """All tamperings, or all forgeries; a batch at a time in each process, each with a database of its own."""
    outcome, started, done = TamperOutcome(seed, part), time.monotonic(), Counter[str]()
    run, size = BATCHES_OF[part], BATCHES[part]
    with ProcessPoolExecutor(os.cpu_count(), mp_context=multiprocessing.get_context("spawn")) as pool:
        sizes = [min(size, times - first) for first in range(0, times, size)]
        batches = [pool.submit(run, seed * 1_000_000 + number, count) for number, count in enumerate(sizes)]
        for batch in as_completed(batches):
            of_batch, found = batch.result()
            done += of_batch
            outcome.findings += found
            tell(f"{done.total():,} {part}, {len(outcome.findings)} findings")
    outcome.done, outcome.seconds = dict(done), round(time.monotonic() - started, 1)
    return outcome


def tamper_batch(seed: int, count: int) -> tuple[Counter[str], list[str]]:
    """On a server of its own: what is done as its owner locks whole tables."""
    import psycopg  # noqa: PLC0415 - in this process alone

    from adapters.embedded.throw_away import throw_away_postgres  # noqa: PLC0415
    from adapters.postgres.migrate import migrate  # noqa: PLC0415
    from tests.adapters.proof.sealed_ledger import a_sealed_ledger  # noqa: PLC0415 - tests are not in the product
    from tests.adapters.proof.tampered_ledger import tamper  # noqa: PLC0415

    with throw_away_postgres() as server, TemporaryDirectory() as folder:
        with psycopg.connect(server.url, autocommit=True) as admin:
            admin.execute("CREATE DATABASE migrated")
        migrate(server.url_as("postgres", "migrated"))
        with a_sealed_ledger(server.url, "migrated", "tampered", Path(folder) / "seal") as ledger:
            return tamper(ledger, count, seed)


def forge_batch(seed: int, count: int) -> tuple[Counter[str], list[str]]:
    """In memory."""
    from tests.adapters.proof.forgeries import forge  # noqa: PLC0415 - tests are not in the product

    return forge(count, seed)


BATCHES_OF = {"tamperings": tamper_batch, "forgeries": forge_batch}


def summarize_tampering(outcome: TamperOutcome) -> None:
    print()
    for name, count in sorted(outcome.done.items()):
        print(f"{outcome.part}: {name:<48}{count:>12,}")
    for finding in outcome.findings:
        print(f"FOUND   {finding}")
    print(f"seed {outcome.seed}: {'it stood' if outcome.stood else 'IT DID NOT STAND'}")
