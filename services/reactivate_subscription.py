"""Reactivate: a new subscription takes the place of an expired or disabled one, with its holders."""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from domain.calendar import utc_date
from domain.holders import Holders
from domain.license_pool import LicensePool
from domain.member import Member
from domain.payment import PurchaseIntent
from domain.subscription import Subscription
from services.billing import refuse_other_amount
from services.buy_subscription import open_and_bill, profile_to_charge
from services.command import Command
from services.held_payment import Deal, paid_first
from services.ledger import Ledger
from services.may import may
from services.ports import Receipt
from services.purchase import books_up_to_date, purchase_of
from services.till import Till


class ReactivateSubscription(Command):
    """With as many licenses as it had, and billed on its profile, unless others are named."""

    subscription_id: UUID
    licenses: int | None = Field(default=None, ge=1, le=1_000_000)
    billing_profile_id: UUID | None = None
    expected_amount_minor: int | None = Field(default=None, ge=0)

    @property
    def new_subscription_id(self) -> UUID:
        return self.new_id("subscription")

    @property
    def pool_id(self) -> UUID:
        return self.new_id("license_pool")

    @property
    def invoice_id(self) -> UUID:
        return self.new_id("invoice")


def reactivate_subscription(ledger: Ledger, command: ReactivateSubscription, till: Till) -> Receipt:
    """Starts today at today's price; policy and card are checked as for a purchase."""
    return paid_first(ledger, till, command, lambda at: reactivation_deal(ledger, till, command, at))


def reactivation_deal(
    ledger: Ledger, till: Till, command: ReactivateSubscription, at: datetime | None, *, rehearse: bool = False
) -> Deal:
    """What the reactivation tells once it is paid for."""
    purchase = purchase_of(ledger, till, command, "change licenses", at=at, rehearse=rehearse)
    old, old_pool, standing, at = purchase.subscription, purchase.pool, purchase.standing, purchase.at
    may(command.actor, "buy" if old.channel == "self_service" else "buy centrally")
    old.refuse_reactivation()
    purchaser = ledger.member(command.organization_id, old.purchaser_id)
    profile_id = command.billing_profile_id or old.billing_profile_id
    profile_to_charge(ledger, command, profile_id, purchaser)
    books = purchase.books
    if profile_id != books.profile.id:
        books, _ = books_up_to_date(
            ledger, till, standing.organization, profile_id, because=command.command_id, rehearse=rehearse
        )
        books.subscriptions[old.id], books.pools[old.id] = old, old_pool
    price = ledger.prices.price_for(old.price.offer_id, utc_date(at))
    licenses = command.licenses or old_pool.total
    subscription = Subscription.purchase(
        id=command.new_subscription_id,
        pool_id=command.pool_id,
        organization=standing.organization,
        purchaser=purchaser,
        product=ledger.product(price.product_id).product,
        price=price,
        licenses=licenses,
        channel=old.channel,
        billing_profile_id=profile_id,
        invoice_id=command.invoice_id,
        replaces_id=old.id,
        at=at,
    )
    bill = open_and_bill(books, till, subscription, licenses, invoice_id=command.invoice_id, at=at)
    refuse_other_amount(command.expected_amount_minor, bill.invoice.total_minor, price.currency)
    holders = former_holders(ledger, command.organization_id, old_pool, licenses)
    books.pools[subscription.id].assign(holders, all_at_once=True)
    old.reactivate_as(subscription.id)
    old_pool.close("reactivated")
    intent = PurchaseIntent(
        subscription_id=subscription.id,
        offer_id=price.offer_id,
        licenses=licenses,
        channel=old.channel,
        purchaser_id=purchaser.id,
        replaces_id=old.id,
        price=price,
        **bill.priced,
    )
    seen = [*purchase.seen, purchaser, *filter(None, holders.values())]
    return Deal(books, seen, bill, intent)


def former_holders(
    ledger: Ledger, organization_id: UUID, pool: LicensePool, licenses: int
) -> dict[UUID, Member | None]:
    """Who held a license last, oldest first, as far as there are licenses; a deactivated member keeps theirs."""
    held: Holders = pool.former_holders if pool.closed else pool.holders
    members = ledger.members(organization_id, list(held))
    staying = [one for one in held if (member := members[one]) is not None and member.status != "removed"]
    return {one: members[one] for one in staying[:licenses]}
