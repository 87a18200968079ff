"""Give a member a role on a billing profile: contributor, invoice manager or reader."""

from uuid import UUID

from domain.billing_profile import ProfileRole
from services.command import Command
from services.ledger import Ledger, operation
from services.ports import Receipt
from services.profile import profile_of
from services.till import Till


class GrantProfileRole(Command):
    billing_profile_id: UUID
    member_id: UUID
    role: ProfileRole


@operation
def grant_profile_role(ledger: Ledger, command: GrantProfileRole, till: Till) -> Receipt:
    """Its owner decides; only active people of the organization have roles."""
    at_hand = profile_of(ledger, till, command, command.billing_profile_id, action="be billed", act="manage")
    member = ledger.member(command.organization_id, command.member_id)
    member.refuse_unless_active()
    at_hand.profile.grant(member.id, command.role)
    return ledger.save(at_hand.profile, seen=[*at_hand.seen, member], because=command, at=at_hand.at)
