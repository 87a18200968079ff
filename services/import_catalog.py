"""Import the catalog: products, and offers of those that have a price."""

from collections.abc import Sequence
from typing import Annotated, TypeVar

from pydantic import AfterValidator, Field

from domain.calendar import utc_date
from domain.kernel import Aggregate, Value
from domain.offer import Offer, OfferTerms
from domain.product import Product, ProductFacts
from services.command import CatalogCommand, storable
from services.ledger import Ledger, offer_id_of, operation, product_aggregate_id
from services.may import may
from services.ports import Receipt

N = TypeVar("N", bound=Value)

NAME_LENGTH = 256


def storable_names(row: N) -> N:
    """Refuses a product or an offer one of whose texts no read table could store: history would be stuck with it."""
    for name, text in row:
        if isinstance(text, str) and len(storable(text)) > NAME_LENGTH:
            raise ValueError(f"{name} is longer than {NAME_LENGTH} characters")
    return row


class OfferRow(Value):
    """An offer and the price of one license per billing period, in minor units."""

    terms: Annotated[OfferTerms, AfterValidator(storable_names)]
    unit_price_minor: int = Field(ge=0)


class ImportCatalog(CatalogCommand):
    products: tuple[Annotated[ProductFacts, AfterValidator(storable_names)], ...] = Field(max_length=2_000)
    offers: tuple[OfferRow, ...] = Field(max_length=2_000)


@operation
def import_catalog(ledger: Ledger, command: ImportCatalog) -> Receipt:
    """Lists what is new and describes anew what differs; an offer that exists keeps its price.

    Of a product or offer given twice, the last row counts.
    """
    may(command.actor, "manage the catalog")
    at = ledger.now()
    products = _products(ledger, command.products)
    listed = {product.product.product_id for product in products}
    told: list[Aggregate] = [*products]
    for offer_id, row in {offer_id_of(row.terms): row for row in command.offers}.items():
        if ledger.find(Offer, command.organization_id, offer_id) is None:
            if row.terms.product_id not in listed:
                ledger.product(row.terms.product_id)  # refuses what nobody could find: an offer stays for ever
            told.append(Offer.publish(row.terms, row.unit_price_minor, id=offer_id, today=utc_date(at)))
    return ledger.save(*told, because=command, at=at)


def _products(ledger: Ledger, rows: Sequence[ProductFacts]) -> list[Product]:
    products = []
    for row in {row.product_id: row for row in rows}.values():
        product = ledger.find_product(row.product_id)
        if product is None:
            product = Product.list(row, id=product_aggregate_id(row.product_id))
        else:
            product.describe(row)
        products.append(product)
    return products
