"""Buy: a subscription to an offer, with its pool of licenses, paid for first and assignable at once."""

from datetime import datetime
from uuid import UUID, uuid5

from pydantic import Field, model_validator

from domain.billing_profile import BillingProfile
from domain.calendar import cycle, utc_date
from domain.invoice_line import line_of
from domain.license_pool import LicensePool
from domain.member import Member
from domain.payment import PurchaseIntent
from domain.refusals import BillingProfileRequired, NotFound
from domain.subscription import Channel, Subscription
from services.billing import Bill, issue, refuse_other_amount
from services.books import Books
from services.command import Command
from services.held_payment import Deal, paid_first
from services.ledger import Ledger
from services.may import Standing, may, standing_of
from services.ports import Receipt
from services.profile import refuse_outsider
from services.purchase import books_up_to_date
from services.till import Till


class BuySubscription(Command):
    """`licenses` of an offer. A central purchase names the member whom it is for; otherwise that is the actor.

    Billed on the named profile, or on the purchaser's own. `expected_amount_minor` is the invoice's total, with tax.
    """

    offer_id: UUID
    licenses: int = Field(ge=1, le=1_000_000)
    channel: Channel = "self_service"
    purchaser_id: UUID | None = None
    billing_profile_id: UUID | None = None
    expected_amount_minor: int | None = Field(default=None, ge=0)

    @model_validator(mode="after")
    def _for_the_actor(self) -> "BuySubscription":
        if self.channel == "self_service" and self.purchaser_id not in (None, self.actor.id):
            raise ValueError("only a central purchase is for somebody else")
        return self

    @property
    def subscription_id(self) -> UUID:
        return self.new_id("subscription")

    @property
    def pool_id(self) -> UUID:
        return self.new_id("license_pool")

    @property
    def invoice_id(self) -> UUID:
        return self.new_id("invoice")


def buy_subscription(ledger: Ledger, command: BuySubscription, till: Till) -> Receipt:
    """Buys at the price that is valid today (UTC); recurring billing is on."""
    return paid_first(ledger, till, command, lambda at: purchase_deal(ledger, till, command, at))


def purchase_deal(
    ledger: Ledger, till: Till, command: BuySubscription, at: datetime | None, *, rehearse: bool = False
) -> Deal:
    """What the purchase tells once it is paid for."""
    standing = standing_of(ledger, command)
    may(command.actor, "buy" if command.channel == "self_service" else "buy centrally")
    purchaser = purchaser_of(ledger, command, standing)
    purchaser.refuse_unless_purchaser()
    profile_id = command.billing_profile_id or own_profile_id(command.organization_id, purchaser.id)
    profile = profile_to_charge(ledger, command, profile_id, purchaser)
    books, now = books_up_to_date(
        ledger,
        till,
        standing.organization,
        profile_id,
        because=command.command_id,
        known={profile_id: profile, purchaser.id: purchaser},
        rehearse=rehearse,
    )
    at = at or now
    price = ledger.prices.price_for(command.offer_id, utc_date(at))
    product = ledger.product(price.product_id)
    subscription = Subscription.purchase(
        id=command.subscription_id,
        pool_id=command.pool_id,
        organization=standing.organization,
        purchaser=purchaser,
        product=product.product,
        price=price,
        licenses=command.licenses,
        channel=command.channel,
        billing_profile_id=profile_id,
        invoice_id=command.invoice_id,
        at=at,
    )
    bill = open_and_bill(books, till, subscription, command.licenses, invoice_id=command.invoice_id, at=at)
    refuse_other_amount(command.expected_amount_minor, bill.invoice.total_minor, price.currency)
    intent = PurchaseIntent(
        subscription_id=subscription.id,
        offer_id=command.offer_id,
        licenses=command.licenses,
        channel=command.channel,
        purchaser_id=purchaser.id,
        price=price,
        **bill.priced,
    )
    return Deal(books, [*standing.seen, purchaser], bill, intent)


def open_and_bill(
    books: Books, till: Till, subscription: Subscription, licenses: int, *, invoice_id: UUID, at: datetime
) -> Bill:
    """Puts a new subscription on the profile, opens its pool, and bills the first cycle."""
    price = subscription.price
    first = cycle(subscription.anchor, price.plan, 0)
    pool = LicensePool.open(
        id=subscription.pool_id,
        subscription_id=subscription.id,
        total=licenses,
        price=price,
        invoice_id=invoice_id,
        cycle=first,
        at=at,
    )
    books.profile.put_on(subscription.id)
    books.subscriptions[subscription.id], books.pools[subscription.id] = subscription, pool
    line = line_of(
        price,
        number=1,
        kind="purchase",
        subscription_id=subscription.id,
        product_name=subscription.product.name,
        batch=pool.last_batch,
        cycle=first,
        since=first.start,
        quantity=licenses,
    )
    return issue(books, till, invoice_id=invoice_id, reason="purchase", lines=[line], due_on=utc_date(at), at=at)


def own_profile_id(organization_id: UUID, member_id: UUID) -> UUID:
    """The id of the billing profile that a member has first."""
    return uuid5(organization_id, f"billing_profile:{member_id}")


def purchaser_of(ledger: Ledger, command: BuySubscription, standing: Standing) -> Member:
    """Whom it is bought for."""
    if standing.member and command.purchaser_id in (None, standing.member.id):
        return standing.member
    return ledger.member(command.organization_id, command.purchaser_id or command.actor.id)


def profile_to_charge(ledger: Ledger, command: Command, profile_id: UUID, purchaser: Member) -> BillingProfile:
    """A member is billed on a profile on which they, or who buys for them, may charge."""
    try:
        profile = ledger.billing_profile(command.organization_id, profile_id)
    except NotFound:
        if profile_id == own_profile_id(command.organization_id, purchaser.id):
            raise BillingProfileRequired(member_id=purchaser.id) from None
        raise
    if command.actor.role != "operator" and not profile.allows(purchaser.id, "charge"):
        refuse_outsider(profile, command, "charge")
    return profile
