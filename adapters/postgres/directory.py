"""The personal facts of an organization's members: who is called what, for as long as it is not erased."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from adapters.postgres.arrays import Array
from adapters.postgres.datastore import LedgerDatastore
from domain.personal import PersonalFact, Purpose
from services.ports_privacy import StoredFact

ALL, WITHIN = "ledger.personal_facts ", "ledger.personal_facts_within "  # without the wall, and behind it

# Of the facts with one subject and purpose, the newest is the current one.
CURRENT = (
    " fact.organization_seq = (SELECT max(newest.organization_seq) FROM ledger.personal_facts newest"
    " WHERE newest.organization_id = fact.organization_id AND newest.subject_id = fact.subject_id"
    " AND newest.purpose = fact.purpose)"
)
# One look into the index for each name; a join would be planned badly before the table's first ANALYZE.
MEMBER_IDS = (
    "SELECT wanted.name, found.subject_id FROM unnest(%b::text[]) AS wanted(name), LATERAL ("
    " SELECT fact.subject_id FROM ledger.personal_facts fact"
    " WHERE fact.organization_id = %b AND fact.purpose = 'user_name'"
    " AND ledger.name_key(fact.purpose, fact.value) = ledger.name_key('user_name', wanted.name)"
    f" AND ledger.folded(fact.value) = ledger.folded(wanted.name) AND {CURRENT} LIMIT 1) found"
)
DETAILS = (
    "SELECT DISTINCT ON (subject_id, purpose) subject_id, purpose, value FROM ledger.personal_facts"
    " WHERE organization_id = %b AND subject_id = ANY(%b::uuid[])"
    # What a member typed as feedback, or about a card or a payer, is nobody's way to tell who the member is.
    " AND purpose IN ('user_name', 'display_name', 'first_name', 'last_name', 'job_title', 'department')"
    " ORDER BY subject_id, purpose, organization_seq DESC"
)
FACTS = "SELECT fact_id, value FROM ledger.personal_facts WHERE organization_id = %b AND fact_id = ANY(%b::uuid[])"
FACT_FIELDS = ("fact_id", "subject_id", "purpose", "value", "salt", "keep_until")
STORED = (
    "SELECT fact_id, subject_id, purpose, value, encode(salt, 'hex'), keep_until, organization_seq"
    " FROM ledger.personal_facts WHERE organization_id = %b"
)
OF_SUBJECT = f"{STORED} AND subject_id = %b ORDER BY organization_seq, purpose, fact_id"
BY_ID = f"{STORED} AND fact_id = ANY(%b::uuid[]) ORDER BY organization_seq, purpose, fact_id"
SEARCH = (
    "SELECT fact.subject_id FROM ledger.personal_facts fact WHERE fact.organization_id = %b"
    f" AND ledger.name_key(fact.purpose, fact.value) ^@ left(ledger.folded(%s), 200) AND {CURRENT}"
    " GROUP BY fact.subject_id ORDER BY min(ledger.folded(fact.value)), fact.subject_id LIMIT %s"
)


class PersonalDirectory:
    """Implements `services.ports.Directory` and `services.ports_privacy.FactRegister`."""

    def __init__(self, datastore: LedgerDatastore) -> None:
        self._datastore = datastore

    def member_ids(self, organization_id: UUID, user_names: Sequence[str]) -> Mapping[str, UUID]:
        wanted = Array.of("text", [name.encode() for name in user_names if "\0" not in name])
        return dict(self._rows(MEMBER_IDS, (wanted, organization_id)))

    def details(self, organization_id: UUID, member_ids: Sequence[UUID]) -> Mapping[UUID, Mapping[Purpose, str]]:
        found: dict[UUID, dict[Purpose, str]] = {}
        for member_id, purpose, value in self._rows(DETAILS, (organization_id, Array.of_uuids(member_ids))):
            found.setdefault(member_id, {})[purpose] = value
        return found

    def facts(self, organization_id: UUID, fact_ids: Sequence[UUID]) -> Mapping[UUID, str]:
        return dict(self._rows(FACTS, (organization_id, Array.of_uuids(fact_ids)))) if fact_ids else {}

    def of_subject(self, organization_id: UUID, subject_id: UUID) -> Sequence[StoredFact]:
        return [stored_fact(row) for row in self._rows(OF_SUBJECT, (organization_id, subject_id))]

    def by_id(self, organization_id: UUID, fact_ids: Sequence[UUID]) -> Sequence[StoredFact]:
        return [stored_fact(row) for row in self._rows(BY_ID, (organization_id, Array.of_uuids(fact_ids)))]

    def search(self, organization_id: UUID, prefix: str, limit: int) -> Sequence[UUID]:
        """The members one of whose names begins so, regardless of case, in the order of that name."""
        if "\0" in prefix:
            return []
        return [member_id for (member_id,) in self._rows(SEARCH, (organization_id, prefix, limit))]

    def _rows(self, query: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
        if self._datastore.walled:
            query = query.replace(ALL, WITHIN)
        with self._datastore.get_connection() as connection:
            return connection.execute(query, parameters, prepare=True, binary=True).fetchall()


def stored_fact(row: tuple[Any, ...]) -> StoredFact:
    """A row of `STORED`."""
    *facts, organization_seq = row
    return StoredFact(PersonalFact(**dict(zip(FACT_FIELDS, facts, strict=True))), organization_seq)
