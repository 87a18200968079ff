"""Change the bill-to of a profile, for the invoices to come."""

from uuid import UUID

from services.ledger import Ledger, operation
from services.open_billing_profile import BillToDetails, bill_to_facts, bill_to_with
from services.ports import Receipt
from services.profile import profile_of
from services.till import Till


class ChangeBillTo(BillToDetails):
    billing_profile_id: UUID


@operation
def change_bill_to(ledger: Ledger, command: ChangeBillTo, till: Till) -> Receipt:
    """Issued invoices stay as they are; what was due before is billed before."""
    at_hand = profile_of(ledger, till, command, command.billing_profile_id, action="be billed", act="charge")
    facts = bill_to_facts(ledger, command, at_hand.profile.owner_id)
    at_hand.profile.change_bill_to(bill_to_with(at_hand.profile.bill_to, command, facts))
    return ledger.save(at_hand.profile, seen=at_hand.seen, facts=list(facts.values()), because=command, at=at_hand.at)
