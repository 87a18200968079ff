"""Queries of purchases and of who holds their licenses."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from psycopg.rows import dict_row
from psycopg.sql import SQL, Composable, Composed, Identifier

from adapters.postgres.read_tables import comma
from adapters.postgres.reads import Connection, ReadModels, Tables
from projections.assignments import ASSIGNMENTS, CLOSED_POOLS, PAST_ASSIGNMENTS, Assignments
from projections.purchases import PURCHASES, REMOVED_MEMBERS, Purchases
from services.ports_reads import (
    PAGE,
    AssignmentRow,
    ProductLicenses,
    PurchaseCursor,
    PurchaseFilter,
    PurchasePage,
    PurchaseRow,
)

OWNERLESS = SQL(
    "(p.state IN ('active', 'in_grace', 'expired') AND EXISTS (SELECT FROM {removed} AS r"
    " WHERE r.organization_id = p.organization_id AND r.member_id = p.purchaser_id))"
)
COLUMNS = comma(name for name in PurchaseRow.model_fields if name != "ownerless")
ONE = SQL(
    "SELECT {columns}, {ownerless} AS ownerless FROM {purchases} AS p"
    " WHERE organization_id = %s AND subscription_id = %s"
)
LIST = SQL(
    "SELECT {columns}, {ownerless} AS ownerless FROM {purchases} AS p WHERE {conditions}"
    " ORDER BY organization_id, purchased_at, subscription_id LIMIT %s"
)
BY_PRODUCT = SQL(
    "SELECT product_id, max(product_name) AS product_name, count(*) AS subscriptions,"
    " sum(licenses_total)::bigint AS licenses_total, sum(licenses_assigned)::bigint AS licenses_assigned"
    " FROM {purchases} AS p WHERE {conditions} GROUP BY product_id ORDER BY 2, 1"
)
ASSIGNED = SQL(
    "SELECT a.member_id, a.assigned_seq, a.assigned_at FROM {assignments} AS a"
    " WHERE a.organization_id = %s AND a.subscription_id = %s AND a.assigned_seq > %s AND NOT EXISTS ("
    "  SELECT FROM {closed} AS c WHERE c.organization_id = a.organization_id AND c.pool_id = a.pool_id)"
    " ORDER BY a.assigned_seq LIMIT %s"
)
ASSIGNED_WITHIN = SQL(
    "SELECT a.member_id, a.assigned_seq, a.assigned_at, c.closed_at AS unassigned_at, c.end_reason"
    " FROM {assignments} AS a LEFT JOIN {closed} AS c USING (organization_id, pool_id)"
    " WHERE organization_id = %(organization)s AND a.subscription_id = %(subscription)s AND a.assigned_seq > %(after)s"
    " AND a.assigned_at < %(until)s AND (c.closed_at IS NULL OR c.closed_at > %(since)s)"
    " UNION ALL SELECT p.member_id, p.assigned_seq, p.assigned_at, p.unassigned_at, p.end_reason FROM {past} AS p"
    " WHERE p.organization_id = %(organization)s AND p.subscription_id = %(subscription)s"
    " AND p.assigned_seq > %(after)s AND p.assigned_at < %(until)s AND p.unassigned_at > %(since)s"
    " ORDER BY assigned_seq LIMIT %(limit)s"
)


class PurchaseReads:
    """Answers `PurchaseViews` from the read tables."""

    def __init__(self, models: ReadModels) -> None:
        self._models = models

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
        size = min(max(limit, 1), PAGE)

        def query(connection: Connection, tables: Tables) -> list[PurchaseRow]:
            shape = shape_of(where, after)
            page = tables.statement(shape, lambda: list_sql(tables, shape))
            values = [organization_id, *values_of(where), *(after or ()), size + 1]
            return [PurchaseRow(**row) for row in rows(connection, page, values)]

        found = self._models.read([Purchases], at_least, query)
        page = found[:size]
        more = len(found) > size
        return PurchasePage(page, PurchaseCursor(page[-1].purchased_at, page[-1].subscription_id) if more else None)

    def one(self, organization_id: UUID, subscription_id: UUID, *, at_least: int = 0) -> PurchaseRow | None:
        """One purchase; None where the organization has no such one."""

        def query(connection: Connection, tables: Tables) -> PurchaseRow | None:
            one = tables.statement("one", lambda: ONE.format(**parts(tables)))
            found = rows(connection, one, [organization_id, subscription_id])
            return PurchaseRow(**found[0]) if found else None

        return self._models.read([Purchases], at_least, query)

    def licenses_by_product(
        self, organization_id: UUID, where: PurchaseFilter, *, at_least: int = 0
    ) -> Sequence[ProductLicenses]:
        """The license sums of each product, by its name."""

        def query(connection: Connection, tables: Tables) -> Sequence[ProductLicenses]:
            conditions = conditions_of(tables, shape_of(where))
            if where.state is None:
                conditions.append(SQL("state NOT IN ('disabled', 'deleted')"))
            sums = BY_PRODUCT.format(purchases=tables[PURCHASES], conditions=SQL(" AND ").join(conditions))
            values = [organization_id, *values_of(where)]
            return [ProductLicenses(**row) for row in rows(connection, sums.as_bytes(), values)]

        return self._models.read([Purchases], at_least, query)

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
        values = [organization_id, subscription_id, after_seq, min(max(limit, 1), PAGE)]

        def query(connection: Connection, tables: Tables) -> Sequence[AssignmentRow]:
            assigned = ASSIGNED.format(assignments=tables[ASSIGNMENTS], closed=tables[CLOSED_POOLS])
            return [AssignmentRow(**row) for row in rows(connection, assigned, values)]

        return self._models.read([Assignments], at_least, query)

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
        since = datetime.combine(day, time(), UTC)
        values = {
            "organization": organization_id,
            "subscription": subscription_id,
            "after": after_seq,
            "since": since,
            "until": since + timedelta(days=1),
            "limit": min(max(limit, 1), PAGE),
        }

        def query(connection: Connection, tables: Tables) -> Sequence[AssignmentRow]:
            within = ASSIGNED_WITHIN.format(
                assignments=tables[ASSIGNMENTS], closed=tables[CLOSED_POOLS], past=tables[PAST_ASSIGNMENTS]
            )
            return [AssignmentRow(**row) for row in rows(connection, within, values)]

        return self._models.read([Assignments], at_least, query)

    def head(self) -> int:
        """The position of history's last event: `at_least` for an answer that knows everything up to now."""
        return self._models.head()


