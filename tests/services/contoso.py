"""Contoso, ready to act: its people, their roles, what they bought, and the commands they give."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any, TypeVar, cast
from uuid import UUID, uuid4

import pytest

from adapters.directory.microsoft_365 import CONTOSO, read_members
from adapters.postgres.recorder import LedgerRecorder
from domain.envelope import RecordedEvent, Role
from domain.license_pool import LicensePool
from domain.member import Kind
from domain.offer import OfferTerms
from domain.organization import CATALOG, OrganizationFacts, organization_id_of
from domain.personal import PersonalFact
from domain.product import ProductFacts
from domain.refusals import Refusal
from domain.subscription import Subscription
from services.assign_licenses import AssignLicenses, assign_licenses
from services.buy_subscription import BuySubscription, buy_subscription
from services.cancel_subscription import CancelSubscription, cancel_subscription
from services.command import Actor, Command
from services.create_organization import CreateOrganization, create_organization
from services.deactivate_member import DeactivateMember, deactivate_member
from services.grant_role import GrantRole, grant_role
from services.import_catalog import ImportCatalog, OfferRow, import_catalog
from services.import_members import ImportMembers, MemberRow, import_members
from services.ledger import Ledger, offer_id_of
from services.ports import Directory, Holdings, Receipt
from services.reactivate_member import ReactivateMember, reactivate_member
from services.release_licenses import ReleaseLicenses, release_licenses
from services.remove_member import RemoveMember, remove_member
from services.resize_licenses import ResizeLicenses, resize_licenses
from services.revoke_role import RevokeRole, revoke_role
from services.schedule_licenses import ScheduleLicenses, schedule_licenses
from services.schedule_price import SchedulePrice, schedule_price
from services.set_recurring_billing import SetRecurringBilling, set_recurring_billing
from services.set_self_service_policy import SetSelfServicePolicy, set_self_service_policy
from services.unassign_licenses import UnassignLicenses, unassign_licenses
from services.withdraw_cancellation import WithdrawCancellation, withdraw_cancellation
from services.withdraw_offer import WithdrawOffer, withdraw_offer
from tests.examples import POWER_BI_PRO_PRODUCT, POWER_BI_PRO_TERMS, an_id

C = TypeVar("C", bound=Command)

OPERATOR = Actor(id=an_id(91), role="operator")
SERVICE = Actor(id=an_id(92), role="service")
THE_FIVE = read_members(CONTOSO)
CHRIS_ROW, *THE_OTHER_FOUR = THE_FIVE

MONTHLY = POWER_BI_PRO_TERMS
FOR_A_YEAR = MONTHLY.model_copy(update={"term": "P1Y"})  # billed monthly
PAID_YEARLY = MONTHLY.model_copy(update={"term": "P1Y", "plan": "annual"})
PRICES: dict[OfferTerms, int] = {MONTHLY: 1_400, FOR_A_YEAR: 1_400, PAID_YEARLY: 16_800}  # minor units of USD

OPERATIONS: dict[type[Command], Callable[[Ledger, Any], Receipt]] = {
    AssignLicenses: assign_licenses,
    BuySubscription: buy_subscription,
    CancelSubscription: cancel_subscription,
    CreateOrganization: create_organization,
    DeactivateMember: deactivate_member,
    GrantRole: grant_role,
    ImportCatalog: import_catalog,
    ReactivateMember: reactivate_member,
    ResizeLicenses: resize_licenses,
    RevokeRole: revoke_role,
    ScheduleLicenses: schedule_licenses,
    SchedulePrice: schedule_price,
    SetRecurringBilling: set_recurring_billing,
    SetSelfServicePolicy: set_self_service_policy,
    UnassignLicenses: unassign_licenses,
    WithdrawCancellation: withdraw_cancellation,
    WithdrawOffer: withdraw_offer,
}


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


class Crash(BaseException):
    """The process ends here."""


class EndOfProcess:
    """Holdings that nobody lives to read."""

    def __init__(self, crash: type[BaseException]) -> None:
        self.crash = crash

    def pools_of(self, *_: object, **__: object) -> Sequence[UUID]:
        raise self.crash


@dataclass
class Contoso:
    """An organization of its own for each test. Chris is its admin; Melissa buys; the others are members."""

    ledger: Ledger
    clock: Clock
    directory: Directory
    organization_id: UUID
    holdings: Holdings
    handle: str
    chris: UUID = field(init=False)
    ben: UUID = field(init=False)
    david: UUID = field(init=False)
    cynthia: UUID = field(init=False)
    melissa: UUID = field(init=False)

    @classmethod
    def founded(cls, ledger: Ledger, directory: Directory, clock: Clock) -> "Contoso":
        handle = f"contoso-{uuid4().hex}"
        contoso = cls(ledger, clock, directory, organization_id_of(handle), HoldingsOfHistory(ledger), handle)
        founding = contoso.command(
            CreateOrganization,
            OPERATOR,
            facts=OrganizationFacts(handle=handle, country="US", currency="USD", currency_exponent=2),
            first_admin=CHRIS_ROW,
        )
        contoso.run(founding)
        contoso.chris = founding.first_admin_id
        contoso.ben, contoso.david, contoso.cynthia, contoso.melissa = contoso.imports(*THE_OTHER_FOUR)
        return contoso

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
        match command:
            case ImportMembers():
                return import_members(self.ledger, command, self.directory)
            case RemoveMember():
                return remove_member(self.ledger, command, self.holdings)
            case ReleaseLicenses():
                return release_licenses(self.ledger, command, self.holdings)
            case _:
                return OPERATIONS[type(command)](self.ledger, command)

    def running(self, kind: type[Command], by: Actor, /, **content: Any) -> Callable[[], Receipt]:
        """The same, later: a colleague's act that a test fits in somewhere."""
        return partial(self.run, self.command(kind, by, **content))

    def buys(self, licenses: int = 3, terms: OfferTerms = MONTHLY) -> UUID:
        """A subscription to Power BI Pro that Melissa buys by self-service, by id."""
        buying = self.command(BuySubscription, self.buyer, offer_id=offer_id_of(terms), licenses=licenses)
        self.run(buying)
        return buying.subscription_id

    def buys_centrally(self, purchaser: UUID, licenses: int = 3) -> UUID:
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

    def holders(self, subscription_id: UUID) -> list[UUID]:
        return list(self.pool(subscription_id).holders)

    def history(self) -> list[RecordedEvent]:
        return self.ledger.history.told(self.organization_id, after=0, until=2**60)

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
