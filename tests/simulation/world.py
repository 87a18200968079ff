"""A world for one random history: an organization, its people, cards and profiles, a catalog, a provider, and a clock.

Everything in it is made of the numbers that it is given, so that the same history comes about again.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID, uuid5

from iso4217 import Currency

from adapters.payments.sandbox import Sandbox
from adapters.tax.rates import TaxTable
from domain.offer import OfferTerms
from domain.organization import CATALOG, OrganizationFacts, organization_id_of
from domain.product import ProductFacts
from domain.refusals import Refusal
from services.add_payment_method import AddPaymentMethod, add_payment_method
from services.buy_subscription import own_profile_id
from services.command import Actor, Command
from services.create_organization import CreateOrganization, create_organization
from services.import_catalog import ImportCatalog, OfferRow, import_catalog
from services.import_members import ImportMembers, import_members
from services.ledger import offer_id_of
from services.open_billing_profile import OpenBillingProfile, open_billing_profile
from services.ports import LedgerUnavailable, Receipt
from services.ports_payments import GatewayUnavailable
from services.resume_payments import resume_payment
from services.till import Till
from tests.services.contoso import OPERATOR, Clock, HoldingsOfHistory, generated
from tests.services.memory_recorder import MemoryDirectory, MemoryRecorder, memory_ledger
from tests.simulation.proposals import Proposals
from tests.simulation.reading import Reading

C = TypeVar("C", bound=Command)

TAXES = TaxTable.read(None)
IDS = UUID("7d0b6f0e-6f8e-5b52-8d2b-0a9c3c7c9a11")
HANDLE = "simulated"
PEOPLE = 8  # with the admin: three who buy, and four who only hold
BUYERS = 4
PRODUCTS = tuple(
    ProductFacts(
        product_id=f"P{number}",
        name=f"Product {number}",
        sku_part_number=f"PRODUCT_{number}",
        sku_id=None,
        self_service=True,
        policies=("Enabled", "Disabled"),
    )
    for number in (1, 2)
)


@dataclass(frozen=True)
class Beginning:
    """What a world is made of."""

    at: datetime
    currency: str = "USD"
    country: str = "US"  # where taxes are due; cards are of this country
    prices: tuple[int, int, int, int] = (1_400, 1_400, 16_800, 700)  # of the four offers, in minor units

    @property
    def exponent(self) -> int:
        return int(Currency(self.currency).exponent or 0)

    def offers(self) -> list[OfferRow]:
        """By the month, yearly billed monthly, yearly, and another product by the month."""
        kinds = (("P1", "P1M", "monthly"), ("P1", "P1Y", "monthly"), ("P1", "P1Y", "annual"), ("P2", "P1M", "monthly"))
        return [
            OfferRow(
                terms=OfferTerms(
                    product_id=product,
                    term=term,  # type: ignore[arg-type]  # of the literal
                    plan=plan,  # type: ignore[arg-type]  # likewise
                    currency=self.currency,
                    currency_exponent=self.exponent,
                    maximum=60,
                ),
                unit_price_minor=price,
            )
            for (product, term, plan), price in zip(kinds, self.prices, strict=True)
        ]


@dataclass
class Counts:
    """What happened in a history, for the evidence."""

    steps: int = 0
    commands: int = 0
    events: int = 0
    refusals: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    laws: Counter[str] = field(default_factory=Counter)
    told: Counter[str] = field(default_factory=Counter)  # events by name


class World:
    """Acts come in one by one; after each the reading of its history is brought up to date, and judges it."""

    def __init__(self, beginning: Beginning, *, counts: Counts | None = None) -> None:
        self.beginning = beginning
        self.clock = Clock(beginning.at)
        self.counts = counts or Counts()
        self.ledger = memory_ledger(self.clock)
        self.sandbox = Sandbox(None, clock=self.clock)
        self.organization_id = organization_id_of(HANDLE)
        self.ids = 0
        self.latest = beginning.at  # that the clock ever showed
        self.unanswered: list[tuple[Command, Callable[[Any], Receipt]]] = []
        self.reading = Reading(self)
        self.proposals = Proposals(self)
        self._found()

    @property
    def recorder(self) -> MemoryRecorder:
        assert isinstance(self.ledger.history, MemoryRecorder)
        return self.ledger.history

    @property
    def till(self) -> Till:
        return Till(self.sandbox, TAXES)

    @property
    def directory(self) -> MemoryDirectory:
        return MemoryDirectory(self.recorder)

    @property
    def holdings(self) -> HoldingsOfHistory:
        return HoldingsOfHistory(self.ledger)

    @property
    def head(self) -> int:
        return len(self.recorder.organizations[self.organization_id])

    def copy(self) -> "World":
        """The same world from here on, apart."""
        other = World.__new__(World)
        other.beginning, other.clock, other.counts = self.beginning, Clock(self.clock.now), Counts()
        other.ledger = memory_ledger(other.clock, self.ledger)
        other.sandbox = copied(self.sandbox, other.clock)
        other.latest = self.latest
        other.organization_id, other.ids, other.unanswered = self.organization_id, self.ids, list(self.unanswered)
        other.people, other.offer_ids = list(self.people), list(self.offer_ids)
        other.cards = {owner: list(cards) for owner, cards in self.cards.items()}
        other.proposals = Proposals(other)
        other.reading = self.reading.copy_for(other)
        return other

    def turn_clock(self, by: timedelta) -> None:
        """On, or a little back: clocks of machines are not always right."""
        self.clock.now += by
        self.latest = max(self.latest, self.clock.now)

    def take_hints(self) -> None:
        """What the provider hinted at is looked at: a dispute, a refund that came back."""
        for payment_id in dict.fromkeys(notice.payment_id for notice in self.sandbox.notices()):
            organization = self.ledger.organization(self.organization_id)
            resume_payment(self.ledger, self.till, organization, payment_id, at=self.ledger.now(organization))
        self.reading.catch_up()

    # Acts.

    def new_id(self) -> UUID:
        self.ids += 1
        return uuid5(IDS, str(self.ids))

    def command(self, kind: type[C], by: Actor, /, **content: Any) -> C:
        usual = {"organization_id": self.organization_id, "command_id": self.new_id(), "actor": by}
        return kind(**{**usual, **content})

    def act(self, command: C, carry_out: Callable[[C], Receipt]) -> Receipt | None:
        """The receipt; None: it was refused, or the answer was lost. Whatever else goes wrong is an error."""
        before, receipt = self.head, None
        self.counts.commands += 1
        try:
            receipt = carry_out(command)
        except Refusal as refusal:
            self.counts.refusals[refusal.code] += 1
            self.reading.refuse_what_a_refusal_told(command, before, refusal)
            if refusal.code in {"payment_action_required", "payment_outcome_unknown"}:
                self.unanswered.append((command, carry_out))
        except (LedgerUnavailable, GatewayUnavailable) as lost:
            self.counts.faults[type(lost).__name__] += 1
            self.unanswered.append((command, carry_out))
        self.reading.catch_up()
        return receipt

    def buyer(self, number: int) -> Actor:
        return Actor(id=self.people[number % BUYERS], role="purchaser")

    @property
    def admin(self) -> Actor:
        return Actor(id=self.people[0], role="admin")

    def actor_for(self, subscription_id: UUID) -> Actor:
        """Who may change a purchase: its purchaser, or an admin where it was bought centrally."""
        subscription = self.ledger.subscription(self.organization_id, subscription_id)
        central = subscription.channel == "central"
        return self.admin if central else Actor(id=subscription.purchaser_id, role="purchaser")

    def add_card(self, owner: Actor, token: str) -> UUID | None:
        """Stores a card made of a magic token, of the organization's country."""
        name, _, other = token.partition(":")
        token = f"{name}_{self.beginning.country.lower()}{':' * bool(other)}{other}"
        command = self.command(AddPaymentMethod, owner, token=token)
        if self.act(command, lambda command: add_payment_method(self.ledger, command, self.till)) is None:
            return None
        self.cards.setdefault(owner.id, []).append(command.payment_method_id)
        return command.payment_method_id

    def own_profile(self, member_id: UUID) -> UUID:
        return own_profile_id(self.organization_id, member_id)

    # How it begins.

    def _found(self) -> None:
        first, *others = (generated(number) for number in range(1, PEOPLE + 1))
        beginning = self.beginning
        catalog = self.command(
            ImportCatalog, OPERATOR, organization_id=CATALOG, products=PRODUCTS, offers=tuple(beginning.offers())
        )
        import_catalog(self.ledger, catalog)
        self.offer_ids = [offer_id_of(row.terms) for row in beginning.offers()]
        facts = OrganizationFacts(
            handle=HANDLE,
            country=beginning.country,
            currency=beginning.currency,
            currency_exponent=beginning.exponent,
        )
        founding = self.command(CreateOrganization, OPERATOR, facts=facts, first_admin=first)
        create_organization(self.ledger, founding)
        importing = self.command(ImportMembers, OPERATOR, rows=tuple(others))
        import_members(self.ledger, importing, self.directory)
        known = self.directory.member_ids(self.organization_id, [row.user_name for row in others])
        self.people = [founding.first_admin_id, *(known[row.user_name] for row in others)]
        self.cards: dict[UUID, list[UUID]] = {}
        for number in range(BUYERS):
            owner = self.buyer(number)
            card = self.add_card(owner, "tok_visa:first")
            opening = self.command(OpenBillingProfile, owner, payment_method_id=card)
            open_billing_profile(self.ledger, opening)
        self.reading.catch_up()


def copied(sandbox: Sandbox, clock: Clock) -> Sandbox:
    """The same provider from here on, apart."""
    other = Sandbox(None, clock=clock)
    with sandbox._file._lock:
        sandbox._file._connection.backup(other._file._connection)
    return other


def utc(year: int, month: int, day: int, hour: int = 9) -> datetime:
    return datetime(year, month, day, hour, tzinfo=UTC)
