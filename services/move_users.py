"""Move users: who holds a license of a member's purchase gets one of another; the purchase is cancelled."""

from uuid import UUID

from domain.refusals import OtherProduct
from domain.subscription import CancelReason
from services.cancel_taken_over import end_taken_over
from services.command import Command
from services.ledger import Ledger, operation
from services.life_cycle import see_books_through
from services.ports import Receipt
from services.purchase import purchase_of
from services.till import Till


class MoveUsers(Command):
    """To an active subscription of the same product that was bought centrally, with a free license for each."""

    subscription_id: UUID
    target_id: UUID
    reason: CancelReason = "other"


class Target(Command):
    """The target, as a purchase of its own."""

    subscription_id: UUID


@operation
def move_users(ledger: Ledger, command: MoveUsers, till: Till) -> Receipt:
    """All or nobody."""
    purchase = purchase_of(ledger, till, command, "take over")
    into = Target(
        **command.model_dump(include={"organization_id", "command_id", "actor"}), subscription_id=command.target_id
    )
    target = purchase_of(ledger, till, into, "assign licenses")
    product_id = purchase.subscription.product.product_id
    if target.subscription.product.product_id != product_id or target.subscription.id == purchase.subscription.id:
        raise OtherProduct(product_id=target.subscription.product.product_id, needed=product_id)
    target.subscription.refuse_unless("move to")
    holders = ledger.members(command.organization_id, list(purchase.pool.holders))
    keeping = {one: member for one, member in holders.items() if member is not None and member.status != "removed"}
    target.pool.assign(keeping, all_at_once=True)
    purchase.pool.unassign(list(keeping), reason="users_moved")
    end_taken_over(till, purchase, reason=command.reason, close="taken_over")
    told = {id(one): one for one in (*purchase.told, *target.told)}
    seen = [*purchase.seen, *target.seen, *filter(None, holders.values())]
    receipt = ledger.save(*told.values(), seen=seen, because=command, at=max(purchase.at, target.at))
    see_books_through(ledger, till, purchase.books, causation_id=command.command_id)
    return receipt
