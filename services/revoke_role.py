"""Revoke a role of the organization: admin, billing reader or auditor."""

from uuid import UUID

from domain.organization import GrantedRole
from services.command import Command
from services.ledger import Ledger, operation
from services.may import admins_left, may, standing_of
from services.ports import Receipt


class RevokeRole(Command):
    member_id: UUID
    role: GrantedRole


@operation
def revoke_role(ledger: Ledger, command: RevokeRole) -> Receipt:
    """Takes a role back; the last admin stays."""
    standing = standing_of(ledger, command)
    may(command.actor, "manage roles")
    member = ledger.member(command.organization_id, command.member_id)
    organization = standing.organization
    left = admins_left(ledger, organization, without=member.id) if command.role == "admin" else []
    organization.revoke(member.id, command.role)
    seen = [*standing.seen, member, *left]
    return ledger.save(organization, seen=seen, because=command, at=ledger.now(organization))
