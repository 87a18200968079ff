"""The books of a billing profile: everything that is billed on it, as loaded, and as decisions leave it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from domain.billing_profile import BillingProfile
from domain.invoice import Invoice
from domain.kernel import Aggregate
from domain.license_pool import LicensePool
from domain.member import Member
from domain.organization import Organization
from domain.payment import Payment
from domain.payment_method import PaymentMethod
from domain.refusals import NotFound
from domain.subscription import Subscription
from services.ledger import Ledger


@dataclass
class Books:
    """A profile with its subscriptions, pools, open documents and card; the rest is loaded when it is asked for.

    Everything in it may be decided on: what tells something is saved, what was only looked at is seen.
    """

    ledger: Ledger
    organization: Organization
    profile: BillingProfile
    subscriptions: dict[UUID, Subscription] = field(default_factory=dict)
    pools: dict[UUID, LicensePool] = field(default_factory=dict)  # by subscription
    members: dict[UUID, Member] = field(default_factory=dict)
    methods: dict[UUID, PaymentMethod] = field(default_factory=dict)
    invoices: dict[UUID, Invoice] = field(default_factory=dict)
    payments: dict[UUID, Payment] = field(default_factory=dict)
    profiles: dict[UUID, BillingProfile] = field(default_factory=dict)  # others, on which something was billed before
    fresh: set[UUID] = field(default_factory=set)  # payments and refunds that were never sent: requested just now

    @property
    def organization_id(self) -> UUID:
        return self.organization.id

    def subscription(self, subscription_id: UUID) -> Subscription:
        if subscription_id not in self.subscriptions:
            raise NotFound(what="subscription", key=subscription_id)
        return self.subscriptions[subscription_id]

    def invoice(self, invoice_id: UUID) -> Invoice:
        if invoice_id not in self.invoices:
            self.invoices[invoice_id] = self.ledger.invoice(self.organization_id, invoice_id)
        return self.invoices[invoice_id]

    def profile_of(self, invoice: Invoice) -> BillingProfile:
        """The profile that an invoice belongs to: another one than this where a subscription was taken over since."""
        profile_id = invoice.billing_profile_id
        if profile_id == self.profile.id:
            return self.profile
        if profile_id not in self.profiles:
            self.profiles[profile_id] = self.ledger.billing_profile(self.organization_id, profile_id)
        return self.profiles[profile_id]

    def payment(self, payment_id: UUID) -> Payment:
        if payment_id not in self.payments:
            self.payments[payment_id] = self.ledger.payment(self.organization_id, payment_id)
        return self.payments[payment_id]

    def method(self, payment_method_id: UUID) -> PaymentMethod:
        if payment_method_id not in self.methods:
            self.methods[payment_method_id] = self.ledger.payment_method(self.organization_id, payment_method_id)
        return self.methods[payment_method_id]

    @property
    def open_invoices(self) -> list[Invoice]:
        """The invoices that want something, oldest first."""
        return [self.invoice(invoice_id) for invoice_id in self.profile.open_invoices]

    def owners_of(self, invoice: Invoice) -> list[Subscription]:
        """The subscriptions that an invoice charges, as far as they are on this profile still."""
        ids = dict.fromkeys(line.subscription_id for line in invoice.lines)
        return [self.subscriptions[one] for one in ids if one in self.subscriptions]

    def waiting_payments(self, named: Mapping[UUID, Sequence[UUID]] | None) -> set[UUID]:
        """The payments that are under way for open invoices, and those that are named for this profile."""
        collecting = {invoice.collected_by for invoice in self.invoices.values() if invoice.collected_by}
        return collecting | set((named or {}).get(self.profile.id, ()))

    def take_in(self, found: Mapping[UUID, Aggregate], ids: Iterable[UUID]) -> None:
        """Keeps what was loaded for these ids, each in its place."""
        for one in ids:
            match found.get(one):
                case Subscription() as subscription:
                    self.subscriptions[one] = subscription
                case LicensePool() as pool:
                    self.pools[pool.subscription_id] = pool
                case Member() as member:
                    self.members[one] = member
                case PaymentMethod() as method:
                    self.methods[one] = method
                case Invoice() as invoice:
                    self.invoices[one] = invoice
                case Payment() as payment:
                    self.payments[one] = payment
                case _:  # nothing by this id
                    pass

    def all(self) -> Iterator[Aggregate]:
        """Everything that was loaded, the organization first."""
        yield self.organization
        yield self.profile
        yield from self.profiles.values()
        for of_kind in (self.subscriptions, self.pools, self.members, self.methods, self.invoices, self.payments):
            yield from of_kind.values()

    def told(self) -> list[Aggregate]:
        """What has something to tell."""
        return [aggregate for aggregate in self.all() if aggregate.pending_events]


def open_books(
    ledger: Ledger,
    organization: Organization,
    billing_profile_id: UUID,
    *,
    known: Mapping[UUID, Aggregate] | None = None,
) -> Books:
    """The books of one profile; refuses where there is no such profile. What is `known` was loaded just now."""
    books = open_all_books(ledger, organization, [billing_profile_id], known=known)
    if not books:
        raise NotFound(what="billing profile", key=billing_profile_id)
    return books[0]


def open_all_books(
    ledger: Ledger,
    organization: Organization,
    billing_profile_ids: Sequence[UUID],
    payment_ids: Mapping[UUID, Sequence[UUID]] | None = None,
    *,
    known: Mapping[UUID, Aggregate] | None = None,
) -> list[Books]:
    """The books of several profiles of an organization in three round trips at most, with these payments of each."""
    found: dict[UUID, Aggregate] = dict(known or {})

    def load(asked: Mapping[UUID, type[Aggregate]]) -> None:
        if missing := {one: kind for one, kind in asked.items() if one not in found}:
            found.update(ledger.find_all(organization.id, missing))

    load(dict.fromkeys(billing_profile_ids, BillingProfile))
    profiles = [found[one] for one in billing_profile_ids if one in found]
    all_books = [Books(ledger, organization, one) for one in profiles if isinstance(one, BillingProfile)]

    asked: dict[UUID, type[Aggregate]] = {}
    for books in all_books:
        asked |= dict.fromkeys(books.profile.subscriptions, Subscription)
        asked |= dict.fromkeys(books.profile.open_invoices, Invoice)
        asked[books.profile.payment_method_id] = PaymentMethod
    load(asked)
    asked = {}
    for books in all_books:
        books.take_in(found, [*books.profile.subscriptions, *books.profile.open_invoices])
        books.take_in(found, [books.profile.payment_method_id])
        for subscription in books.subscriptions.values():
            asked |= {subscription.pool_id: LicensePool, subscription.purchaser_id: Member}
        asked |= dict.fromkeys(books.waiting_payments(payment_ids), Payment)
    load(asked)
    for books in all_books:
        for subscription in books.subscriptions.values():
            books.take_in(found, [subscription.pool_id, subscription.purchaser_id])
        books.take_in(found, books.waiting_payments(payment_ids))
    return all_books
