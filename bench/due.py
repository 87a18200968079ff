"""Histories in which subscriptions fall due: each has a purchaser, a card, a profile, a pool and a paid invoice."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from uuid import UUID, uuid4, uuid5

from bench.history import PRODUCT, Tell
from bench.workload import BENCH, TERMS
from domain.billing_profile import BillingProfile, BillTo
from domain.calendar import add_months, cycle
from domain.invoice import Invoice
from domain.invoice_line import line_of
from domain.kernel import Aggregate
from domain.license_pool import LicensePool
from domain.member import Member
from domain.offer import PriceFacts
from domain.organization import CATALOG, Organization, OrganizationFacts, organization_id_of
from domain.payment_method import CardFacts, Expiry, PaymentMethod
from domain.subscription import Subscription
from domain.tax import TaxRate
from services.command import Actor, Command
from services.import_catalog import ImportCatalog, OfferRow, import_catalog
from services.ledger import Ledger, offer_id_of
from services.ports_reads import DueProfile

BOUGHT_AT = datetime(2026, 1, 31, 9, 30, tzinfo=UTC)
NO_TAX = TaxRate(country="US", name="", rate_ppm=0)
LICENSES = 10
OPERATOR = Actor(id=uuid5(BENCH, "operator"), role="operator")
TOLD_AT_ONCE = 900


class WriteHistory(Command):
    """Why these histories are there."""

    part: int


def renewal_moment(month: int) -> datetime:
    """The morning of the first renewal of all subscriptions, of the second, and so on."""
    day = add_months(date(2026, 1, 31), month)
    return datetime(day.year, day.month, day.day, 9, tzinfo=UTC)


def id_of(organization_id: UUID, what: str, number: int) -> UUID:
    return uuid5(organization_id, f"{what}:{number}")


def handles(organizations: int) -> list[str]:
    return [f"bench-{number}" for number in range(organizations)]


def due_of(organization_id: UUID, purchases: int) -> list[DueProfile]:
    """The profiles of an organization, as the read tables would name them."""
    numbers = range(1, purchases + 1)
    return [DueProfile(organization_id, id_of(organization_id, "billing_profile", number)) for number in numbers]


def write_catalog(ledger: Ledger, at: datetime = BOUGHT_AT) -> PriceFacts:
    """The one offer that everybody has bought."""
    import_catalog(
        ledger,
        ImportCatalog(
            organization_id=CATALOG,
            command_id=uuid4(),
            actor=OPERATOR,
            products=(PRODUCT,),
            offers=(OfferRow(terms=TERMS, unit_price_minor=1400),),
        ),
    )
    return ledger.prices.price_for(offer_id_of(TERMS), at.date())


def write_due(ledger: Ledger, *, organizations: int, purchases: int, token: str, tell: Tell) -> None:
    """Organizations with so many purchases each, all charged to one card of the sandbox."""
    price = write_catalog(ledger)
    for done, handle in enumerate(handles(organizations), start=1):
        for part, told in enumerate(parts_of(handle, purchases, price, token)):
            because = WriteHistory(
                organization_id=organization_id_of(handle), command_id=uuid4(), actor=OPERATOR, part=part
            )
            ledger.save(*told, because=because, at=BOUGHT_AT)
        tell(done / organizations)


def parts_of(handle: str, purchases: int, price: PriceFacts, token: str) -> Iterator[list[Aggregate]]:
    """An organization and its purchases, in parts that a save takes."""
    facts = OrganizationFacts(handle=handle, country="US", currency="USD", currency_exponent=2)
    admin_id = id_of(organization_id_of(handle), "member", 0)
    organization = Organization.create(facts, first_admin_id=admin_id)
    told: list[Aggregate] = [organization, Member.add(id=admin_id, kind="member", details={})]
    for number in range(1, purchases + 1):
        told += purchase_of(organization, number, price, token)
        if len(told) >= TOLD_AT_ONCE:
            yield told
            told = []
    if told:
        yield told


def purchase_of(organization: Organization, number: int, price: PriceFacts, token: str) -> list[Aggregate]:
    """A purchase of a member of their own, paid."""
    member = Member.add(id=id_of(organization.id, "member", number), kind="member", details={})
    return [member, *purchase_by(member, organization, number, price, token=token, at=BOUGHT_AT)]


def purchase_by(
    member: Member, organization: Organization, number: int, price: PriceFacts, *, token: str, at: datetime
) -> list[Aggregate]:
    """A purchase with a card, a profile and an invoice of its own, paid."""
    method = PaymentMethod.add(
        id=id_of(organization.id, "payment_method", number),
        owner_id=member.id,
        organization=organization,
        card=CardFacts(
            provider="sandbox",
            token=token,
            brand="visa",
            last4="4242",
            expiry=Expiry(month=12, year=2099),
            country="US",
        ),
        holder=None,
        address=None,
    )
    profile = BillingProfile.open(
        id=id_of(organization.id, "billing_profile", number),
        owner_id=member.id,
        currency=TERMS.currency,
        currency_exponent=TERMS.currency_exponent,
        payment_method_id=method.id,
        bill_to=BillTo(country="US"),
    )
    method.attach(profile.id)
    invoice_id = id_of(organization.id, "invoice", number)
    subscription = Subscription.purchase(
        id=id_of(organization.id, "subscription", number),
        pool_id=id_of(organization.id, "pool", number),
        organization=organization,
        purchaser=member,
        product=PRODUCT,
        price=price,
        licenses=LICENSES,
        channel="self_service",
        billing_profile_id=profile.id,
        invoice_id=invoice_id,
        at=at,
    )
    profile.put_on(subscription.id)
    first = cycle(subscription.anchor, price.plan, 0)
    pool = LicensePool.open(
        id=subscription.pool_id,
        subscription_id=subscription.id,
        total=LICENSES,
        price=price,
        invoice_id=invoice_id,
        cycle=first,
        at=at,
    )
    line = line_of(
        price,
        number=1,
        kind="purchase",
        subscription_id=subscription.id,
        product_name=PRODUCT.name,
        batch=pool.last_batch,
        cycle=first,
        since=first.start,
        quantity=LICENSES,
    )
    invoice = Invoice.issue(
        id=invoice_id,
        lines=[line],
        tax_rate=NO_TAX,
        billing_profile_id=profile.id,
        number=profile.number_invoice(invoice_id, settled=()),
        reason="purchase",
        issued_on=first.start,
        due_on=first.start,
        bill_to=profile.bill_to,
        po_number=None,
        currency=TERMS.currency,
        currency_exponent=TERMS.currency_exponent,
    )
    payment_id = id_of(organization.id, "payment", number)
    invoice.start_collection(payment_id, invoice.total_minor)
    invoice.receive(payment_id, invoice.total_minor)
    return [method, profile, subscription, pool, invoice]
