"""One run: load, kills in the middle of it, the end of history everywhere, and the checks."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from tools.soak.checks import Checked, Checks
from tools.soak.fleet import Fleet, a_fleet

VICTIMS = ("writer", "relay", "projector", "sealer", "PostgreSQL", "follower", "Kafka")


@dataclass(frozen=True)
class Options:
    """How long, how much, and whom to kill how often; with the same seed the same wishes and the same kills."""

    seed: int
    kills: dict[str, int]
    seconds: float = 0.0
    events: int = 0  # at least so many
    writers: int = 8
    shared: int = 4
    kafka: bool = True
    repeats: int = 5_000


@dataclass
class Outcome:
    """What a run was and what it found; it stood when nothing was found."""

    seed: int
    writers: int
    seconds: float = 0.0
    kills: dict[str, int] = field(default_factory=dict)
    restarts: int = 0  # of what ended by itself as it may
    counts: dict[str, int] = field(default_factory=dict)
    checks: list[Checked] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)

    @property
    def stood(self) -> bool:
        return not self.findings and not any(check.found for check in self.checks)

    @property
    def complaints(self) -> list[str]:
        """Everything that was found, with the check that found it."""
        return [*self.findings, *(f"{check.name}: {found}" for check in self.checks for found in check.found)]


def run(options: Options, tell: Callable[[str], None] = lambda _: None) -> Outcome:
    """The whole run on servers of its own."""
    with a_fleet(seed=options.seed, writers=options.writers, shared=options.shared, kafka=options.kafka) as fleet:
        outcome = Outcome(options.seed, options.writers)
        started = time.monotonic()
        fleet.start()
        under_load(fleet, options, tell)
        fleet.finish()
        outcome.seconds = round(time.monotonic() - started, 1)
        outcome.kills = fleet.kills
        outcome.restarts = sum(worker.restarts for worker in fleet.workers)
        checks = Checks(fleet, repeats=options.repeats)
        outcome.counts = counts_of(fleet, checks)
        tell(f"{outcome.counts['events']:,} events, {sum(fleet.kills.values())} kills; now the checks")
        for check in checks.all():
            outcome.checks.append(check)
            tell(f"{'stands' if not check.found else 'FOUND '}  {check.name} ({check.looked_at:,}, {check.seconds} s)")
        outcome.findings = fleet.findings
    return outcome


def under_load(fleet: Fleet, options: Options, tell: Callable[[str], None]) -> None:
    """The kills in an order of chance, spread over the time; then on until there are enough events."""
    chance = random.Random(options.seed)  # noqa: S311 - not a secret
    victims = [victim for victim, times in options.kills.items() for _ in range(times)]
    chance.shuffle(victims)
    started = time.monotonic()
    for number, victim in enumerate(victims):
        due = options.seconds * (number + chance.random()) / len(victims)
        fleet.go_on(max(0.0, started + due - time.monotonic()))
        fleet.kill(victim, chance)
        tell(f"{time.monotonic() - started:6.0f} s  killed {victim} ({number + 1} of {len(victims)})")
    fleet.go_on(max(0.0, started + options.seconds - time.monotonic()))
    while fleet.written() < options.events:
        fleet.go_on(0.5)


def counts_of(fleet: Fleet, checks: Checks) -> dict[str, int]:
    counted = {
        "events": "SELECT count(*) FROM ledger.events",
        "organizations": "SELECT count(DISTINCT organization_id) FROM ledger.events",
        "commands": "SELECT count(*) FROM ledger.commands",
        "commands_that_told_nothing": "SELECT count(*) FROM ledger.commands WHERE events = 0",
        "events_of_the_largest_organization": "SELECT max(organization_seq) FROM ledger.events",
        "positions_drawn": "SELECT last_value FROM ledger.position",
    }
    return {
        "sent": len(checks.entries),
        "acknowledged": len(checks.acknowledged),
        "refused": sum(entry.refusal is not None for entry in checks.entries),
        **{name: fleet.count(query) for name, query in counted.items()},
    }
