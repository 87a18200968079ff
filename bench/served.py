"""What the HTTP API is asked about: organizations whose purchaser has many subscriptions, and the calls for them."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import cache
from typing import NamedTuple
from uuid import UUID, uuid4

import psycopg

from adapters.postgres.ledger import directory_of
from adapters.postgres.projector import Projector
from bench.due import LICENSES, OPERATOR, WriteHistory, id_of, purchase_by, write_catalog
from bench.history import PRODUCT, Extent, Tell
from bench.program import Settings
from bench.workload import BENCH
from domain.calendar import cycle
from domain.kernel import Aggregate
from domain.license_pool import LicensePool
from domain.member import Member
from domain.offer import PriceFacts
from domain.organization import Organization, OrganizationFacts, organization_id_of
from domain.subscription import Subscription
from projections.assignments import Assignments
from projections.purchases import Purchases
from services.command import Actor
from services.create_organization import CreateOrganization, create_organization
from services.import_members import ImportMembers, MemberRow, import_members
from services.ledger import Ledger

BUYER = "buyer@bench.example"
COLLEAGUES = 12
CHANGED = 10_000  # of all purchases: with a card, a profile and an invoice
EVENTS_AT_ONCE = 900
FOLD_S = 900.0


class Place(NamedTuple):
    """A subscription of an organization, and how often it was changed before."""

    handle: str
    number: int
    before: int = 0

    @property
    def organization_id(self) -> UUID:
        return organization_id_of(self.handle)

    @property
    def subscription_id(self) -> UUID:
        return id_of(self.organization_id, "subscription", self.number)

    @property
    def buyer(self) -> Actor:
        return Actor(id=member_id(self.handle, 0), role="purchaser")

    @property
    def user_id(self) -> UUID:
        """A colleague who holds no license of it yet."""
        return member_id(self.handle, 1 + self.before)

    @property
    def total(self) -> int:
        """One license more than it has."""
        return LICENSES + 1 + self.before


def served_handles(organizations: int) -> list[str]:
    return [f"served-{number}" for number in range(organizations)]


def founding(handle: str) -> CreateOrganization:
    organization_id = organization_id_of(handle)
    return CreateOrganization(
        organization_id=organization_id,
        command_id=id_of(organization_id, "founding", 0),
        actor=OPERATOR,
        facts=OrganizationFacts(handle=handle, country="US", currency="USD", currency_exponent=2),
        first_admin=MemberRow(user_name="admin@bench.example"),
    )


def joining(handle: str) -> ImportMembers:
    """The purchaser first, and colleagues."""
    organization_id = organization_id_of(handle)
    names = [BUYER, *(f"colleague.{number}@bench.example" for number in range(COLLEAGUES))]
    return ImportMembers(
        organization_id=organization_id,
        command_id=id_of(organization_id, "joining", 0),
        actor=OPERATOR,
        rows=tuple(MemberRow(user_name=name) for name in names),
    )


@cache
def member_id(handle: str, number: int) -> UUID:
    """The purchaser's is that of the first row."""
    return joining(handle).new_id(f"member:{number}")


def write_served(ledger: Ledger, settings: Settings, at: datetime, tell: Tell) -> None:
    """The history, and read tables that have come to its end."""
    price, directory = write_catalog(ledger, at), directory_of(ledger)
    for done, handle in enumerate(served_handles(settings["organizations"]), start=1):
        create_organization(ledger, founding(handle))
        import_members(ledger, joining(handle), directory)
        organization = ledger.organization(organization_id_of(handle))
        buyer = ledger.members(organization.id, [member_id(handle, 0)])
        [member] = [one for one in buyer.values() if one]
        for part, told in enumerate(parts_of(organization, member, settings, price, at)):
            because = WriteHistory(organization_id=organization.id, command_id=uuid4(), actor=OPERATOR, part=part)
            ledger.save(*told, because=because, at=at)
        tell(done / settings["organizations"])
    with Projector(settings["database"]) as projector:
        names = [Purchases.name, Assignments.name]
        projector.catch_up(names, Extent.of(settings["database"]).until, timeout_s=FOLD_S)
    with psycopg.connect(settings["database"], autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")  # as it would be after a while


def parts_of(
    organization: Organization, member: Member, settings: Settings, price: PriceFacts, at: datetime
) -> Iterator[list[Aggregate]]:
    """Purchases, in parts that a save takes."""
    told: list[Aggregate] = []
    for number in range(1, settings["purchases"] + 1):
        if number <= settings["charged"]:
            told += purchase_by(member, organization, number, price, token=settings["token"], at=at)
        else:
            told += bare_purchase(member, organization, number, price, at)
        if len(told) >= EVENTS_AT_ONCE // 3:
            yield told
            told = []
    if told:
        yield told


def bare_purchase(
    member: Member, organization: Organization, number: int, price: PriceFacts, at: datetime
) -> list[Aggregate]:
    """A subscription and its pool: to be read, not to be changed."""
    subscription = Subscription.purchase(
        id=id_of(organization.id, "subscription", number),
        pool_id=id_of(organization.id, "pool", number),
        organization=organization,
        purchaser=member,
        product=PRODUCT,
        price=price,
        licenses=LICENSES,
        channel="self_service",
        billing_profile_id=BENCH,
        invoice_id=BENCH,
        at=at,
    )
    pool = LicensePool.open(
        id=subscription.pool_id,
        subscription_id=subscription.id,
        total=LICENSES,
        price=price,
        invoice_id=BENCH,
        cycle=cycle(subscription.anchor, price.plan, 0),
        at=at,
    )
    return [subscription, pool]


class Places:
    """Which subscriptions are asked about: any to be read; each of one's own share once in a turn to be changed."""

    def __init__(self, settings: Settings, share: int) -> None:
        handles = served_handles(settings["organizations"])
        self._handles, self._purchases = handles, settings["purchases"]
        mine = range(1 + share, settings["charged"] + 1, 2)
        self._changed = {
            what: (Place(handle, number, turn) for turn in itertools.count() for number in mine for handle in handles)
            for what in ("assign", "resize")
        }

    def of(self, what: str, seed: str) -> Iterator[Place]:
        if what in self._changed:
            return self._changed[what]
        chance = random.Random(seed)  # noqa: S311 - to repeat a run
        return self._any(lambda: Place(chance.choice(self._handles), chance.randrange(self._purchases) + 1))

    @staticmethod
    def _any(draw: Callable[[], Place]) -> Iterator[Place]:
        while True:
            yield draw()
