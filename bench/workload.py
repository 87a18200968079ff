"""The saves that are measured: who writes, into which organization, and what."""

from __future__ import annotations

import bisect
import itertools
import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TypeAlias
from uuid import UUID, uuid4, uuid5

from bench.program import Job, Score
from domain.calendar import cycle
from domain.license_pool import LicensePool
from domain.offer import OfferTerms, PriceFacts
from services.command import Actor

ORGANIZATIONS = 4096
BENCH = UUID("6f5b2d0e-0b0b-4c55-9d7a-5ea71ed6e400")
FINGERPRINT_KEY = b"the bench's throw-away key 32 by"
AT = datetime(2025, 1, 31, 11, 30, tzinfo=UTC)
PURCHASER = Actor(id=uuid5(BENCH, "purchaser"), role="purchaser")
TERMS = OfferTerms(
    product_id="CFQ7TTC0H9MP", term="P1M", plan="monthly", currency="USD", currency_exponent=2, maximum=1_000_000
)
POWER_BI_PRO = PriceFacts(offer_id=uuid5(BENCH, "offer"), unit_price_minor=1400, price_version=1, **TERMS.model_dump())
FIRST_CYCLE = cycle(AT.date(), TERMS.plan, 0)

Save: TypeAlias = Callable[[UUID], object]


def organization(number: int) -> UUID:
    """An id that is the same in every run."""
    return uuid5(BENCH, f"organization:{number}")


def picker(spread: str, chance: random.Random) -> Callable[[], UUID]:
    """Draws organizations: `uniform`, `zipf` (the first of 4,096 has 11 %), or always the same `hot` one."""
    ids = [organization(number) for number in range(ORGANIZATIONS)]
    match spread:
        case "uniform":
            return lambda: chance.choice(ids)
        case "zipf":
            mass = list(itertools.accumulate(1 / (rank + 1) for rank in range(ORGANIZATIONS)))
            return lambda: ids[bisect.bisect(mass, chance.random() * mass[-1])]
        case "hot":
            return lambda: ids[0]
        case _:
            raise ValueError(f"no such spread: {spread}")


def a_pool(events: int) -> LicensePool:
    """A pool just opened, resized until it has told so many events."""
    pool = open_pool(uuid4(), uuid4(), 5)
    for _ in range(events - 1):
        resize(pool)
    return pool


def open_pool(pool_id: UUID, subscription_id: UUID, total: int) -> LicensePool:
    """A pool as a purchase opens it."""
    return LicensePool.open(
        id=pool_id,
        subscription_id=subscription_id,
        total=total,
        price=POWER_BI_PRO,
        invoice_id=BENCH,
        cycle=FIRST_CYCLE,
        at=AT,
    )


def resize(pool: LicensePool) -> None:
    """Up by one license, and down again the next time."""
    if len(pool.batches) == 1:
        pool.increase(pool.total + 1, POWER_BI_PRO, invoice_id=BENCH, at=AT)
    else:
        pool.decrease(pool.total - 1, POWER_BI_PRO, credit_note_ids=(), at=AT)


def save_in_threads(job: Job, save: Save) -> Score:
    """Saves in as many threads and for as many seconds as the job says; each thread draws its own organizations."""
    gate_opens = time.perf_counter()
    ends = gate_opens + job["seconds"]

    def work(thread: int) -> int:
        pick = picker(job["spread"], random.Random(f"{job['seed']}/{thread}"))  # noqa: S311 - to repeat a run
        done = 0
        while done == 0 or time.perf_counter() < ends:
            save(pick())
            done += 1
        return done

    with ThreadPoolExecutor(job["threads"]) as threads:
        done = sum(threads.map(work, range(job["threads"])))
    return Score(done, time.perf_counter() - gate_opens)
