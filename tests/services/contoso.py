"""Contoso, ready to act: its people, their roles, what they bought, and the commands they give."""

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from functools import partial
from importlib import import_module
from typing import Any, TypeVar, cast
from uuid import UUID, uuid4

import pytest

from adapters.directory.microsoft_365 import CONTOSO, read_members
from adapters.payments.sandbox import Sandbox
from adapters.postgres.recorder import LedgerRecorder
from adapters.tax.rates import TaxTable
from domain.billing_profile import BillingProfile
from domain.envelope import RecordedEvent, Role
from domain.invoice import Invoice
from domain.kernel import Aggregate
from domain.license_pool import LicensePool
from domain.member import Kind
from domain.offer import OfferTerms
from domain.organization import CATALOG, Organization, OrganizationFacts, organization_id_of
from domain.payment import Payment
from domain.personal import PersonalFact
from domain.product import ProductFacts
from domain.refusals import Refusal
from domain.subscription import Subscription
from services.add_payment_method import AddPaymentMethod
from services.advance import Advance, Advanced, advance_organization
from services.assign_licenses import AssignLicenses
from services.buy_subscription import BuySubscription, own_profile_id
from services.command import Actor, Command
from services.create_organization import CreateOrganization
from services.deactivate_member import DeactivateMember
from services.grant_role import GrantRole
from services.import_catalog import ImportCatalog, OfferRow
from services.import_members import ImportMembers, MemberRow
from services.ledger import Ledger, offer_id_of
from services.open_billing_profile import OpenBillingProfile
from services.ports import Directory, Holdings, Receipt
from services.ports_reads import DueProfile
from services.remove_member import RemoveMember
from services.replace_payment_method import ReplacePaymentMethod
from services.till import Till
from tests.examples import POWER_BI_PRO_PRODUCT, POWER_BI_PRO_TERMS, an_id
from tests.services.crash import Crash, EndOfProcess

A = TypeVar("A", bound=Aggregate)
C = TypeVar("C", bound=Command)

OPERATOR = Actor(id=an_id(91), role="operator")
SERVICE = Actor(id=an_id(92), role="service")
THE_FIVE = read_members(CONTOSO)
CHRIS_ROW, *THE_OTHER_FOUR = THE_FIVE

MONTHLY = POWER_BI_PRO_TERMS
FOR_A_YEAR = MONTHLY.model_copy(update={"term": "P1Y"})  # billed monthly
PAID_YEARLY = MONTHLY.model_copy(update={"term": "P1Y", "plan": "annual"})
PRICES: dict[OfferTerms, int] = {MONTHLY: 1_400, FOR_A_YEAR: 1_400, PAID_YEARLY: 16_800}  # minor units of USD

IN_US_DOLLARS = {"country": "US", "currency": "USD", "currency_exponent": 2}
TAXES = TaxTable.read(None)


class Clock:
    """A clock that stands until a test sets it."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


class HoldingsOfHistory:
    """Who holds a license where, read from the whole history at every question: slow, and never behind."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger

    def pools_of(self, organization_id: UUID, member_id: UUID, *, at_least: int) -> Sequence[UUID]:
        recorded = self.ledger.history.told(organization_id, after=0, until=2**60)
        assert not recorded or recorded[-1].position >= at_least
        held: dict[UUID, None] = {}
        for told in map(self.ledger.mapper.to_domain_event, recorded):
            if isinstance(told, LicensePool.LicenseAssigned) and told.member_id == member_id:
                held[told.originator_id] = None
            elif isinstance(told, LicensePool.LicenseUnassigned) and told.member_id == member_id:
                held.pop(told.originator_id)
            elif isinstance(told, LicensePool.LicensePoolClosed):
                held.pop(told.originator_id, None)
        return list(held)


