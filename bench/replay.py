"""Replay: what an aggregate with a long history was, at moments drawn from all of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from uuid import uuid4, uuid5

from bench.contest import Cell, Entrant, Target
from bench.history import Kept, Tell
from bench.stage import Scale, Stage, ledger_at
from bench.workload import AT, BENCH, PURCHASER, open_pool
from domain.license_pool import LicensePool
from domain.member import Member
from domain.organization import Organization, OrganizationFacts
from services.ledger import Ledger
from services.resize_licenses import ResizeLicenses

EVENTS = 10_000
AT_ONCE = 100  # events of a save, all of one time
LATE_EVERY = 40  # saves; this one is for a day that has gone by
MEMBERS = 50
ACTIVE = Member.add(id=BENCH, kind="member", details={})
WITHIN_MS = 20


def replay(stage: Stage) -> Iterator[Cell]:
    """As it was known and as it was; with the milestones that the first question leaves, and without any."""
    events = min(EVENTS, 5 * stage.scale.many)
    url = stage.arena.database("replayed")
    with ledger_at(url) as ledger:
        kept = write_timed_pool(ledger, events, stage.preparing(f"a pool with {events:,} events"))
    settings = {
        "database": url,
        "organization_id": str(kept.organization_id),
        "pool_id": str(kept.pool_id),
        "version": kept.version,
    }
    for what, name in (("known", "as it was known"), ("effective", "as it was"), ("first", "the first question")):
        ours = Entrant("replay", "bench.ours.replay", settings, {"what": what})
        targets = () if what == "first" else (Target(WITHIN_MS),)
        job = {"times": times(stage.scale, what), "seed": str(stage.seed)}
        yield Cell("replay", f"{name}, {events:,} events", "ms each", ours, (), job, targets, better="lower")


def times(scale: Scale, what: str) -> int:
    return 1 if what == "first" else scale.loads


def write_timed_pool(ledger: Ledger, events: int, tell: Tell) -> Kept:
    """A pool whose saves were decided six hours after one another; now and then one takes effect a day before."""
    facts = OrganizationFacts(handle=f"replayed-{uuid4().hex}", country="US", currency="USD", currency_exponent=2)
    organization = Organization.create(facts, first_admin_id=PURCHASER.id)
    pool = open_pool(uuid4(), uuid4(), MEMBERS)
    first, number = True, 0
    while pool.version < events:
        while len(pool.pending_events) < AT_ONCE and pool.version < events:
            turn(pool)
        number += 1
        at = AT + timedelta(hours=6 * number)
        command = ResizeLicenses(
            organization_id=organization.id, command_id=uuid4(), actor=PURCHASER, subscription_id=pool.id, total=1
        )
        late = at - timedelta(days=1) if number % LATE_EVERY == 0 else None
        ledger.save(*([organization] if first else []), pool, because=command, at=at, effective_at=late)
        first = False
        tell(pool.version / events)
    return Kept(organization.id, pool.id, pool.version)


def turn(pool: LicensePool) -> None:
    """The next member gets a license, or loses it."""
    member_id = uuid5(BENCH, f"member:{pool.version % MEMBERS}")
    if member_id in pool.holders:
        pool.unassign([member_id])
    else:
        pool.assign({member_id: ACTIVE})