EQUAL = ("channel", "product_id", "purchaser_id", "state")  # filters by one value


class Shape(NamedTuple):
    """A filter without its values: queries of one shape are one statement, which is put together once."""

    equal: tuple[str, ...]
    ends_before: bool
    ownerless: bool | None
    after: bool


def shape_of(where: PurchaseFilter, after: PurchaseCursor | None = None) -> Shape:
    equal = tuple(column for column in EQUAL if getattr(where, column) is not None)
    return Shape(equal, where.ends_before is not None, where.ownerless, after is not None)


def values_of(where: PurchaseFilter) -> list[Any]:
    """In the order of the conditions."""
    found = [getattr(where, column) for column in (*EQUAL, "ends_before")]
    return [value for value in found if value is not None]


def conditions_of(tables: Tables, shape: Shape) -> list[Composable]:
    conditions: list[Composable] = [SQL("organization_id = %s")]
    conditions += [SQL("{} = %s").format(Identifier(column)) for column in shape.equal]
    if shape.ends_before:
        conditions.append(SQL("ends_on < %s"))
    if shape.ownerless is not None:
        ownerless = OWNERLESS.format(removed=tables[REMOVED_MEMBERS])
        conditions.append(ownerless if shape.ownerless else SQL("NOT {}").format(ownerless))
    if shape.after:
        conditions.append(SQL("(purchased_at, subscription_id) > (%s, %s)"))
    return conditions


def list_sql(tables: Tables, shape: Shape) -> Composed:
    return LIST.format(**parts(tables), conditions=SQL(" AND ").join(conditions_of(tables, shape)))


def parts(tables: Tables) -> dict[str, Composable]:
    """What the queries of purchases are made of."""
    ownerless = OWNERLESS.format(removed=tables[REMOVED_MEMBERS])
    return {"columns": COLUMNS, "purchases": tables[PURCHASES], "ownerless": ownerless}


def rows(connection: Connection, query: Composed | bytes, values: Any) -> list[dict[str, Any]]:
    with connection.cursor(row_factory=dict_row, binary=True) as cursor:
        return cursor.execute(query, values).fetchall()
