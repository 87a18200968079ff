"""Take a member's role on a billing profile away."""

from uuid import UUID

from services.command import Command
from services.ledger import Ledger, operation
from services.ports import Receipt
from services.profile import profile_of
from services.till import Till


class RevokeProfileRole(Command):
    billing_profile_id: UUID
    member_id: UUID


@operation
def revoke_profile_role(ledger: Ledger, command: RevokeProfileRole, till: Till) -> Receipt:
    """Its owner decides, and stays."""
    at_hand = profile_of(ledger, till, command, command.billing_profile_id, action="be billed", act="manage")
    at_hand.profile.revoke(command.member_id)
    return ledger.save(at_hand.profile, seen=at_hand.seen, because=command, at=at_hand.at)
