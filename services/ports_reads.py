"""What can be asked of the read models, as protocols; the adapters answer."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Literal, NamedTuple, Protocol
from uuid import UUID

from domain.calendar import BillingPlan, Term
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
    last_position: int


class PurchaseFilter(Value):
    """Which purchases; what is not set filters nothing."""

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
    kind: Literal["term_end", "scheduled_change", "release_licenses"]
    subject_id: UUID  # a subscription, or for release_licenses a member


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
    """A billing profile on which something is due, with the payments that wait for an end."""

    organization_id: UUID
    billing_profile_id: UUID
    payment_ids: tuple[UUID, ...] = ()
