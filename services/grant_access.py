"""Grant access: an auditor may read personal facts, of one member or of all, for a purpose and until an instant."""

from datetime import datetime
from uuid import UUID

from pydantic import AwareDatetime

from domain.auditor_access import AccessPurpose, AuditorAccess, access_id_of
from domain.refusals import NotFound
from services.command import Command
from services.ledger import Ledger, operation
from services.may import may, standing_of
from services.ports import Receipt


class GrantAccess(Command):
    """`subject_id`: the member whose facts are opened; none: everybody's."""

    auditor_id: UUID
    purpose: AccessPurpose
    ends_at: AwareDatetime
    subject_id: UUID | None = None

    @property
    def grant_id(self) -> UUID:
        return self.new_id("grant")


@operation
def grant_access(ledger: Ledger, command: GrantAccess) -> Receipt:
    """By an admin: the organization answers for its people, and the house does not open them."""
    standing = standing_of(ledger, command)
    may(command.actor, "open personal facts")
    organization = standing.organization
    if not organization.has_role(command.auditor_id, "auditor"):
        raise NotFound(what="auditor", key=command.auditor_id)
    if command.subject_id is not None:
        ledger.member(command.organization_id, command.subject_id)
    access = ledger.find_access(command.organization_id, command.auditor_id) or AuditorAccess.open(
        id=access_id_of(command.organization_id, command.auditor_id), auditor_id=command.auditor_id
    )
    at: datetime = ledger.now(organization, access)
    access.grant(
        command.grant_id, purpose=command.purpose, ends_at=command.ends_at, subject_id=command.subject_id, at=at
    )
    return ledger.save(access, seen=standing.seen, because=command, at=at)
