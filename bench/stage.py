"""What the sections are given: where they play, how much, and histories that they share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from typing import NamedTuple, TypeAlias

from adapters.postgres.ledger import open_ledger
from bench.arena import Arena
from bench.contest import Cell
from bench.history import Extent, Tell, write_purchases
from bench.workload import FINGERPRINT_KEY
from services.ledger import Ledger


class Scale(NamedTuple):
    """How long and how much."""

    rounds: int = 7
    seconds: float = 1.5  # of an appending round
    purchases: int = 30_000
    few: int = 2_000  # events that are folded one by one
    relayed: int = 30_000
    caught_up: int = 1_000_000  # events before a relay that begins
    delivered_s: float = 10.0  # of commits whose way to a consumer is timed
    many: int = 100_000  # holders of a pool, events of an aggregate
    loads: int = 20
    due: tuple[int, ...] = (1_000, 10_000, 100_000)  # subscriptions that renew
    served: int = 100_000  # subscriptions behind the API

    @classmethod
    def quick(cls) -> Scale:
        return cls(
            rounds=2,
            seconds=0.3,
            purchases=400,
            few=100,
            relayed=1_000,
            caught_up=20_000,
            delivered_s=1.0,
            many=2_000,
            loads=3,
            due=(100, 200),
            served=200,
        )


class Skipped(Exception):
    """A section cannot be played here, and why."""


class Stage(NamedTuple):
    """What the sections are given."""

    arena: Arena
    scale: Scale
    seed: int
    preparing: Callable[[str], Tell]  # says what is being prepared; answers where to tell how far it is


Section: TypeAlias = Callable[[Stage], Iterator[Cell]]


@contextmanager
def ledger_at(url: str, now: datetime | None = None) -> Iterator[Ledger]:
    """A ledger by the clock, or at a moment."""
    ledger = open_ledger(url, pool_size=1, clock=lambda: now or datetime.now(UTC), fingerprint_key=FINGERPRINT_KEY)
    with closing(ledger):
        yield ledger


def purchased_history(stage: Stage, name: str, purchases: int) -> tuple[str, Extent]:
    url = stage.arena.database(name)
    with ledger_at(url) as ledger:
        tell = stage.preparing(f"a history of {purchases:,} purchases")
        write_purchases(ledger, purchases, changes=0, seed=stage.seed, tell=tell)
    return url, Extent.of(url)
