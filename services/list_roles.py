"""List roles: who has been granted which, and what the organization decided about products."""

from collections.abc import Mapping
from uuid import UUID

from domain.kernel import Value
from domain.organization import GrantedRole
from services.command import Actor
from services.ledger import Ledger
from services.may import may, standing_seen


class ListRoles(Value):
    organization_id: UUID
    actor: Actor


def list_roles(ledger: Ledger, query: ListRoles) -> Mapping[UUID, list[GrantedRole]]:
    """For those who manage them."""
    organization = standing_seen(ledger, query).organization
    may(query.actor, "manage roles")
    return {member_id: sorted(held) for member_id, held in organization.roles.items() if held}
