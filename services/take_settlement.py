"""Take over what a provider settled and nobody told us: refunds that came back, disputes, answers that got lost."""

from collections.abc import Callable
from uuid import UUID

from services.ledger import Ledger
from services.reconcile_settlement import Reconciled
from services.resume_payments import resume_payment
from services.till import Till


def take_settlement(ledger: Ledger, till_of: Callable[[UUID], Till], found: Reconciled) -> list[UUID]:
    """Looks at every payment of which the provider knows more, and answers which these are.

    `till_of` is the till at the time of an organization. A provider's notices are hints that get lost and come twice;
    its settlement is its own account, so nothing is missed and nothing happens twice.
    """
    owners = {one.payment_id: one.organization_id for one in found.differences if one.organization_id}
    known = [payment_id for payment_id in found.payment_ids if payment_id in owners]
    for payment_id in known:
        organization = ledger.organization(owners[payment_id])
        resume_payment(ledger, till_of(organization.id), organization, payment_id, at=ledger.now(organization))
    return known
