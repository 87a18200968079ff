"""Product: what can be subscribed to. Products live in the reserved organization `catalog`."""

from typing import ClassVar, Literal
from uuid import UUID

from eventsourcing.domain import event

from domain.kernel import Aggregate, AggregateBorn, Value

Policy = Literal["Enabled", "OnlyTrialsWithoutPaymentMethod", "Disabled"]


class ProductFacts(Value):
    """A product as its publisher names it. `product_id` is the catalog's own code, the same for ever."""

    product_id: str
    name: str
    sku_part_number: str
    sku_id: UUID | None
    self_service: bool
    policies: tuple[Policy, ...]  # what an organization may choose; none unless sold by self-service


class Product(Aggregate):
    """A product and whether users may buy it by themselves."""

    TOPIC: ClassVar[str] = "seatledger.Product"

    class ProductListed(Aggregate.Event, AggregateBorn):
        TOPIC: ClassVar[str] = "seatledger.Product.ProductListed"
        product: ProductFacts

    class ProductDescribedAnew(Aggregate.Event):
        TOPIC: ClassVar[str] = "seatledger.Product.ProductDescribedAnew"
        product: ProductFacts
        product_before: ProductFacts

    class State(Aggregate.State):
        product: ProductFacts

    @classmethod
    def list(cls, product: ProductFacts, *, id: UUID) -> "Product":  # noqa: A002 - the library's word
        return cls.born(cls.ProductListed, id=id, product=product)

    def describe(self, product: ProductFacts) -> None:
        if product != self.product:
            self.tell(self.ProductDescribedAnew, product=product, product_before=self.product)

    # Events apply. No rule below this line: history must always replay.

    @event(ProductListed)
    def __init__(self, product: ProductFacts) -> None:
        self.product = product

    @event(ProductDescribedAnew)
    def _described(self, product: ProductFacts) -> None:
        self.product = product
