"""Revoke a role of the organization: admin, billing reader or auditor."""

from uuid import UUID

from domain.organization import GrantedRole
from services.command import Command
from services.ledger import Ledger, operation
from services.may import admins_left, grants_ended, may, standing_of
from services.ports import Receipt


class RevokeRole(Command):
    member_id: UUID
    role: GrantedRole


@operation
def revoke_role(ledger: Ledger, command: RevokeRole) -> Receipt:
    """Takes a role back, and with that of auditor every grant to read names; the last admin stays."""
    standing = standing_of(ledger, command)
    may(command.actor, "manage roles")
    member = ledger.member(command.organization_id, command.member_id)
    organization = standing.organization
    left = admins_left(ledger, organization, without=member.id) if command.role == "admin" else []
    organization.revoke(member.id, command.role)
    ended, unborn = grants_ended(ledger, organization.id, member.id) if command.role == "auditor" else ([], [])
    seen = [*standing.seen, member, *left, *unborn]
    at = ledger.now(organization, *ended)
    return ledger.save(organization, *ended, seen=seen, because=command, at=at)
