"""Release: the licenses of a removed member become free, with an event each."""

from uuid import UUID

from domain.refusals import MemberStillActive
from services.command import Command
from services.ledger import Ledger, operation
from services.may import may
from services.ports import Holdings, Receipt


class ReleaseLicenses(Command):
    """`after_position` is where the member's removal stands in history."""

    member_id: UUID
    after_position: int


@operation
def release_licenses(ledger: Ledger, command: ReleaseLicenses, holdings: Holdings) -> Receipt:
    """Nobody can assign to a removed member, so what they hold as of their removal is all there will be.

    The removal was the permission: whoever gave it may have gone since, or have removed themselves.
    """
    may(command.actor, "manage members")
    member = ledger.member(command.organization_id, command.member_id)
    if member.status != "removed":
        raise MemberStillActive(member_id=member.id)
    pool_ids = holdings.pools_of(command.organization_id, member.id, at_least=command.after_position)
    pools = [ledger.license_pool(command.organization_id, pool_id) for pool_id in pool_ids]
    for pool in pools:
        pool.unassign([member.id], reason="member_removed")
    return ledger.save(*pools, seen=[member], because=command, at=ledger.now(*pools))
