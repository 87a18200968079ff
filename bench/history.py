"""Histories to read: many purchases, and pools with many holders or many events."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any, NamedTuple
from uuid import UUID, uuid4, uuid5

import psycopg

from bench.purchase_rows import TOPICS
from bench.workload import AT, BENCH, POWER_BI_PRO, PURCHASER, open_pool, organization, resize
from domain.kernel import Aggregate
from domain.license_pool import USERS_AT_ONCE, LicensePool
from domain.member import Member
from domain.organization import Organization, OrganizationFacts
from domain.product import ProductFacts
from domain.subscription import Subscription
from services.ledger import Ledger
from services.resize_licenses import ResizeLicenses

EVENTS_AT_ONCE = 1_000
PRODUCT = ProductFacts(
    product_id=POWER_BI_PRO.product_id,
    name="Power BI Pro",
    sku_part_number="POWER_BI_PRO",
    sku_id=UUID("f8a1db68-be16-40ed-86d5-cb42ce701560"),
    self_service=True,
    policies=("Enabled", "Disabled"),
)

Tell = Callable[[float], None]


class Extent(NamedTuple):
    """How long a history is."""

    events: int
    folded: int  # by purchases
    until: int  # position of the last event

    @classmethod
    def of(cls, url: str) -> Extent:
        query = b"SELECT count(*), count(*) FILTER (WHERE topic = ANY(%s)), max(position) FROM ledger.events"
        with psycopg.connect(url) as connection:
            row: Any = connection.execute(query, (TOPICS,)).fetchone()
            return cls(*row)


class Kept(NamedTuple):
    """A pool that is in the ledger."""

    organization_id: UUID
    pool_id: UUID
    version: int


def save(ledger: Ledger, organization_id: UUID, *aggregates: Aggregate) -> None:
    command = ResizeLicenses(
        organization_id=organization_id, command_id=uuid4(), actor=PURCHASER, subscription_id=BENCH, total=1
    )
    ledger.save(*aggregates, because=command, at=AT)


def write_purchases(ledger: Ledger, purchases: int, *, changes: int, seed: int, tell: Tell) -> None:
    """Purchases of many organizations, each with its pool and with so many changes of it afterwards."""
    chance = random.Random(f"{seed}/purchases")  # noqa: S311 - to repeat a run
    facts = OrganizationFacts(handle="bench", country="US", currency="USD", currency_exponent=2)
    buyer_of = Organization.create(facts, first_admin_id=PURCHASER.id)
    buyer = Member.add(id=PURCHASER.id, kind="member", details={})
    at_once = max(1, EVENTS_AT_ONCE // (2 + changes))
    for done in range(0, purchases, at_once):
        bought: list[Aggregate] = []
        for _ in range(min(at_once, purchases - done)):
            subscription = Subscription.purchase(
                id=uuid4(),
                pool_id=uuid4(),
                organization=buyer_of,
                purchaser=buyer,
                product=PRODUCT,
                price=POWER_BI_PRO,
                licenses=chance.randrange(10, 200),
                channel="self_service",
                billing_profile_id=BENCH,
                invoice_id=BENCH,
                at=AT + timedelta(seconds=chance.randrange(86_400)),
            )
            bought += [subscription, opened(subscription, changes)]
        save(ledger, organization(chance.randrange(1_000)), *bought)
        tell(min(1.0, (done + at_once) / purchases))


def opened(subscription: Subscription, changes: int) -> LicensePool:
    """The pool of a subscription: raised once, and then given away license by license."""
    pool = open_pool(subscription.pool_id, subscription.id, 10)
    if changes:
        pool.increase(10 + changes, POWER_BI_PRO, invoice_id=BENCH, at=AT)
    for candidates in candidates_of(changes - 1):
        pool.assign(candidates)
    return pool


def candidates_of(count: int) -> Iterator[dict[UUID, Member | None]]:
    """Members to assign, as many at a time as a pool takes. One stands for all of them: a pool asks if it is active."""
    active = Member.add(id=BENCH, kind="member", details={})
    for start in range(0, count, USERS_AT_ONCE):
        yield {uuid5(BENCH, f"member:{number}"): active for number in range(start, min(count, start + USERS_AT_ONCE))}


def write_held_pool(ledger: Ledger, holders: int, tell: Tell) -> Kept:
    """A pool with so many holders."""
    pool = open_pool(uuid4(), uuid4(), holders)
    return write_pool(ledger, pool, (lambda c=c: pool.assign(c) for c in candidates_of(holders)), holders + 1, tell)  # type: ignore[misc]


def write_resized_pool(ledger: Ledger, events: int, tell: Tell) -> Kept:
    """A pool with so many events and a small state."""
    pool = open_pool(uuid4(), uuid4(), 5)
    return write_pool(ledger, pool, resizes(pool, events - 1), events, tell)


def resizes(pool: LicensePool, count: int) -> Iterator[Callable[[], None]]:
    """Up by one license and down again."""
    for _ in range(count):
        yield lambda: resize(pool)


def write_pool(
    ledger: Ledger, pool: LicensePool, changes: Iterator[Callable[[], None]], events: int, tell: Tell
) -> Kept:
    organization_id = uuid4()
    for change in changes:
        change()
        if len(pool.pending_events) >= EVENTS_AT_ONCE:
            save(ledger, organization_id, pool)
            tell(pool.version / events)
    save(ledger, organization_id, pool)
    tell(1.0)
    return Kept(organization_id, pool.id, pool.version)


def go_on(ledger: Ledger, kept: Kept, events: int) -> Kept:
    """The same pool with so many events more, its snapshot left as it is."""
    pool = ledger.license_pool(kept.organization_id, kept.pool_id)
    for change in resizes(pool, events):
        change()
    save(ledger, kept.organization_id, pool)
    return kept._replace(version=pool.version)
