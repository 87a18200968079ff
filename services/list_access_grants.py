"""List access grants: which auditors may read personal facts, for what and until when."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from domain.auditor_access import AccessPurpose, AuditorAccess, access_id_of
from domain.kernel import Value
from services.command import Actor
from services.ledger import Ledger
from services.may import PERMISSIONS, may, standing_seen


class ListAccessGrants(Value):
    organization_id: UUID
    actor: Actor


class AccessGrantListed(Value):
    """A grant to somebody who is an auditor now; `open` is whether it opens anything now."""

    grant_id: UUID
    auditor_id: UUID
    purpose: AccessPurpose
    ends_at: datetime
    subject_id: UUID | None
    revoked: bool
    open: bool


def list_access_grants(ledger: Ledger, query: ListAccessGrants) -> Sequence[AccessGrantListed]:
    """Of all who are auditors now, in the order of their grants; an auditor sees their own."""
    organization = standing_seen(ledger, query).organization
    may(query.actor, "list grants")
    auditors = [one for one, roles in organization.roles.items() if "auditor" in roles]
    if PERMISSIONS["list grants"][query.actor.role] == "own":
        auditors = [query.actor.id]
    streams = {access_id_of(query.organization_id, one): one for one in auditors}
    found = ledger.look_at(query.organization_id, dict.fromkeys(streams, AuditorAccess))
    at = ledger.now(organization)
    return [
        AccessGrantListed(
            grant_id=grant_id,
            auditor_id=access.auditor_id,
            purpose=grant.purpose,
            ends_at=grant.ends_at,
            subject_id=grant.subject_id,
            revoked=grant.revoked,
            open=not grant.revoked and at < grant.ends_at,
        )
        for access in (found.get(stream) for stream in streams)
        if isinstance(access, AuditorAccess)
        for grant_id, grant in access.grants.items()
    ]
