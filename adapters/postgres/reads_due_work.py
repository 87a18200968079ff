"""Queries for workers and services: which pools a member holds a license of, what falls due, and on which profiles."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from psycopg.sql import SQL

from adapters.postgres.reads import Connection, ReadModels, Tables
from projections.assignments import ASSIGNMENTS, CLOSED_POOLS, Assignments
from projections.due_subscriptions import DUE_SUBSCRIPTIONS
from projections.due_work import DUE_WORK, LEAVERS, DueWork
from services.ports_reads import PAGE, DueItem, DueProfile

POOLS_OF = SQL(
    "SELECT a.pool_id FROM {assignments} AS a WHERE a.organization_id = %s AND a.member_id = %s AND NOT EXISTS ("
    "  SELECT FROM {closed} AS c WHERE c.organization_id = a.organization_id AND c.pool_id = a.pool_id)"
    " ORDER BY a.assigned_seq"
)
DUE = SQL(
    "SELECT d.due_on, d.organization_id, d.kind, d.subject_id FROM {due_work} AS d"
    " WHERE d.due_on <= %(until)s AND (d.due_on, d.organization_id, d.kind, d.subject_id) > {after}"
    " AND (d.kind <> 'release_licenses' OR EXISTS ("
    "  SELECT FROM {assignments} AS a WHERE a.organization_id = d.organization_id AND a.member_id = d.subject_id"
    "  AND NOT EXISTS ("
    "   SELECT FROM {closed} AS c WHERE c.organization_id = a.organization_id AND c.pool_id = a.pool_id)))"
    " ORDER BY d.due_on, d.organization_id, d.kind, d.subject_id LIMIT %(limit)s"
)
# One index has the profiles in order, each with its days and payments; another finds what those who left have bought.
DUE_PROFILES = SQL(
    "WITH found AS ("
    " (SELECT d.organization_id, d.billing_profile_id,"
    "   array_agg(DISTINCT d.payment_id) FILTER (WHERE d.payment_id IS NOT NULL) AS payments FROM {due_work} AS d"
    "  WHERE {further} AND d.due_on <= %(until)s AND d.billing_profile_id IS NOT NULL"
    "  GROUP BY d.organization_id, d.billing_profile_id"
    "  ORDER BY d.organization_id, d.billing_profile_id LIMIT %(limit)s)"
    " UNION ALL (SELECT DISTINCT d.organization_id, d.billing_profile_id, NULL::uuid[] FROM {leavers} AS m"
    "  JOIN {due_subscriptions} AS d"
    "  ON d.organization_id = m.organization_id AND d.purchaser_id = m.member_id AND d.renews WHERE {further}"
    "  ORDER BY d.organization_id, d.billing_profile_id LIMIT %(limit)s))"
    " SELECT organization_id, billing_profile_id, coalesce(max(payments), '{{}}') FROM found"
    " GROUP BY organization_id, billing_profile_id ORDER BY organization_id, billing_profile_id LIMIT %(limit)s"
)
# Said so that each page starts in the index where the one before it ended, in one organization as in all.
FURTHER = SQL("(d.organization_id, d.billing_profile_id) > (%(organization_id)s, %(billing_profile_id)s)")
FURTHER_IN_ONE = SQL("d.organization_id = %(of)s AND d.billing_profile_id > %(billing_profile_id)s")
AFTER = SQL("(%(due_on)s, %(organization_id)s, %(kind)s, %(subject_id)s)")
FROM_THE_FIRST = SQL("('-infinity'::date, '00000000-0000-0000-0000-000000000000'::uuid, '', NULL::uuid)")


NO_ID = UUID(int=0)


class HoldingReads:
    """Answers `Holdings` from the read tables."""

    def __init__(self, models: ReadModels) -> None:
        self._models = models

    def pools_of(self, organization_id: UUID, member_id: UUID, *, at_least: int) -> Sequence[UUID]:
        """The pools in which the member holds a license, read at `at_least` this position or later."""

        def query(connection: Connection, tables: Tables) -> Sequence[UUID]:
            pools = POOLS_OF.format(assignments=tables[ASSIGNMENTS], closed=tables[CLOSED_POOLS])
            return [pool_id for (pool_id,) in connection.execute(pools, (organization_id, member_id))]

        return self._models.read([Assignments], at_least, query)


class DueWorkReads:
    """Answers `DueWork` and `DueProfiles` from the read tables."""

    def __init__(self, models: ReadModels) -> None:
        self._models = models

    def due(
        self, until: date, *, after: DueItem | None = None, limit: int = PAGE, at_least: int = 0
    ) -> Sequence[DueItem]:
        """What is due on or before a day, earliest first."""
        values = {"until": until, "limit": min(max(limit, 1), PAGE), **(after._asdict() if after else {})}

        def query(connection: Connection, tables: Tables) -> Sequence[DueItem]:
            due = DUE.format(
                due_work=tables[DUE_WORK],
                assignments=tables[ASSIGNMENTS],
                closed=tables[CLOSED_POOLS],
                after=AFTER if after else FROM_THE_FIRST,
            )
            return [DueItem(*row) for row in connection.execute(due, values)]

        return self._models.read([DueWork, Assignments], at_least, query)

    def due_profiles(
        self, until: date, *, organization_id: UUID | None = None, at_least: int = 0
    ) -> Iterator[DueProfile]:
        """All profiles with something due on or before a day, one organization after the other, page by page."""
        further = FURTHER if organization_id is None else FURTHER_IN_ONE
        after: tuple[UUID, UUID] | None = (NO_ID, NO_ID)
        while after:
            values = {"until": until, "of": organization_id, "limit": PAGE}
            values |= {"organization_id": after[0], "billing_profile_id": after[1]}

            def query(connection: Connection, tables: Tables, values: Any = values) -> list[DueProfile]:
                profiles = DUE_PROFILES.format(
                    due_work=tables[DUE_WORK],
                    due_subscriptions=tables[DUE_SUBSCRIPTIONS],
                    leavers=tables[LEAVERS],
                    further=further,
                )
                found = connection.execute(profiles, values)
                return [DueProfile(of, profile_id, tuple(payment_ids)) for of, profile_id, payment_ids in found]

            page = self._models.read([DueWork], at_least, query)
            yield from page
            after = (page[-1].organization_id, page[-1].billing_profile_id) if len(page) == PAGE else None
