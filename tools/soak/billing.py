"""Random histories of billing in memory, in processes of their own: the laws of amounts, again and again.

`tests/simulation` says what happens in a history and which laws it keeps; a failing one is shrunk to a short story.
"""

from __future__ import annotations

import multiprocessing
import os
import time
import traceback
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field

STEPS = 100
BATCH = 50  # histories of one seed: a batch that fails is repeated by its seed


@dataclass(frozen=True)
class BillingOptions:
    """How many histories of how many steps; with the same seed the same ones."""

    seed: int
    histories: int = 2_000
    steps: int = STEPS
    processes: int = field(default_factory=lambda: os.cpu_count() or 1)


@dataclass
class Batch:
    """What the histories of one seed came to."""

    seed: int
    steps: int = 0
    commands: int = 0
    events: int = 0
    refusals: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    laws: Counter[str] = field(default_factory=Counter)
    told: Counter[str] = field(default_factory=Counter)
    found: str = ""  # how a law was broken, with the shortest story


@dataclass
class BillingOutcome:
    """A run, as it is kept in the evidence."""

    seed: int
    processes: int
    seconds: float = 0.0
    histories: int = 0
    steps: int = 0
    commands: int = 0
    events: int = 0
    refusals: dict[str, int] = field(default_factory=dict)
    faults: dict[str, int] = field(default_factory=dict)
    laws: dict[str, int] = field(default_factory=dict)  # how often each was looked at
    told: dict[str, int] = field(default_factory=dict)  # events by name
    findings: list[str] = field(default_factory=list)

    @property
    def stood(self) -> bool:
        return not self.findings and self.histories > 0


def run_billing(options: BillingOptions, tell: Callable[[str], None] = lambda _: None) -> BillingOutcome:
    """All histories, a batch at a time in each process."""
    outcome = BillingOutcome(options.seed, options.processes)
    started = time.monotonic()
    total: Counter[str] = Counter()
    refusals: Counter[str] = Counter()
    faults: Counter[str] = Counter()
    told: Counter[str] = Counter()
    sizes = [min(BATCH, options.histories - first) for first in range(0, options.histories, BATCH)]
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(options.processes, mp_context=spawn) as pool:
        batches = [
            pool.submit(histories_of, options.seed * 1_000_000 + number, size, options.steps)
            for number, size in enumerate(sizes)
        ]
        for done in as_completed(batches):
            batch = done.result()
            outcome.steps += batch.steps
            outcome.commands += batch.commands
            outcome.events += batch.events
            total += batch.laws
            refusals += batch.refusals
            faults += batch.faults
            told += batch.told
            if batch.found:
                outcome.findings.append(f"seed {batch.seed}: {batch.found}")
                tell(f"FOUND   seed {batch.seed}: {batch.found}")
            outcome.histories = total["histories"]
            tell(f"{outcome.histories:,} histories, {outcome.steps:,} steps, {outcome.events:,} events")
    del total["histories"]
    outcome.laws, outcome.refusals, outcome.faults, outcome.told = dict(total), dict(refusals), dict(faults), dict(told)
    outcome.seconds = round(time.monotonic() - started, 1)
    return outcome


def histories_of(seed: int, count: int, steps: int) -> Batch:
    """The histories of one seed, in this process."""
    import hypothesis  # noqa: PLC0415 - a tool of development, which the rest of the soak does without
    from hypothesis.stateful import run_state_machine_as_test  # noqa: PLC0415

    from tests.simulation.beginning import Counts  # noqa: PLC0415
    from tests.simulation.machine import BillingHistory  # noqa: PLC0415

    class Histories(BillingHistory):
        counts = Counts()

    settings = hypothesis.settings(
        max_examples=count,
        stateful_step_count=steps,
        deadline=None,
        database=None,
        print_blob=True,
        report_multiple_bugs=False,
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    batch = Batch(seed)
    try:
        run_state_machine_as_test(hypothesis.seed(seed)(Histories), settings=settings)
    except Exception:  # noqa: BLE001 - whatever it is: it is what this looks for
        batch.found = traceback.format_exc(limit=-4)
    counts = Histories.counts
    batch.steps, batch.commands, batch.events = counts.steps, counts.commands, counts.events
    batch.refusals, batch.faults, batch.laws, batch.told = counts.refusals, counts.faults, counts.laws, counts.told
    return batch
