"""Forged packs, in memory: none may be taken for the truth, and none may make the verifier stumble.

`tests/adapters/proof/forged_packs.py` says how they are forged, and what is so.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import time
import traceback
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field

BATCH = 2_000  # packs of one seed: a finding is repeated by its seed


@dataclass
class PackOutcome:
    """A run, as it is kept in the evidence."""

    seed: int
    seconds: float = 0.0
    forged: dict[str, int] = field(default_factory=dict)  # by how
    true_all_the_same: dict[str, int] = field(default_factory=dict)  # verified, and nothing in it is wrong
    findings: list[str] = field(default_factory=list)

    @property
    def packs(self) -> int:
        return sum(self.forged.values())

    @property
    def stood(self) -> bool:
        return not self.findings and self.packs > 0


def run_packs(seed: int, packs: int, tell: Callable[[str], None] = lambda _: None) -> PackOutcome:
    """All of them, a batch at a time in each process."""
    outcome, started = PackOutcome(seed), time.monotonic()
    forged, true_ones = Counter[str](), Counter[str]()
    with ProcessPoolExecutor(os.cpu_count(), mp_context=multiprocessing.get_context("spawn")) as pool:
        sizes = [min(BATCH, packs - first) for first in range(0, packs, BATCH)]
        batches = [pool.submit(forge_batch, seed * 1_000_000 + number, size) for number, size in enumerate(sizes)]
        for done in as_completed(batches):
            of_batch, true_of_batch, found = done.result()
            forged += of_batch
            true_ones += true_of_batch
            outcome.findings += found
            tell(f"{sum(forged.values()):,} forged packs, {len(outcome.findings)} findings")
    outcome.forged, outcome.true_all_the_same = dict(forged), dict(true_ones)
    outcome.seconds = round(time.monotonic() - started, 1)
    return outcome


def forge_batch(seed: int, count: int) -> tuple[Counter[str], Counter[str], list[str]]:
    """The packs of one seed, in this process."""
    from tests.adapters.proof.forged_packs import forge  # noqa: PLC0415 - tests are not there where only the product is

    chance = random.Random(seed)  # noqa: S311 - to repeat a run
    forged, true_ones, found = Counter[str](), Counter[str](), list[str]()
    for _ in range(count):
        try:
            outcome = forge(chance)
        except Exception:  # noqa: BLE001 - whatever it is: it is what this looks for
            found.append(f"seed {seed}: {traceback.format_exc(limit=-3)}")
            continue
        forged[outcome.how] += 1
        true_ones[outcome.how] += outcome.accepted
    return forged, +true_ones, found


def summarize_packs(outcome: PackOutcome) -> None:
    print()
    for name, count in sorted(outcome.forged.items()):
        print(f"forged: {name:<32}{count:>12,}   true all the same: {outcome.true_all_the_same.get(name, 0):,}")
    for finding in outcome.findings:
        print(f"FOUND   {finding}")
    print(f"seed {outcome.seed}: {'it stood' if outcome.stood else 'IT DID NOT STAND'}")
