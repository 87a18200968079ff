"""From events to movements of recurring revenue: what `handle` is given, and what stands in the tables after it."""

from __future__ import annotations

from importlib.resources import files
from typing import Literal, NamedTuple, TypeAlias
from uuid import UUID

from adapters.kafka.public_licenses import LicensesResized
from adapters.kafka.public_purchases import (
    SubscriptionCancelled,
    SubscriptionDisabled,
    SubscriptionExpired,
    SubscriptionPurchased,
    SubscriptionRenewed,
)
from adapters.kafka.public_values import Price
from adapters.kit import Connection, Event
from examples.monthly_recurring_revenue.amounts import recurring_twelfths

CONSUMER = "monthly-recurring-revenue"
KNOWN = (
    "SELECT twelfths, product_id, currency, currency_exponent FROM recurring_revenue.subscriptions"
    " WHERE subscription_id = %s FOR UPDATE"
)
KEPT = (
    "INSERT INTO recurring_revenue.subscriptions VALUES (%s, %s, %s, %s, %s, %s)"
    " ON CONFLICT (subscription_id) DO UPDATE SET twelfths = excluded.twelfths"
)
MOVED = "INSERT INTO recurring_revenue.movements VALUES (%s, %s, %s, %s, %s, %s, %s, %s)"

Kind: TypeAlias = Literal["new", "expansion", "contraction", "churn", "reactivation"]


class Line(NamedTuple):
    """What a subscription comes to in a month, and where it is counted."""

    twelfths: int
    product_id: str
    currency: str
    currency_exponent: int


def install_tables(connection: Connection) -> None:
    """Makes the tables of this service where they are absent."""
    connection.execute(files("examples.monthly_recurring_revenue").joinpath("schema.sql").read_bytes())


def truncate_tables(connection: Connection) -> None:
    """Before a replay."""
    connection.execute("TRUNCATE recurring_revenue.subscriptions, recurring_revenue.movements")


def handle(event: Event, connection: Connection) -> None:
    """Counts an event. What says licenses and price says what holds from now on: nothing is added up twice."""
    match event.data:
        case SubscriptionPurchased(subscription_id=bought, product=product, licenses=licenses, price=price) as told:
            begins: Kind = "reactivation" if told.replaces_id else "new"
            _becomes(event, connection, bought, _line(product.product_id, licenses, price), begins)
        case SubscriptionRenewed(subscription_id=renewed, product_id=product_id, licenses=licenses, price=price):
            _becomes(event, connection, renewed, _line(product_id, licenses, price))
        case LicensesResized(subscription_id=resized, product_id=product_id, total=total, price=price):
            _becomes(event, connection, resized, _line(product_id, total, price))
        case SubscriptionCancelled() | SubscriptionExpired() | SubscriptionDisabled() as ended:
            _becomes(event, connection, ended.subscription_id, None)
        case _:
            pass


def _line(product_id: str, licenses: int, price: Price) -> Line:
    return Line(recurring_twelfths(licenses, price), product_id, price.currency, price.currency_exponent)


def _becomes(
    event: Event, connection: Connection, subscription_id: UUID, line: Line | None, begins: Kind = "new"
) -> None:
    """Keeps what the subscription comes to now, None: nothing, and how that differs from before."""
    row = connection.execute(KNOWN, (subscription_id,)).fetchone()
    before = Line(*row) if row else None
    after = line or (before._replace(twelfths=0) if before else None)
    if after is None or after.twelfths == (before.twelfths if before else 0):
        return
    change = after.twelfths - (before.twelfths if before else 0)
    connection.execute(
        KEPT,
        (
            subscription_id,
            event.organization_id,
            after.product_id,
            after.currency,
            after.currency_exponent,
            after.twelfths,
        ),
    )
    kind = begins if before is None else _kind(before.twelfths, after.twelfths)
    day = event.effective_at.date()  # of the calendar that the house bills by, which is UTC
    where = after.product_id, after.currency, after.currency_exponent
    connection.execute(MOVED, (event.position, subscription_id, *where, day, kind, change))


def _kind(before: int, after: int) -> Kind:
    if after == 0:
        return "churn"
    if before == 0:
        return "reactivation"
    return "expansion" if after > before else "contraction"
