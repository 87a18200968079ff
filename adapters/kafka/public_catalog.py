"""What others may know of products, offers and prices: all in the stream of the organization `catalog`."""

from __future__ import annotations

from datetime import date
from typing import Annotated
from uuid import UUID

from adapters.kafka.public_values import OfferTerms, Own, PriceVersion, ProductDescription, PublicEvent, public
from domain.offer import Offer
from domain.product import Product


@public("seatledger.product.product_listed.v1", of=Product.ProductListed)
class ProductListed(PublicEvent):
    """Sent once for each product, when the catalog lists it.

    It can be bought when an offer for it is published.
    """

    product: ProductDescription


@public("seatledger.product.product_described_anew.v1", of=Product.ProductDescribedAnew)
class ProductDescribedAnew(PublicEvent):
    """Sent when the publisher describes a product differently.

    The new description holds from now on; subscriptions keep what they were bought as.
    """

    product: ProductDescription
    product_before: ProductDescription


@public("seatledger.offer.offer_published.v1", of=Offer.OfferPublished)
class OfferPublished(PublicEvent):
    """Sent once for each offer.

    The product is on sale on these terms, which never change, at the first price.
    """

    offer_id: Annotated[UUID, Own]
    terms: OfferTerms
    first_price: PriceVersion


@public("seatledger.offer.price_version_scheduled.v1", of=Offer.PriceVersionScheduled)
class PriceVersionScheduled(PublicEvent):
    """Sent when another price is set for a day to come.

    Terms that start on that day or later have it; a term that has begun keeps its price.
    """

    offer_id: Annotated[UUID, Own]
    price: PriceVersion


@public("seatledger.offer.price_version_withdrawn.v1", of=Offer.PriceVersionWithdrawn)
class PriceVersionWithdrawn(PublicEvent):
    """Sent when a price that had been scheduled will not take effect.

    No term ever had it.
    """

    offer_id: Annotated[UUID, Own]
    price: PriceVersion


@public("seatledger.offer.offer_withdrawn.v1", of=Offer.OfferWithdrawn)
class OfferWithdrawn(PublicEvent):
    """Sent when an offer is to be no longer on sale from a day on.

    Its subscriptions do not renew from then on.
    """

    offer_id: Annotated[UUID, Own]
    withdrawn_on: date
    withdrawn_on_before: date | None


@public("seatledger.offer.offer_withdrawal_revoked.v1", of=Offer.OfferWithdrawalRevoked)
class OfferWithdrawalRevoked(PublicEvent):
    """Sent when a withdrawal is taken back before its day.

    The offer stays on sale.
    """

    offer_id: Annotated[UUID, Own]
    withdrawn_on: date
