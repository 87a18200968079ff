"""Queries of billing profiles, the roles on them, and stored payment methods."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from psycopg.sql import SQL, Composable

from adapters.postgres.read_tables import comma
from adapters.postgres.reads import Connection, ReadModels, Tables
from adapters.postgres.reads_purchases import rows
from projections.billing_profiles import CARDS, PROFILE_ROLES, PROFILES, BillingProfiles
from services.ports_reads import PAGE, BillingProfileRow, PaymentMethodRow

PROFILE_COLUMNS = comma(name for name in BillingProfileRow.model_fields if name != "roles")
PROFILES_WITH_ROLES = SQL(
    "SELECT {columns}, (SELECT coalesce(jsonb_object_agg(r.member_id, r.role), '{{}}') FROM {roles} AS r"
    "  WHERE r.organization_id = p.organization_id AND r.billing_profile_id = p.billing_profile_id"
    "  AND r.role <> 'owner') AS roles"
    " FROM {profiles} AS p WHERE p.organization_id = %(organization)s AND {which}"
    " ORDER BY p.organization_id, p.billing_profile_id LIMIT %(limit)s"
)
SEEN_BY = SQL(
    "EXISTS (SELECT FROM {roles} AS s WHERE s.organization_id = p.organization_id AND s.member_id = %(seen_by)s"
    " AND s.billing_profile_id = p.billing_profile_id)"
)
CARD_COLUMNS = comma(tuple(PaymentMethodRow.model_fields))
CARDS_OF = SQL(
    "SELECT {columns} FROM {cards} WHERE organization_id = %(organization)s AND owner_id = %(owner)s"
    " AND state = 'stored' AND payment_method_id > %(after)s"
    " ORDER BY organization_id, owner_id, state, payment_method_id LIMIT %(limit)s"
)
BEFORE_ALL = UUID(int=0)


class BillingReads:
    """Answers `BillingViews` from the read tables."""

    def __init__(self, models: ReadModels) -> None:
        self._models = models

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
        values = {"organization": organization_id, "seen_by": seen_by, "after": after or BEFORE_ALL, "limit": limit}
        which = [SQL("p.billing_profile_id > %(after)s"), *([SEEN_BY] if seen_by else [])]
        return self._profiles(which, values, at_least)

    def profile(
        self, organization_id: UUID, billing_profile_id: UUID, *, at_least: int = 0
    ) -> BillingProfileRow | None:
        """One profile; None where the organization has no such one."""
        values = {"organization": organization_id, "one": billing_profile_id, "limit": 1}
        found = self._profiles([SQL("p.billing_profile_id = %(one)s")], values, at_least)
        return found[0] if found else None

    def _profiles(self, which: Sequence[SQL], values: dict[str, Any], at_least: int) -> list[BillingProfileRow]:
        values["limit"] = min(max(values["limit"], 1), PAGE)

        def query(connection: Connection, tables: Tables) -> list[BillingProfileRow]:
            parts: dict[str, Composable] = {"profiles": tables[PROFILES], "roles": tables[PROFILE_ROLES]}
            conditions = SQL(" AND ").join(condition.format(roles=tables[PROFILE_ROLES]) for condition in which)
            profiles = PROFILES_WITH_ROLES.format(columns=PROFILE_COLUMNS, which=conditions, **parts)
            return [BillingProfileRow(**row) for row in rows(connection, profiles, values)]

        return self._models.read([BillingProfiles], at_least, query)

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
        values = {
            "organization": organization_id,
            "owner": owner_id,
            "after": after or BEFORE_ALL,
            "limit": min(max(limit, 1), PAGE),
        }

        def query(connection: Connection, tables: Tables) -> list[PaymentMethodRow]:
            cards = CARDS_OF.format(columns=CARD_COLUMNS, cards=tables[CARDS])
            return [PaymentMethodRow(**row) for row in rows(connection, cards, values)]

        return self._models.read([BillingProfiles], at_least, query)
