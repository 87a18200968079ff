"""Queries of invoices and the credit notes that amend them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from psycopg.sql import SQL, Composable, Identifier

from adapters.postgres.read_tables import comma
from adapters.postgres.reads import Connection, ReadModels, Tables
from adapters.postgres.reads_purchases import rows
from projections.billing_profiles import PROFILE_ROLES, BillingProfiles
from projections.invoice_history import CREDIT_NOTES, INVOICES, InvoiceHistory
from projections.projection import Projection
from services.ports_reads import PAGE, CreditNoteRow, InvoiceCursor, InvoiceFilter, InvoicePage, InvoiceRow

COLUMNS = comma(tuple(InvoiceRow.model_fields))
ONE = SQL("SELECT {columns} FROM {invoices} WHERE organization_id = %s AND invoice_id = %s")
# A sub-select around the choice: behind the wall PostgreSQL looks nothing up by a bare `coalesce`.
BY_NUMBER = SQL(
    "SELECT {columns} FROM {invoices} WHERE organization_id = %(organization)s AND invoice_id = (SELECT coalesce("
    " (SELECT invoice_id FROM {invoices} WHERE organization_id = %(organization)s AND number = %(number)s),"
    " (SELECT invoice_id FROM {credit_notes} WHERE organization_id = %(organization)s AND number = %(number)s)))"
)
# Read backwards from an index that has the same order behind each filter.
LIST = SQL(
    "SELECT {columns} FROM {invoices} WHERE {conditions}"
    " ORDER BY organization_id DESC, issued_on DESC, number DESC LIMIT %s"
)
OF_CREDIT_NOTES = SQL(
    "SELECT {columns} FROM {credit_notes} WHERE organization_id = %s AND invoice_id = %s ORDER BY position"
)
SEEN_BY = SQL(
    "billing_profile_id = ANY(ARRAY(SELECT r.billing_profile_id FROM {roles} AS r"
    " WHERE r.organization_id = %s AND r.member_id = %s))"
)


class InvoiceReads:
    """Answers `InvoiceViews` from the read tables."""

    def __init__(self, models: ReadModels) -> None:
        self._models = models

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
        size = min(max(limit, 1), PAGE)
        models: list[type[Projection]] = [InvoiceHistory, *([BillingProfiles] if where.seen_by else [])]

        def query(connection: Connection, tables: Tables) -> list[InvoiceRow]:
            conditions, values = conditions_of(organization_id, where, tables)
            if after is not None:
                conditions.append(SQL("(issued_on, number) < (%s, %s)"))
                values += [after.issued_on, after.number]
            page = LIST.format(columns=COLUMNS, invoices=tables[INVOICES], conditions=SQL(" AND ").join(conditions))
            return [InvoiceRow(**row) for row in rows(connection, page, [*values, size + 1])]

        found = self._models.read(models, at_least, query)
        page = found[:size]
        return InvoicePage(page, InvoiceCursor(page[-1].issued_on, page[-1].number) if len(found) > size else None)

    def one(self, organization_id: UUID, invoice_id: UUID, *, at_least: int = 0) -> InvoiceRow | None:
        """One invoice; None where the organization has no such one."""

        def query(connection: Connection, tables: Tables) -> InvoiceRow | None:
            one = ONE.format(columns=COLUMNS, invoices=tables[INVOICES])
            found = rows(connection, one, [organization_id, invoice_id])
            return InvoiceRow(**found[0]) if found else None

        return self._models.read([InvoiceHistory], at_least, query)

    def by_number(self, organization_id: UUID, number: str, *, at_least: int = 0) -> InvoiceRow | None:
        """The invoice with a number, or the one that the credit note with this number amends."""
        values = {"organization": organization_id, "number": number}

        def query(connection: Connection, tables: Tables) -> InvoiceRow | None:
            one = BY_NUMBER.format(columns=COLUMNS, invoices=tables[INVOICES], credit_notes=tables[CREDIT_NOTES])
            found = rows(connection, one, values)
            return InvoiceRow(**found[0]) if found else None

        if "\0" in number:
            return None
        return self._models.read([InvoiceHistory], at_least, query)

    def credit_notes(self, organization_id: UUID, invoice_id: UUID, *, at_least: int = 0) -> Sequence[CreditNoteRow]:
        """The credit notes that amend an invoice, oldest first."""

        def query(connection: Connection, tables: Tables) -> Sequence[CreditNoteRow]:
            columns = comma(tuple(CreditNoteRow.model_fields))
            notes = OF_CREDIT_NOTES.format(columns=columns, credit_notes=tables[CREDIT_NOTES])
            return [CreditNoteRow(**row) for row in rows(connection, notes, [organization_id, invoice_id])]

        return self._models.read([InvoiceHistory], at_least, query)


def conditions_of(organization_id: UUID, where: InvoiceFilter, tables: Tables) -> tuple[list[Composable], list[Any]]:
    """A filter as conditions and their values."""
    conditions: list[Composable] = [SQL("organization_id = %s")]
    values: list[Any] = [organization_id]
    for column in ("billing_profile_id", "state"):
        if (wanted := getattr(where, column)) is not None:
            conditions.append(SQL("{} = %s").format(Identifier(column)))
            values.append(wanted)
    if where.since is not None:
        conditions.append(SQL("issued_on >= %s"))
        values.append(where.since)
    if where.until is not None:
        conditions.append(SQL("issued_on <= %s"))
        values.append(where.until)
    if where.seen_by is not None:
        conditions.append(SEEN_BY.format(roles=tables[PROFILE_ROLES]))
        values += [organization_id, where.seen_by]
    return conditions, values
