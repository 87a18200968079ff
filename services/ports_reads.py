"""What can be asked of the read models, as protocols; the adapters answer."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Literal, NamedTuple, Protocol
from uuid import UUID

from domain.billing_profile import ProfileRole
from domain.calendar import BillingPlan, Term
from domain.invoice import CreditReason, InvoiceReason, InvoiceState
from domain.kernel import Value
from domain.subscription import CancelReason, Channel, LifeState

PAGE = 200  # rows of a page at most


class NotYet(Exception):
    """A read model has not come far enough: nothing is wrong with the query, and it may be sent again."""

    def __init__(self, *, read_model: str, waited_s: float, at_least: int, position: int | None) -> None:
        where = "is still being built" if position is None else f"is at position {position}, not yet at {at_least}"
        super().__init__(
            f"the read model {read_model} {where} after {waited_s:.1f} s; ask again in a moment,"
            " and see that `seatledger up` or `seatledger projector` runs"
        )
        self.read_model, self.at_least, self.position = read_model, at_least, position
        self.retry_after_s = 1


class NeverTold(Exception):
    """A query asks for a position that no event has: waiting would only keep others from being answered."""

    def __init__(self) -> None:
        super().__init__("no event has that position yet; send the `position` that an earlier answer told")


class PurchaseRow(Value):
    """A subscription as its purchaser and the organization's admins see it. People are ids: the directory has names."""

    subscription_id: UUID
    pool_id: UUID
    purchaser_id: UUID
    channel: Channel
    product_id: str
    product_name: str
    offer_id: UUID
    state: LifeState
    purchased_at: datetime
    term_start: date
    term_end: date  # the first day after it
    ends_on: date  # the expiry date
    recurring_billing: bool
    cancellation_scheduled: bool
    cancel_reason: CancelReason | None
    scheduled_total: int | None
    term: Term
    plan: BillingPlan
    currency: str
    currency_exponent: int
    unit_price_minor: int
    purchase_price_minor: int
    licenses_total: int
    licenses_assigned: int
    billing_profile_id: UUID | None
    replaces_id: UUID | None  # the subscription that this one reactivated
    replaced_by_id: UUID | None
    charged_until: date | None  # the first day that no charge covers
    ownerless: bool  # its purchaser has left, and holders keep access: an admin can take it over
    last_position: int
    subscription_version: int
    pool_version: int


class PurchaseFilter(Value):
    """Which purchases; what is not set filters nothing."""

    ownerless: bool | None = None
    channel: Channel | None = None
    product_id: str | None = None
    purchaser_id: UUID | None = None
    state: LifeState | None = None
    ends_before: date | None = None  # the expiry date is before this day


class PurchaseCursor(NamedTuple):
    """The place in a list of purchases after which the next page starts."""

    purchased_at: datetime
    subscription_id: UUID


class PurchasePage(NamedTuple):
    """Purchases, oldest first, and where the next page starts; None: there is no more."""

    rows: list[PurchaseRow]
    following: PurchaseCursor | None


class ProductLicenses(Value):
    """The licenses of one product, summed over subscriptions that are not disabled or deleted."""

    product_id: str
    product_name: str
    subscriptions: int
    licenses_total: int
    licenses_assigned: int


class AssignmentRow(Value):
    """A license that a member holds or held. `assigned_seq` orders assignments, oldest first."""

    member_id: UUID
    assigned_seq: int
    assigned_at: datetime
    unassigned_at: datetime | None = None
    end_reason: str | None = None


class DueItem(NamedTuple):
    """Something that falls due. Whether it is to be done is decided from history, not from this."""

    due_on: date
    organization_id: UUID
    kind: Literal["subscription", "invoice", "payment", "refund", "dispute", "release_licenses"]
    subject_id: UUID  # for release_licenses a member


class PurchaseViews(Protocol):
    """The purchases of an organization. Every query reads at position `at_least` or later, or raises NotYet."""

    def list(
        self,
        organization_id: UUID,
        where: PurchaseFilter,
        *,
        after: PurchaseCursor | None = None,
        limit: int = PAGE,
        at_least: int = 0,
    ) -> PurchasePage:
        """A page of purchases, oldest first; at most 200."""

    def one(self, organization_id: UUID, subscription_id: UUID, *, at_least: int = 0) -> PurchaseRow | None:
        """One purchase; None where the organization has no such one."""

    def licenses_by_product(
        self, organization_id: UUID, where: PurchaseFilter, *, at_least: int = 0
    ) -> Sequence[ProductLicenses]:
        """The license sums of each product, by its name."""

    def assigned(
        self,
        organization_id: UUID,
        subscription_id: UUID,
        *,
        after_seq: int = 0,
        limit: int = PAGE,
        at_least: int = 0,
    ) -> Sequence[AssignmentRow]:
        """Who holds a license of the subscription, oldest assignment first."""

    def assigned_on(
        self,
        organization_id: UUID,
        subscription_id: UUID,
        day: date,
        *,
        after_seq: int = 0,
        limit: int = PAGE,
        at_least: int = 0,
    ) -> Sequence[AssignmentRow]:
        """Who held a license of the subscription at any time of a UTC day."""

    def head(self) -> int:
        """The position of history's last event: `at_least` for an answer that knows everything up to now."""


