"""Set the PO number that the invoices to come carry, or none."""

from uuid import UUID

from pydantic import Field

from services.command import Command, Text
from services.ledger import Ledger, operation
from services.ports import Receipt
from services.profile import profile_of
from services.till import Till


class SetPoNumber(Command):
    billing_profile_id: UUID
    po_number: Text | None = Field(min_length=1, max_length=64)


@operation
def set_po_number(ledger: Ledger, command: SetPoNumber, till: Till) -> Receipt:
    """It never appears on an issued invoice."""
    at_hand = profile_of(ledger, till, command, command.billing_profile_id, action="be billed", act="charge")
    at_hand.profile.set_po_number(command.po_number)
    return ledger.save(at_hand.profile, seen=at_hand.seen, because=command, at=at_hand.at)
