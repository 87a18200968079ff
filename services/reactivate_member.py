"""Reactivate a member."""

from uuid import UUID

from services.command import Command
from services.ledger import Ledger, operation
from services.may import may, standing_of
from services.ports import Receipt


class ReactivateMember(Command):
    member_id: UUID


@operation
def reactivate_member(ledger: Ledger, command: ReactivateMember) -> Receipt:
    """The member can act and get licenses again."""
    standing = standing_of(ledger, command)
    may(command.actor, "manage members")
    member = ledger.member(command.organization_id, command.member_id)
    member.reactivate()
    return ledger.save(member, seen=standing.seen, because=command, at=ledger.now(member))