class DueWork(Protocol):
    """What falls due, for the workers that see to it."""

    def due(
        self, until: date, *, after: DueItem | None = None, limit: int = PAGE, at_least: int = 0
    ) -> Sequence[DueItem]:
        """What is due on or before a day, earliest first."""


class DueProfile(NamedTuple):
    """A billing profile on which something may be due, with the payments that wait for an end."""

    organization_id: UUID
    billing_profile_id: UUID
    payment_ids: tuple[UUID, ...] = ()


class DueProfiles(Protocol):
    """The billing profiles that a run has to look at. It may name too many; it never leaves one out."""

    def due_profiles(
        self, until: date, *, organization_id: UUID | None = None, at_least: int = 0
    ) -> Iterator[DueProfile]:
        """All profiles with something due on or before a day, one organization after the other, page by page."""


class InvoiceRow(Value):
    """An invoice as it stands. total = credited + paid + due."""

    invoice_id: UUID
    billing_profile_id: UUID
    number: str
    reason: InvoiceReason
    state: InvoiceState
    issued_on: date
    due_on: date
    currency: str
    currency_exponent: int
    net_minor: int
    tax_minor: int
    total_minor: int
    credited_minor: int
    paid_minor: int
    due_minor: int
    po_number: str | None
    last_position: int


class CreditNoteRow(Value):
    """A credit note; its amounts are positive, and reduce the invoice."""

    credit_note_id: UUID
    invoice_id: UUID
    billing_profile_id: UUID
    number: str
    reason: CreditReason
    issued_on: date
    net_minor: int
    tax_minor: int
    total_minor: int


class InvoiceFilter(Value):
    """Which invoices; what is not set filters nothing."""

    billing_profile_id: UUID | None = None
    seen_by: UUID | None = None  # on profiles on which this member has a role
    state: InvoiceState | None = None
    since: date | None = None  # invoice dates from this day
    until: date | None = None  # to this day, both included


class InvoiceCursor(NamedTuple):
    """The place in a list of invoices after which the next page starts."""

    issued_on: date
    number: str


class InvoicePage(NamedTuple):
    """Invoices, newest first, and where the next page starts; None: there is no more."""

    rows: list[InvoiceRow]
    following: InvoiceCursor | None


class InvoiceViews(Protocol):
    """The invoices of an organization. Every query reads at position `at_least` or later, or raises NotYet."""

    def list(
        self,
        organization_id: UUID,
        where: InvoiceFilter,
        *,
        after: InvoiceCursor | None = None,
        limit: int = PAGE,
        at_least: int = 0,
    ) -> InvoicePage:
        """A page of invoices, newest first; at most 200."""

    def one(self, organization_id: UUID, invoice_id: UUID, *, at_least: int = 0) -> InvoiceRow | None:
        """One invoice; None where the organization has no such one."""

    def by_number(self, organization_id: UUID, number: str, *, at_least: int = 0) -> InvoiceRow | None:
        """The invoice with a number, or the one that the credit note with this number amends."""

    def credit_notes(self, organization_id: UUID, invoice_id: UUID, *, at_least: int = 0) -> Sequence[CreditNoteRow]:
        """The credit notes that amend an invoice, oldest first."""


class BillingProfileRow(Value):
    """A billing profile, with who has a role on it beside its owner."""

    billing_profile_id: UUID
    owner_id: UUID
    prefix: str  # of its documents' numbers
    currency: str
    currency_exponent: int
    payment_method_id: UUID
    country: str  # of the bill-to
    po_number: str | None
    balance_minor: int  # what the house owes: used by its next invoice
    subscriptions: int
    invoices: int
    credit_notes: int
    roles: dict[UUID, ProfileRole]
    opened_at: datetime
    last_position: int


class PaymentMethodRow(Value):
    """A stored card: what may be known of it."""

    payment_method_id: UUID
    owner_id: UUID
    provider: str
    brand: str
    last4: str
    expiry_month: int
    expiry_year: int
    country: str  # of the issuer
    state: Literal["stored", "removed"]
    charged_by: int  # billing profiles
    added_at: datetime
    last_position: int
    version: int


class BillingViews(Protocol):
    """Billing profiles and payment methods. Every query reads at position `at_least` or later, or raises NotYet."""

    def profiles(
        self,
        organization_id: UUID,
        *,
        seen_by: UUID | None = None,
        after: UUID | None = None,
        limit: int = PAGE,
        at_least: int = 0,
    ) -> Sequence[BillingProfileRow]:
        """Profiles by id; with `seen_by` those on which this member has a role. At most 200, after a profile's id."""

    def profile(
        self, organization_id: UUID, billing_profile_id: UUID, *, at_least: int = 0
    ) -> BillingProfileRow | None:
        """One profile; None where the organization has no such one."""

    def payment_methods(
        self,
        organization_id: UUID,
        owner_id: UUID,
        *,
        after: UUID | None = None,
        limit: int = PAGE,
        at_least: int = 0,
    ) -> Sequence[PaymentMethodRow]:
        """A member's stored cards by id, without the removed ones. At most 200, after a method's id."""
