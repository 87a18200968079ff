"""The example of a downstream service under a soak: its database, and whether it counts what the ledger says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, TypeVar
from uuid import UUID

import psycopg
from psycopg.conninfo import make_conninfo

from adapters.kit import install
from domain.license_pool import LicensePool
from domain.subscription import Subscription
from examples.monthly_recurring_revenue.books import install_tables
from services.ledger import Ledger
from tools.soak.programs import ledger_of

if TYPE_CHECKING:
    from tools.soak.checks import Answer

A = TypeVar("A", LicensePool, Subscription)

DATABASE = "revenue"
READ = "SELECT coalesce(sum(sequence), 0) FROM kit.sequences"  # events of all organizations, opaque ones included
KEPT = "SELECT subscription_id, twelfths FROM recurring_revenue.subscriptions"
MOVED = "SELECT subscription_id, sum(twelfths) FROM recurring_revenue.movements GROUP BY 1"
PARKED = "SELECT count(*) FROM kit.parked"
AGGREGATES = "SELECT DISTINCT organization_id, originator_id FROM ledger.events WHERE topic LIKE %s"
TWELFTHS_A_MONTH = {"monthly": 12, "annual": 1}
EARNING = {"active", "in_grace"}


class Revenue:
    """The tables that the consumers of a run keep, beside the ledger on the same server."""

    def __init__(self, ledger_url: str) -> None:
        self.ledger_url = ledger_url
        self.url = make_conninfo(ledger_url, dbname=DATABASE)

    def prepare(self) -> None:
        with psycopg.connect(self.ledger_url, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {DATABASE}".encode())
        with psycopg.connect(self.url) as connection:
            install(connection)
            install_tables(connection)

    def read(self) -> int:
        """How many events the consumers have behind them."""
        with psycopg.connect(self.url) as connection:
            return int(connection.execute(READ).fetchall()[0][0])

    def check(self) -> Answer:
        """Every subscription, as it is kept and as the sum of its movements, with what its aggregates say."""
        with ledger_of(self.ledger_url) as ledger:
            said = dict(self._said(ledger))
        return len(said), self._differences(said)

    def _said(self, ledger: Ledger) -> Iterator[tuple[UUID, int]]:
        pools = {pool.subscription_id: pool for pool in self._every(ledger, LicensePool)}
        for one in self._every(ledger, Subscription):
            monthly = pools[one.id].total * one.price.unit_price_minor if one.life in EARNING else 0
            yield one.id, monthly * TWELFTHS_A_MONTH[one.price.plan]

    def _every(self, ledger: Ledger, kind: type[A]) -> Iterator[A]:
        with psycopg.connect(self.ledger_url) as connection:
            ids = connection.execute(AGGREGATES, (f"{kind.TOPIC}.%",)).fetchall()
        yield from (ledger.get(kind, organization_id, one) for organization_id, one in ids)

    def _differences(self, said: dict[UUID, int]) -> Iterator[str]:
        with psycopg.connect(self.url) as connection:
            kept: dict[UUID, int] = dict(connection.execute(KEPT).fetchall())
            moved: dict[UUID, int] = dict(connection.execute(MOVED).fetchall())
            ((parked,),) = connection.execute(PARKED).fetchall()
        if parked:
            yield f"{parked} events are parked"
        for one in said.keys() | kept.keys() | moved.keys():
            if not said.get(one, -1) == kept.get(one) == moved.get(one):
                yield (
                    f"subscription {one} comes to {said.get(one)} twelfths by the ledger,"
                    f" {kept.get(one)} as it is kept, {moved.get(one)} by its movements"
                )
