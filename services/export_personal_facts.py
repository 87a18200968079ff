"""Export: everything that is known of a person, for the person; that it was exported stands in history."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from pydantic import Field

from domain.kernel import Value
from domain.license_pool import LicensePool
from domain.member import Kind, Status
from domain.personal import Purpose
from domain.refusals import NotFound
from services.command import Command
from services.fact_origins import origins_of
from services.ledger import Ledger, operation
from services.may import PERMISSIONS, may, standing_of, standing_seen
from services.ports import Holdings, Receipt
from services.ports_privacy import FactRegister
from services.ports_reads import (
    PAGE,
    BillingProfileRow,
    BillingViews,
    InvoiceFilter,
    InvoiceViews,
    PaymentMethodRow,
    PurchaseFilter,
    PurchaseViews,
)


class ExportPersonalFacts(Command):
    member_id: UUID


@dataclass(frozen=True)
class ExportParts:
    """What an export reads beside history."""

    register: FactRegister
    purchases: PurchaseViews
    billing: BillingViews
    invoices: InvoiceViews
    holdings: Holdings


class ExportedFact(Value):
    """A fact with what it takes to check it against history for ever, also after it is erased here."""

    purpose: Purpose
    value: str = Field(repr=False)
    told_at: datetime
    position: int
    aggregate_id: UUID
    fact_id: UUID
    salt: str = Field(repr=False)
    commitment: str


class ExportedEvent(Value):
    event: str
    occurred_at: datetime
    position: int


class ExportedPurchase(Value):
    subscription_id: UUID
    product_id: str
    product_name: str
    purchased_at: datetime
    ends_on: date
    state: str


class ExportedLicense(Value):
    subscription_id: UUID
    product_id: str


class ExportedCard(Value):
    payment_method_id: UUID
    brand: str
    last4: str
    added_at: datetime


class ExportedInvoice(Value):
    invoice_id: UUID
    number: str
    issued_on: date
    billing_profile_id: UUID


class PersonalExport(Value):
    """All that is known of a member, read at `position`."""

    member_id: UUID
    position: int
    kind: Kind
    status: Status
    roles: tuple[str, ...]
    facts: tuple[ExportedFact, ...] = Field(repr=False)
    history: tuple[ExportedEvent, ...]
    purchases: tuple[ExportedPurchase, ...]
    licenses: tuple[ExportedLicense, ...]
    payment_methods: tuple[ExportedCard, ...]
    profile_roles: Mapping[UUID, str]
    invoices: tuple[ExportedInvoice, ...]  # of the member's own profiles


def export_personal_facts(ledger: Ledger, command: ExportPersonalFacts, parts: ExportParts) -> PersonalExport:
    """First it is recorded, then read: for the members themselves, and for who answers their requests."""
    receipt = record_export(ledger, command, parts.register)
    return export_at(ledger, command, parts, receipt.position)


@operation
def record_export(ledger: Ledger, command: ExportPersonalFacts, register: FactRegister) -> Receipt:
    standing = standing_of(ledger, command)
    may(command.actor, "export personal facts")
    refuse_others(command)
    member = ledger.member(command.organization_id, command.member_id)
    facts = [stored.fact for stored in register.of_subject(command.organization_id, member.id)]
    member.export(facts=len(facts), purposes=sorted({fact.purpose for fact in facts}))
    at = ledger.now(standing.organization, member)
    return ledger.save(member, seen=standing.seen, because=command, at=at)


def refuse_others(command: ExportPersonalFacts) -> None:
    """For who may only export themselves nobody else exists."""
    reach = PERMISSIONS["export personal facts"][command.actor.role]
    if reach == "own" and command.actor.id != command.member_id:
        raise NotFound(what="member", key=command.member_id)


def export_at(ledger: Ledger, command: ExportPersonalFacts, parts: ExportParts, position: int) -> PersonalExport:
    """What is known by now; nothing of it is older than the position."""
    organization_id, member_id = command.organization_id, command.member_id
    standing = standing_seen(ledger, command)
    member = ledger.member(organization_id, member_id)
    profiles = list(profiles_of(parts.billing, organization_id, member_id, position))
    told = ledger.history.load_events(organization_id, member_id)
    return PersonalExport(
        member_id=member_id,
        position=position,
        kind=member.kind,
        status=member.status,
        roles=tuple(sorted(standing.organization.roles.get(member_id, ()))),
        facts=tuple(facts_of(ledger, parts.register, organization_id, member_id)),
        history=tuple(
            ExportedEvent(
                event=event.topic.removeprefix("seatledger."),
                occurred_at=event.envelope.occurred_at,
                position=event.position,
            )
            for event in told
        ),
        purchases=tuple(purchases_of(parts.purchases, organization_id, member_id, position)),
        licenses=tuple(licenses_of(ledger, parts.holdings, organization_id, member_id, position)),
        payment_methods=tuple(
            ExportedCard(
                payment_method_id=row.payment_method_id, brand=row.brand, last4=row.last4, added_at=row.added_at
            )
            for row in cards_of(parts.billing, organization_id, member_id, position)
        ),
        profile_roles={
            row.billing_profile_id: "owner" if row.owner_id == member_id else row.roles[member_id] for row in profiles
        },
        invoices=tuple(
            invoice
            for row in profiles
            if row.owner_id == member_id
            for invoice in invoices_of(parts.invoices, organization_id, row.billing_profile_id, position)
        ),
    )


def facts_of(ledger: Ledger, register: FactRegister, organization_id: UUID, member_id: UUID) -> Iterator[ExportedFact]:
    stored = register.of_subject(organization_id, member_id)
    origins = origins_of(ledger, organization_id, stored)
    for fact in (one.fact for one in stored):
        if origin := origins.get(fact.fact_id):
            yield ExportedFact(
                purpose=fact.purpose,
                value=fact.value,
                told_at=origin.envelope.occurred_at,
                position=origin.position,
                aggregate_id=origin.originator_id,
                fact_id=fact.fact_id,
                salt=fact.salt,
                commitment=fact.ref.commitment,
            )


def profiles_of(
    views: BillingViews, organization_id: UUID, member_id: UUID, position: int
) -> Iterator[BillingProfileRow]:
    after: UUID | None = None
    while page := views.profiles(organization_id, seen_by=member_id, after=after, at_least=position):
        yield from page
        after = page[-1].billing_profile_id


def cards_of(views: BillingViews, organization_id: UUID, member_id: UUID, position: int) -> Iterator[PaymentMethodRow]:
    after: UUID | None = None
    while page := views.payment_methods(organization_id, member_id, after=after, at_least=position):
        yield from page
        after = page[-1].payment_method_id


def purchases_of(
    views: PurchaseViews, organization_id: UUID, member_id: UUID, position: int
) -> Iterator[ExportedPurchase]:
    where, after = PurchaseFilter(purchaser_id=member_id), None
    while True:
        page = views.list(organization_id, where, after=after, limit=PAGE, at_least=position)
        for row in page.rows:
            yield ExportedPurchase(
                subscription_id=row.subscription_id,
                product_id=row.product_id,
                product_name=row.product_name,
                purchased_at=row.purchased_at,
                ends_on=row.ends_on,
                state=row.state,
            )
        if (after := page.following) is None:
            return


def licenses_of(
    ledger: Ledger, holdings: Holdings, organization_id: UUID, member_id: UUID, position: int
) -> Iterator[ExportedLicense]:
    """Those that the member holds now."""
    for pool_id in holdings.pools_of(organization_id, member_id, at_least=position):
        pool: LicensePool = ledger.license_pool(organization_id, pool_id)
        yield ExportedLicense(
            subscription_id=pool.subscription_id,
            product_id=ledger.subscription(organization_id, pool.subscription_id).product.product_id,
        )


def invoices_of(
    views: InvoiceViews, organization_id: UUID, billing_profile_id: UUID, position: int
) -> Iterator[ExportedInvoice]:
    where, after = InvoiceFilter(billing_profile_id=billing_profile_id), None
    while True:
        page = views.list(organization_id, where, after=after, limit=PAGE, at_least=position)
        for row in page.rows:
            yield ExportedInvoice(
                invoice_id=row.invoice_id,
                number=row.number,
                issued_on=row.issued_on,
                billing_profile_id=billing_profile_id,
            )
        if (after := page.following) is None:
            return
