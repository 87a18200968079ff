"""Buy: a subscription to an offer, with its pool of licenses, assignable at once."""

from uuid import UUID

from pydantic import Field, model_validator

from domain.calendar import utc_date
from domain.license_pool import LicensePool
from domain.subscription import Channel, Subscription
from services.command import Command
from services.ledger import Ledger, operation
from services.may import may, standing_of
from services.ports import Receipt


class BuySubscription(Command):
    """`licenses` of an offer. A central purchase names the member whom it is for; otherwise that is the actor."""

    offer_id: UUID
    licenses: int = Field(ge=1, le=1_000_000)
    channel: Channel = "self_service"
    purchaser_id: UUID | None = None
    billing_profile_id: UUID | None = None

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


@operation
def buy_subscription(ledger: Ledger, command: BuySubscription) -> Receipt:
    """Buys at the price that is valid today (UTC); recurring billing is on."""
    standing = standing_of(ledger, command)
    may(command.actor, "buy" if command.channel == "self_service" else "buy centrally")
    purchaser_id = command.purchaser_id or command.actor.id
    purchaser = ledger.member(command.organization_id, purchaser_id)
    offer = ledger.offer(command.offer_id)
    product = ledger.product(offer.terms.product_id)
    at = ledger.now()
    price = offer.price_on(utc_date(at))
    subscription = Subscription.purchase(
        id=command.subscription_id,
        pool_id=command.pool_id,
        organization=standing.organization,
        purchaser=purchaser,
        product=product.product,
        price=price,
        licenses=command.licenses,
        channel=command.channel,
        billing_profile_id=command.billing_profile_id,
        at=at,
    )
    pool = LicensePool.open(
        id=subscription.pool_id, subscription_id=subscription.id, total=command.licenses, price=price, at=at
    )
    return ledger.save(subscription, pool, seen=[*standing.seen, purchaser], because=command, at=at)