@dataclass
class Contoso:
    """An organization of its own for each test. Chris is its admin; Melissa buys; the others are members.

    Money moves in a sandbox of its own, in memory, at the organization's time.
    """

    ledger: Ledger
    clock: Clock
    directory: Directory
    organization_id: UUID
    holdings: Holdings
    handle: str
    sandbox: Sandbox = field(init=False)
    till: Till = field(init=False)
    chris: UUID = field(init=False)
    ben: UUID = field(init=False)
    david: UUID = field(init=False)
    cynthia: UUID = field(init=False)
    melissa: UUID = field(init=False)

    def __post_init__(self) -> None:
        self.sandbox = Sandbox(None, clock=lambda: self.now)
        self.till = Till(self.sandbox, TAXES)

    @classmethod
    def founded(cls, ledger: Ledger, directory: Directory, clock: Clock, **facts: Any) -> "Contoso":
        """In the United States, unless other facts are said."""
        handle = f"contoso-{uuid4().hex}"
        contoso = cls(ledger, clock, directory, organization_id_of(handle), HoldingsOfHistory(ledger), handle)
        founding = contoso.command(
            CreateOrganization,
            OPERATOR,
            facts=OrganizationFacts(**{"handle": handle, **IN_US_DOLLARS, **facts}),
            first_admin=CHRIS_ROW,
        )
        contoso.run(founding)
        contoso.chris = founding.first_admin_id
        contoso.ben, contoso.david, contoso.cynthia, contoso.melissa = contoso.imports(*THE_OTHER_FOUR)
        return contoso

    @property
    def now(self) -> datetime:
        """By the clock; a simulated organization lives at its own time."""
        organization = self.ledger.find(Organization, self.organization_id, self.organization_id)
        return self.ledger.now(organization) if organization and organization.facts.simulation else self.clock.now

    # Who acts.

    def purchaser(self, member_id: UUID) -> Actor:
        return Actor(id=member_id, role="purchaser")

    @property
    def buyer(self) -> Actor:
        return self.purchaser(self.melissa)

    @property
    def admin(self) -> Actor:
        return Actor(id=self.chris, role="admin")

    def by(self, role: Role) -> Actor:
        """Somebody in this role: Ben buys, Chris administers, David reads bills, Cynthia audits."""
        match role:
            case "purchaser":
                self.can_pay(self.ben)
                return self.purchaser(self.ben)
            case "admin":
                return self.admin
            case "operator":
                return OPERATOR
            case "service":
                return SERVICE
            case "billing_reader" | "auditor":
                member_id = self.david if role == "billing_reader" else self.cynthia
                self.run(self.command(GrantRole, self.admin, member_id=member_id, role=role))
                return Actor(id=member_id, role=role)

    def imports(self, *rows: MemberRow) -> list[UUID]:
        """Members of these rows, by id."""
        self.run(self.command(ImportMembers, self.admin, rows=rows))
        ids = self.directory.member_ids(self.organization_id, [row.user_name for row in rows])
        return [ids[row.user_name] for row in rows]

    def generates(self, count: int, kind: Kind = "member") -> list[UUID]:
        """More members, plainly named as generated."""
        return self.imports(*(generated(number, kind) for number in range(1, count + 1)))

    def deactivates(self, member_id: UUID) -> Receipt:
        return self.run(self.command(DeactivateMember, OPERATOR, member_id=member_id))

    def removes(self, member_id: UUID) -> Receipt:
        return self.run(self.command(RemoveMember, OPERATOR, member_id=member_id))

    def half_removes(self, member_id: UUID, crash: type[BaseException] | None = None) -> RemoveMember:
        """The process ends after the first save of the removal; the command, to be repeated."""
        removal = self.command(RemoveMember, self.admin, member_id=member_id)
        holdings, self.holdings = self.holdings, EndOfProcess(crash or Crash)
        with pytest.raises(crash or Crash):
            self.run(removal)
        self.holdings = holdings
        return removal

    # What they do.

    def command(self, kind: type[C], by: Actor, /, **content: Any) -> C:
        """A command with a new id."""
        return kind(**{"organization_id": self.organization_id, "command_id": uuid4(), "actor": by, **content})

    def run(self, command: Command) -> Receipt:
        """Carried out by the service of its name, with the parts of the house that it takes."""
        parts = {"till": self.till, "directory": self.directory, "holdings": self.holdings}
        service = getattr(import_module(f"services.{command.name}"), command.name)
        taken = {name: part for name, part in parts.items() if name in inspect.signature(service).parameters}
        return cast("Receipt", service(self.ledger, command, **taken))

    def running(self, kind: type[Command], by: Actor, /, **content: Any) -> Callable[[], Receipt]:
        """The same, later: a colleague's act that a test fits in somewhere."""
        return partial(self.run, self.command(kind, by, **content))

    def buys(self, licenses: int = 3, terms: OfferTerms = MONTHLY, **content: Any) -> UUID:
        """A subscription to Power BI Pro that Melissa buys by self-service, by id."""
        self.can_pay(self.melissa)
        content = {"offer_id": offer_id_of(terms), "licenses": licenses, **content}
        buying = self.command(BuySubscription, self.buyer, **content)
        self.run(buying)
        return buying.subscription_id

    def buys_centrally(self, purchaser: UUID, licenses: int = 3) -> UUID:
        self.can_pay(purchaser)
        buying = self.command(
            BuySubscription,
            self.admin,
            offer_id=offer_id_of(MONTHLY),
            licenses=licenses,
            channel="central",
            purchaser_id=purchaser,
        )
        self.run(buying)
        return buying.subscription_id

    def adds_card(self, member_id: UUID, token: str = "tok_visa", **content: Any) -> UUID:  # noqa: S107 - a magic word
        """A payment method of the member's, by id."""
        adding = self.command(AddPaymentMethod, self.purchaser(member_id), token=token, **content)
        self.run(adding)
        return adding.payment_method_id

    def opens_profile(self, member_id: UUID, token: str = "tok_visa", **content: Any) -> UUID:  # noqa: S107 - likewise
        """A billing profile of the member's on a card of this token, by id: their own one, if it is the first."""
        content = {"payment_method_id": self.adds_card(member_id, token), **content}
        opening = self.command(OpenBillingProfile, self.purchaser(member_id), **content)
        receipt = self.run(opening)
        (profile_id,) = (
            told.originator_id
            for told in self.ledger.told(self.organization_id, receipt)
            if isinstance(told, BillingProfile.BillingProfileOpened)
        )
        return profile_id

    def changes_card(self, token: str, member_id: UUID | None = None) -> UUID:
        """A new card, by id, in the place of the one that the member's own profile charges; Melissa's by default."""
        member_id = member_id or self.melissa
        card = {"billing_profile_id": self.profile(member_id).id, "payment_method_id": self.adds_card(member_id, token)}
        self.run(self.command(ReplacePaymentMethod, self.purchaser(member_id), **card))
        return card["payment_method_id"]

    def can_pay(self, member_id: UUID) -> UUID:
        """The member's own profile, by id; opened with a good card where there is none yet."""
        own_id = own_profile_id(self.organization_id, member_id)
        if self.ledger.find(BillingProfile, self.organization_id, own_id) is None:
            country = self.ledger.organization(self.organization_id).facts.country
            self.opens_profile(member_id, "tok_visa" if country == "US" else f"tok_visa_{country.lower()}")
        return own_id

    def advances(self, to: date | None = None, *, payments: bool = True) -> Advanced:
        """The run, over every profile and payment. To a day: the clock is there, or the simulated organization."""
        as_of = datetime.combine(to, time(), UTC) if to else None
        if as_of and not self.ledger.organization(self.organization_id).facts.simulation:
            self.clock.now = max(self.clock.now, as_of)
        paid = self.payments() if payments else []
        due = [
            DueProfile(
                self.organization_id,
                profile.id,
                tuple(payment.id for payment in paid if payment.billing_profile_id == profile.id),
            )
            for profile in self.every(BillingProfile)
        ]
        advance = Advance(actor=OPERATOR, as_of=as_of)
        return advance_organization(self.ledger, self.till, advance, organization_id=self.organization_id, due=due)

    def assigns(self, subscription_id: UUID, *member_ids: UUID) -> Receipt:
        """The purchaser gives each a license."""
        purchaser = self.purchaser(self.subscription(subscription_id).purchaser_id)
        return self.run(self.command(AssignLicenses, purchaser, subscription_id=subscription_id, user_ids=member_ids))

    def lists(self, *, self_service: bool = True, **terms: Any) -> OfferTerms:
        """Power BI Pro under a code of its own, so that a test can change what the catalog says of it."""
        product = a_product(self_service=self_service)
        row = an_offer(product, **terms)
        self.run(self.in_catalog(ImportCatalog, products=(product,), offers=(row,)))
        return row.terms

    def in_catalog(self, kind: type[C], by: Actor = OPERATOR, /, **content: Any) -> C:
        return self.command(kind, by, organization_id=CATALOG, **content)

    # What can be seen.

    def subscription(self, subscription_id: UUID) -> Subscription:
        return self.ledger.subscription(self.organization_id, subscription_id)

    def pool(self, subscription_id: UUID) -> LicensePool:
        return self.ledger.license_pool(self.organization_id, self.subscription(subscription_id).pool_id)

    def every(self, kind: type[A]) -> list[A]:
        """All of a kind, in the order in which they came about."""
        ids = dict.fromkeys(told.originator_id for told in self.history() if told.topic.startswith(f"{kind.TOPIC}."))
        return [self.ledger.get(kind, self.organization_id, one) for one in ids]

    def profile(self, member_id: UUID | None = None) -> BillingProfile:
        """A member's own profile; Melissa's, unless said otherwise."""
        own_id = own_profile_id(self.organization_id, member_id or self.melissa)
        return self.ledger.billing_profile(self.organization_id, own_id)

    def invoices(self) -> list[Invoice]:
        return self.every(Invoice)

    def payments(self) -> list[Payment]:
        return self.every(Payment)

    def holders(self, subscription_id: UUID) -> list[UUID]:
        return list(self.pool(subscription_id).holders)

    def history(self) -> list[RecordedEvent]:
        return self.ledger.history.told(self.organization_id, after=0, until=2**60)

    def told(self) -> list[Any]:
        """The same, as what was told."""
        return [self.ledger.mapper.to_domain_event(recorded) for recorded in self.history()]

    @property
    def position(self) -> int:
        """Where history stands: what a query asks for that wants to see everything."""
        return self.history()[-1].position

    def recorded(self, receipt: Receipt) -> list[RecordedEvent]:
        """The events of a receipt as they are stored."""
        last = receipt.organization_seq
        return self.ledger.history.told(self.organization_id, after=last - receipt.events, until=last)

    def kept(self, fact_id: UUID) -> PersonalFact | None:
        """The personal fact, while it is not erased."""
        query = (
            "SELECT fact_id, subject_id, purpose, value, encode(salt, 'hex'), keep_until"
            " FROM ledger.personal_facts WHERE organization_id = %s AND fact_id = %s"
        )
        with cast("LedgerRecorder", self.ledger.recorder).datastore.get_connection() as connection:
            row = connection.execute(query, (self.organization_id, fact_id)).fetchone()
        return PersonalFact(**dict(zip(PersonalFact.model_fields, row, strict=True))) if row else None

    @contextmanager
    def refuses(self, kind: type[Refusal], **facts: Any) -> Iterator[None]:
        """With exactly this refusal, these facts among its own, and nothing recorded."""
        before = self.history()
        with pytest.raises(Refusal) as refusal:
            yield
        assert_refused(refusal.value, kind, facts)
        assert self.history() == before, "refused, but told"

    @contextmanager
    def declines(self, kind: type[Refusal], **facts: Any) -> Iterator[list[Refusal]]:
        """With exactly this refusal, which is the answer, and nothing recorded but what became of the payment."""
        before = len(self.history())
        answer: list[Refusal] = []
        with pytest.raises(Refusal) as refusal:
            yield answer
        answer.append(refusal.value)
        assert_refused(refusal.value, kind, facts)
        told = [event.topic for event in self.history()[before:]]
        assert told
        assert all(topic.startswith((f"{Payment.TOPIC}.", f"{Invoice.TOPIC}.Collection")) for topic in told), told


def assert_refused(refusal: Refusal, kind: type[Refusal], facts: Mapping[str, Any]) -> None:
    assert type(refusal) is kind, f"refused otherwise: {refusal!r}"
    assert facts == {name: refusal.facts.get(name) for name in facts}


def a_product(**facts: Any) -> ProductFacts:
    """Power BI Pro under a code of its own."""
    code = f"{POWER_BI_PRO_PRODUCT.product_id}-{uuid4()}"
    return POWER_BI_PRO_PRODUCT.model_copy(update={"product_id": code, **facts})


def an_offer(product: ProductFacts, unit_price_minor: int = PRICES[MONTHLY], **terms: Any) -> OfferRow:
    """By the month, at 14.00 USD."""
    terms_of = MONTHLY.model_copy(update={"product_id": product.product_id, **terms})
    return OfferRow(terms=terms_of, unit_price_minor=unit_price_minor)


def generated(number: int, kind: Kind = "member") -> MemberRow:
    user_name = f"generated.{number:04}@contoso.example"
    return MemberRow(user_name=user_name, kind=kind, display_name=f"Generated Member {number:04}")
