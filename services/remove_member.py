"""Remove a member: roles end with them, and their licenses are free."""

from uuid import UUID

from services.command import Command
from services.ledger import Ledger, operation
from services.may import admins_left, grants_ended, may, standing_of
from services.ports import Holdings, Receipt
from services.release_licenses import ReleaseLicenses, release_licenses


class RemoveMember(Command):
    member_id: UUID


def remove_member(ledger: Ledger, command: RemoveMember, holdings: Holdings) -> Receipt:
    """First the member goes, so that nobody can assign them a license any more; then the licenses they held.

    What a crash between the two leaves open is due work, and a repeat of the command completes it.
    """
    removed = _remove(ledger, command)
    release = ReleaseLicenses(
        organization_id=command.organization_id,
        command_id=command.new_id("release_licenses"),
        actor=command.actor,
        correlation_id=command.correlation_id or command.command_id,
        causation_id=command.command_id,
        member_id=command.member_id,
        after_position=removed.position,
    )
    return release_licenses(ledger, release, holdings)


@operation
def _remove(ledger: Ledger, command: RemoveMember) -> Receipt:
    standing = standing_of(ledger, command)
    may(command.actor, "manage members")
    member = ledger.member(command.organization_id, command.member_id)
    organization = standing.organization
    left = admins_left(ledger, organization, without=member.id)
    audits = organization.has_role(member.id, "auditor")
    ended, unborn = grants_ended(ledger, organization.id, member.id) if audits else ([], [])
    organization.revoke_all(member.id)
    member.remove()
    told, seen = [member, organization, *ended], [*standing.seen, *left, *unborn]
    return ledger.save(*told, seen=seen, because=command, at=ledger.now(*told))
