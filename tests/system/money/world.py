"""A small world in which money moves: an organization, a card, a provider in a file, and what becomes of them.

Its ids and command ids are the same in every run, so that two runs of one story can be compared event by event.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID, uuid5

from adapters.payments.sandbox import Sandbox
from adapters.postgres.ledger import open_ledger
from adapters.tax.rates import TaxTable
from domain.billing_profile import BillingProfile
from domain.envelope import RecordedEvent
from domain.kernel import Aggregate
from domain.offer import OfferTerms
from domain.organization import CATALOG, OrganizationFacts, organization_id_of
from domain.payment import Payment
from services.add_payment_method import AddPaymentMethod, add_payment_method
from services.advance import Advance, advance_organization
from services.buy_subscription import BuySubscription, buy_subscription, own_profile_id
from services.command import Actor, Command
from services.create_organization import CreateOrganization, create_organization
from services.import_catalog import ImportCatalog, OfferRow, import_catalog
from services.import_members import MemberRow
from services.ledger import Ledger, offer_id_of
from services.open_billing_profile import OpenBillingProfile, open_billing_profile
from services.ports_reads import DueProfile
from services.till import Till
from tests.examples import POWER_BI_PRO_PRODUCT, POWER_BI_PRO_TERMS, an_id

C = TypeVar("C", bound=Command)

OPERATOR = Actor(id=an_id(91), role="operator")
MONTHLY = POWER_BI_PRO_TERMS
FOR_A_YEAR = MONTHLY.model_copy(update={"term": "P1Y"})  # billed monthly
PAID_YEARLY = MONTHLY.model_copy(update={"term": "P1Y", "plan": "annual"})
PRICES: dict[OfferTerms, int] = {MONTHLY: 1_400, FOR_A_YEAR: 1_400, PAID_YEARLY: 16_800}
EVERYTHING = 2**60
IN_TIME = timedelta(minutes=11)  # later than RESUME_AFTER


class Time:
    """A clock that stands until it is set."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


@dataclass
class World:
    """One organization on a ledger and a provider of its own; its first admin is who buys."""

    ledger: Ledger
    sandbox: Sandbox
    time: Time
    handle: str = "contoso"
    simulation: bool = False

    @property
    def organization_id(self) -> UUID:
        return organization_id_of(self.handle)

    @property
    def till(self) -> Till:
        return Till(self.sandbox, TaxTable.read(None))

    @property
    def chris(self) -> UUID:
        return self.founding.first_admin_id

    @property
    def buyer(self) -> Actor:
        return Actor(id=self.chris, role="purchaser")

    @property
    def profile_id(self) -> UUID:
        return own_profile_id(self.organization_id, self.chris)

    # Who is there.

    @property
    def founding(self) -> CreateOrganization:
        row = MemberRow(user_name="chris@contoso.com", kind="member", display_name="Chris Green")
        facts = OrganizationFacts(
            handle=self.handle, country="US", currency="USD", currency_exponent=2, simulation=self.simulation
        )
        return self.command(CreateOrganization, "found", by=OPERATOR, facts=facts, first_admin=row)

    def found(self) -> None:
        """The organization, and its admin as a purchaser with a card and a billing profile."""
        create_organization(self.ledger, self.founding)
        card = self.adds_card("tok_visa")
        open_billing_profile(self.ledger, self.command(OpenBillingProfile, "profile", payment_method_id=card))

    def adding_card(self, token: str) -> AddPaymentMethod:
        return self.command(AddPaymentMethod, f"card {token}", token=token)

    def adds_card(self, token: str) -> UUID:
        """The payment method, by id."""
        adding = self.adding_card(token)
        add_payment_method(self.ledger, adding, self.till)
        return adding.payment_method_id

    # What they do.

    def command(self, kind: type[C], name: str, *, by: Actor | None = None, **content: Any) -> C:
        """A command whose id its name decides: to send it again is to repeat it."""
        by = by or self.buyer
        command_id = uuid5(self.organization_id, name)
        return kind(organization_id=self.organization_id, command_id=command_id, actor=by, **content)

    def buying(
        self, licenses: int = 3, terms: OfferTerms = MONTHLY, name: str = "buy", **content: Any
    ) -> BuySubscription:
        return self.command(BuySubscription, name, offer_id=offer_id_of(terms), licenses=licenses, **content)

    def buys(self, licenses: int = 3, terms: OfferTerms = MONTHLY, name: str = "buy", **content: Any) -> UUID:
        """A subscription, by id."""
        buying = self.buying(licenses, terms, name, **content)
        buy_subscription(self.ledger, buying, self.till)
        return buying.subscription_id

    def runs(self, at: datetime | None = None) -> None:
        """The life-cycle run, for all profiles and for the payments that wait for an end."""
        if at:
            self.time.now = at
        advance_organization(
            self.ledger,
            self.till,
            Advance(actor=OPERATOR),
            organization_id=self.organization_id,
            due=due_profiles(self),
        )

    # What can be seen.

    def history(self) -> list[RecordedEvent]:
        return self.ledger.history.told(self.organization_id, after=0, until=EVERYTHING)

    def all(self, kind: type[Aggregate]) -> list[Any]:
        """Every aggregate of this kind that the organization has."""
        ids = dict.fromkeys(one.originator_id for one in self.history() if one.topic.startswith(f"{kind.TOPIC}."))
        return list(self.ledger.find_all(self.organization_id, dict.fromkeys(ids, kind)).values())


def due_profiles(world: World) -> list[DueProfile]:
    """Read from history, and so never behind: every profile, with its payments that have no end yet."""
    waiting: dict[UUID, list[UUID]] = {}
    for payment in world.all(Payment):
        if payment.is_open or payment.open_refunds:
            waiting.setdefault(payment.billing_profile_id, []).append(payment.id)
    return [
        DueProfile(world.organization_id, profile.id, tuple(waiting.get(profile.id, ())))
        for profile in world.all(BillingProfile)
    ]


@contextmanager
def opened(url: str, file: Path, now: datetime, handle: str = "contoso") -> Iterator[World]:
    """The world of a database and a provider's file, on connections of this process."""
    time = Time(now)
    with (
        open_ledger(url, pool_size=4, clock=time, fingerprint_key=b"of the tests") as ledger,
        Sandbox(file, clock=time) as sandbox,
    ):
        yield World(ledger, sandbox, time, handle)


def import_prices(ledger: Ledger, prices: Sequence[tuple[OfferTerms, int]] = tuple(PRICES.items())) -> None:
    """Power BI Pro on sale, in each of its terms."""
    offers = tuple(OfferRow(terms=terms, unit_price_minor=price) for terms, price in prices)
    importing = ImportCatalog(
        organization_id=CATALOG,
        command_id=an_id(90),
        actor=OPERATOR,
        products=(POWER_BI_PRO_PRODUCT,),
        offers=offers,
    )
    import_catalog(ledger, importing)
