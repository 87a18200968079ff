"""A ledger on a real PostgreSQL, and short ways to make things happen in it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid5

import psycopg
from psycopg.conninfo import make_conninfo

from adapters.postgres.ledger import open_ledger
from adapters.postgres.migrate import migrate
from adapters.postgres.reads import ReadModels
from adapters.postgres.reads_due_work import DueWorkReads, HoldingReads
from adapters.postgres.reads_purchases import PurchaseReads
from domain.kernel import Aggregate
from domain.license_pool import LicensePool
from domain.member import Member
from domain.subscription import Subscription
from services.command import Actor, Command
from tests.examples import CHRIS, POWER_BI_PRO, PURCHASED_AT, an_id, buying

if TYPE_CHECKING:
    from adapters.embedded.postgres import EmbeddedPostgres

ROOT = Path(__file__).parents[3]
NUMBERS = count(1)
CONTOSO_ID, FABRIKAM_ID = an_id(901), an_id(902)
PROJECTOR = "import sys, threading; from adapters.workers.projector import run; run(sys.argv[1], threading.Event())"


class Tell(Command):
    """A command that says nothing but who and where."""


class World:
    """One database: what happens in it, and what is read from it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.at = PURCHASED_AT
        self.ledger = open_ledger(url, pool_size=4, clock=lambda: self.at, fingerprint_key=b"k" * 32)
        self.models = ReadModels(url)
        self.purchases = PurchaseReads(self.models)
        self.holdings = HoldingReads(self.models)
        self.due_work = DueWorkReads(self.models)

    def tell(self, *aggregates: Aggregate, of: UUID = CONTOSO_ID, at: datetime | None = None) -> int:
        """Saves what the aggregates have told, and answers its position."""
        command = Tell(
            organization_id=of,
            command_id=uuid5(of, f"command {next(NUMBERS)}"),
            actor=Actor(id=CHRIS, role="purchaser"),
        )
        return self.ledger.save(*aggregates, because=command, at=at or self.at).position

    def buy(self, number: int, *, of: UUID = CONTOSO_ID, **otherwise: Any) -> tuple[Subscription, LicensePool, int]:
        """A purchase of Power BI Pro or what is said otherwise, an hour after the one before."""
        self.at += timedelta(hours=1)
        ids = {"id": uuid5(of, f"subscription {number}"), "pool_id": uuid5(of, f"pool {number}")}
        subscription = buying(**{**ids, "at": self.at, **otherwise})()
        total = otherwise.get("licenses", 3)
        pool = LicensePool.open(
            id=subscription.pool_id, subscription_id=subscription.id, total=total, price=POWER_BI_PRO, at=self.at
        )
        return subscription, pool, self.tell(subscription, pool, of=of)

    def members(self, numbers: Sequence[int], *, of: UUID = CONTOSO_ID) -> dict[UUID, Member | None]:
        """Members who were just added."""
        members = [Member.add(id=uuid5(of, f"member {n}"), kind="member", details={}) for n in numbers]
        self.tell(*members, of=of)
        return {member.id: member for member in members}

    def story(self, purchases: int, *, of: UUID = CONTOSO_ID, first: int = 0) -> int:
        """Purchases with all that can happen to them; answers the last position."""
        people = self.members(range(3 * first, 3 * first + 3), of=of)
        position = 0
        for number in range(first, first + purchases):
            subscription, pool, _ = self.buy(number, of=of)
            pool.assign(people)
            pool.unassign(list(people)[: number % 3])
            pool.resize(5 + number % 4, POWER_BI_PRO, self.at)
            if number % 2:
                subscription.schedule_licenses(4)
            if number % 3 == 0:
                subscription.cancel_at_term_end(reason="not_used_enough", feedback=None, licenses=5, at=self.at)
            position = self.tell(subscription, pool, of=of)
            if number % 4 == 0:
                subscription.cancel_now(reason="other", feedback=None, licenses=5, removable_now=5, at=self.at)
                pool.close("cancelled")
                position = self.tell(subscription, pool, of=of)
        return position

    def execute(self, query: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """As the superuser."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            cursor = connection.execute(query.encode(), parameters)
            return cursor.fetchall() if cursor.description else []

    def start_projector(self) -> subprocess.Popen[bytes]:
        """A projector in a process of its own."""
        return subprocess.Popen(
            [sys.executable, "-c", PROJECTOR, self.url],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.DEVNULL,
        )

    def close(self) -> None:
        self.models.close()
        self.ledger.close()


@contextmanager
def a_world(postgres: EmbeddedPostgres) -> Iterator[World]:
    """A database of its own on the shared server, migrated and empty."""
    name = f"reads_{next(NUMBERS)}"
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    url = make_conninfo(postgres.url, dbname=name)
    migrate(url)
    world = World(url)
    try:
        yield world
    finally:
        world.close()
