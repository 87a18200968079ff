"""Queries of the movements of money that are recorded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from psycopg.sql import SQL

from adapters.postgres.read_tables import comma
from adapters.postgres.reads import Connection, ReadModels, Tables
from projections.payments import MOVEMENTS, PAYMENTS, Payments
from services.ports_settlement import RecordedMovement

COLUMNS = comma(RecordedMovement._fields)
BETWEEN = SQL(
    "SELECT {columns} FROM {movements} WHERE recorded_on BETWEEN %(since)s AND %(until)s"
    " AND (%(organization)s::uuid IS NULL OR organization_id = %(organization)s)"
    " ORDER BY recorded_on, organization_id, payment_id, position"
)
OF_PAYMENTS = SQL(
    "SELECT {columns} FROM {payments} AS p JOIN {movements} AS m USING (organization_id, payment_id)"
    " WHERE p.payment_id = ANY(%s::uuid[]) ORDER BY m.position"
)
OWNERS = SQL("SELECT payment_id, organization_id FROM {payments} WHERE payment_id = ANY(%s::uuid[])")
EARLIEST = SQL("SELECT min(requested_on) FROM {payments} WHERE payment_id = ANY(%s::uuid[])")


class MovementReads:
    """Answers `MovementViews` from the read tables."""

    def __init__(self, models: ReadModels) -> None:
        self._models = models

    def movements(
        self, since: date, until: date, *, organization_id: UUID | None = None, at_least: int = 0
    ) -> Sequence[RecordedMovement]:
        """Those that were recorded on these days, both included."""
        values = {"since": since, "until": until, "organization": organization_id}
        return [RecordedMovement(*row) for row in self._rows(BETWEEN, values, at_least)]

    def of_payments(self, payment_ids: Sequence[UUID], *, at_least: int = 0) -> Sequence[RecordedMovement]:
        """All that is recorded of these payments."""
        return [RecordedMovement(*row) for row in self._rows(OF_PAYMENTS, [list(payment_ids)], at_least)]

    def organizations_of(self, payment_ids: Sequence[UUID], *, at_least: int = 0) -> Mapping[UUID, UUID]:
        """Whose these payments are, by payment; unknown ones are left out."""
        return dict(self._rows(OWNERS, [list(payment_ids)], at_least))

    def earliest_request(self, payment_ids: Sequence[UUID], *, at_least: int = 0) -> date | None:
        """The day on which the first of these payments was requested."""
        ((day,),) = self._rows(EARLIEST, [list(payment_ids)], at_least)
        return day  # type: ignore[no-any-return]

    def _rows(self, asked: SQL, values: Any, at_least: int) -> list[tuple[Any, ...]]:
        def query(connection: Connection, tables: Tables) -> list[tuple[Any, ...]]:
            statement = asked.format(columns=COLUMNS, payments=tables[PAYMENTS], movements=tables[MOVEMENTS])
            return connection.execute(statement, values).fetchall()

        return self._models.read([Payments], at_least, query)
