"""Deactivate a member."""

from uuid import UUID

from services.command import Command
from services.ledger import Ledger, operation
from services.may import admins_left, may, standing_of
from services.ports import Receipt


class DeactivateMember(Command):
    member_id: UUID


@operation
def deactivate_member(ledger: Ledger, command: DeactivateMember) -> Receipt:
    """The member keeps licenses and gets no new ones."""
    standing = standing_of(ledger, command)
    may(command.actor, "manage members")
    member = ledger.member(command.organization_id, command.member_id)
    left = admins_left(ledger, standing.organization, without=member.id)
    member.deactivate()
    return ledger.save(member, seen=[*standing.seen, *left], because=command, at=ledger.now(member))
