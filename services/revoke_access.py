"""Revoke access: a grant ends before its time."""

from uuid import UUID

from domain.refusals import NotFound
from services.command import Command
from services.ledger import Ledger, operation
from services.may import may, standing_of
from services.ports import Receipt


class RevokeAccess(Command):
    auditor_id: UUID
    grant_id: UUID


@operation
def revoke_access(ledger: Ledger, command: RevokeAccess) -> Receipt:
    """From the next look on; what was read stays in history."""
    standing = standing_of(ledger, command)
    may(command.actor, "open personal facts")
    access = ledger.find_access(command.organization_id, command.auditor_id)
    if access is None:
        raise NotFound(what="grant", key=command.grant_id)
    access.revoke(command.grant_id)
    return ledger.save(access, seen=standing.seen, because=command, at=ledger.now(standing.organization, access))
