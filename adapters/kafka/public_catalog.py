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
    """The catalog has another product."""

    product: ProductDescription


@public("seatledger.product.product_described_anew.v1", of=Product.ProductDescribedAnew)
class ProductDescribedAnew(PublicEvent):
    """The publisher describes a product differently."""

    product: ProductDescription
    product_before: ProductDescription


@public("seatledger.offer.offer_published.v1", of=Offer.OfferPublished)
class OfferPublished(PublicEvent):
    """A product is on sale on these terms."""

    offer_id: Annotated[UUID, Own]
    terms: OfferTerms
    first_price: PriceVersion


@public("seatledger.offer.price_version_scheduled.v1", of=Offer.PriceVersionScheduled)
class PriceVersionScheduled(PublicEvent):
    """Terms that start on or after a date have another price."""

    offer_id: Annotated[UUID, Own]
    price: PriceVersion


@public("seatledger.offer.price_version_withdrawn.v1", of=Offer.PriceVersionWithdrawn)
class PriceVersionWithdrawn(PublicEvent):
    """A price that had been scheduled will not take effect."""

    offer_id: Annotated[UUID, Own]
    price: PriceVersion


@public("seatledger.offer.offer_withdrawn.v1", of=Offer.OfferWithdrawn)
class OfferWithdrawn(PublicEvent):
    """The offer is not on sale from a date on, and does not renew."""

    offer_id: Annotated[UUID, Own]
    withdrawn_on: date
    withdrawn_on_before: date | None


@public("seatledger.offer.offer_withdrawal_revoked.v1", of=Offer.OfferWithdrawalRevoked)
class OfferWithdrawalRevoked(PublicEvent):
    """The offer stays on sale."""

    offer_id: Annotated[UUID, Own]
    withdrawn_on: date
