"""Held: who held which license on a day, and who paid for it, from history alone."""

from datetime import date, datetime
from uuid import UUID

from domain.kernel import Value


class Holder(Value):
    """A member who held a license at any time of the day."""

    member_id: UUID
    since: datetime
    until: datetime | None  # none: they hold it still
    end_reason: str | None


class CoveringLine(Value):
    """A line of an invoice that charges for licenses on the day."""

    invoice_id: UUID
    number: str
    line: int
    kind: str
    starts_on: date
    ends_on: date
    licenses: int  # that it charges for on the day: those that were given back are not among them
    unit_price_minor: int  # of one license for a whole cycle
    days: int
    cycle_days: int
    rule: str
    price_per_license_minor: int  # for the days of the line
    price_per_day: str  # the share of one license and one day, exactly, in minor units: 45 5/31


class PaidBy(Value):
    """Money that settled an invoice, less what has gone back of it."""

    what: str  # payment, or credit balance
    payment_id: UUID | None
    payment_method_id: UUID | None
    amount_minor: int
    paid_at: datetime


class CoveringInvoice(Value):
    """An invoice of covering lines: what has become of it by now, not only by the day."""

    invoice_id: UUID
    number: str
    billing_profile_id: UUID
    currency: str
    currency_exponent: int
    total_minor: int
    credited_minor: int
    paid_minor: int
    due_minor: int
    paid_by: tuple[PaidBy, ...]


class HeldOn(Value):
    """A subscription on a day. Two lines may cover it: licenses that were added have one of their own."""

    on: date
    subscription_id: UUID
    pool_id: UUID
    product_id: str
    product_name: str
    purchaser_id: UUID
    billing_profile_id: UUID
    licenses: int  # at the end of the day
    holders: tuple[Holder, ...]  # oldest assignment first
    lines: tuple[CoveringLine, ...]
    invoices: tuple[CoveringInvoice, ...]
