"""Queries for workers and services: which pools a member holds a license of, and what falls due."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from psycopg.sql import SQL

from adapters.postgres.reads import Connection, ReadModels, Tables
from projections.assignments import ASSIGNMENTS, CLOSED_POOLS, Assignments
from projections.due_work import DUE_WORK, DueWork
from services.ports_reads import PAGE, DueItem

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
AFTER = SQL("(%(due_on)s, %(organization_id)s, %(kind)s, %(subject_id)s)")
FROM_THE_FIRST = SQL("('-infinity'::date, '00000000-0000-0000-0000-000000000000'::uuid, '', NULL::uuid)")


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
    """Answers `DueWork` from the read tables."""

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
