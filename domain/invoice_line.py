"""Lines: what an invoice charges for licenses of a subscription, and what is given back of it (F2, F3)."""

from datetime import date
from typing import Literal
from uuid import UUID

from pydantic import Field

from domain.calendar import Period
from domain.kernel import Value
from domain.offer import PriceFacts
from domain.proration import RULES

LineKind = Literal["purchase", "increase", "renewal", "cycle"]


class InvoiceLine(Value):
    """A charge for licenses of one subscription, from its service period's start to the end of the cycle."""

    number: int = Field(ge=1)
    kind: LineKind
    subscription_id: UUID
    product_id: str
    product_name: str
    batch: int  # of the pool: what it was charged for; a cycle is charged for all
    period: Period  # the days that are charged
    cycle_days: int = Field(ge=1)
    quantity: int = Field(ge=1)
    unit_price_minor: int
    price_version: int
    offer_id: UUID
    rule: str
    amount_minor: int

    @property
    def days(self) -> int:
        return self.period.days

    def amount(self, quantity: int, days: int) -> int:
        """A(q, r) under the line's own rule, in minor units."""
        return RULES[self.rule].amount(
            unit_price_minor=self.unit_price_minor, quantity=quantity, days=days, cycle_days=self.cycle_days
        )


class CreditLine(Value):
    """Licenses taken back from a line: A(before, days) less A(quantity, days), never more than is left of the line."""

    line: int
    quantity_before: int
    quantity: int  # that stay
    days: int
    amount_minor: int


class Removal(Value):
    """Licenses to be taken back from a line, with the days that are credited for them."""

    line: int
    licenses: int = Field(ge=1)
    days: int = Field(ge=0)


class LineStanding(Value):
    """What is left of a line."""

    quantity: int
    days: int  # that the last credit by the day counted; they never rise
    credited_minor: int


def line_of(
    price: PriceFacts,
    *,
    number: int,
    kind: LineKind,
    subscription_id: UUID,
    product_name: str,
    batch: int,
    cycle: Period,
    since: date,
    quantity: int,
) -> InvoiceLine:
    """The charge for licenses from a day to the end of their cycle: a whole cycle costs p·q (F2)."""
    period = Period(start=max(since, cycle.start), end=cycle.end)
    amount = RULES[price.rule].amount(
        unit_price_minor=price.unit_price_minor, quantity=quantity, days=period.days, cycle_days=cycle.days
    )
    return InvoiceLine(
        number=number,
        kind=kind,
        subscription_id=subscription_id,
        product_id=price.product_id,
        product_name=product_name,
        batch=batch,
        period=period,
        cycle_days=cycle.days,
        quantity=quantity,
        unit_price_minor=price.unit_price_minor,
        price_version=price.price_version,
        offer_id=price.offer_id,
        rule=price.rule,
        amount_minor=amount,
    )
