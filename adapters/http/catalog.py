"""The catalog: products and what their offers cost, for everybody; what operators do with it."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field, StrictInt
from starlette.responses import Response

from adapters.catalog.currency import MAXIMUM_MINOR, exponent_of
from adapters.http.answers import Body, Done, Page, done, shown
from adapters.http.call import Call
from adapters.http.callers import DoesInCatalog, ReadsCatalog
from adapters.http.pages import Cursor, Limit
from adapters.http.words import Day, YesNo
from domain.calendar import BillingPlan, Term, utc_date
from domain.product import Policy
from services.command import Text
from services.import_catalog import ImportCatalog, import_catalog
from services.list_catalog import OfferListed, ProductListed, SeePrices, may_see_prices
from services.schedule_price import SchedulePrice, schedule_price
from services.withdraw_offer import WithdrawOffer, withdraw_offer

routes = APIRouter(prefix="/v1/catalog", tags=["catalog"])

OfferId = Annotated[UUID, Path(description="The offer.")]
Price = Annotated[
    StrictInt, Field(ge=0, le=MAXIMUM_MINOR, description="Of one license per billing period, in the minor unit.")
]
NAME_LENGTH = 256
Name = Annotated[Text, Field(max_length=NAME_LENGTH)]
Code = Annotated[str, Field(min_length=1, max_length=NAME_LENGTH, pattern=r"^[!-.0-~]+$")]  # it stands in paths


class Offer(OfferListed):
    """An offer; `price` is that of a term which starts today (UTC), none when it is not on sale."""


class Product(BaseModel):
    """A product with its offers."""

    product_id: str
    name: str
    sku_part_number: str
    sku_id: UUID | None
    self_service: bool
    policies: tuple[Policy, ...] = Field(description="What an organization may decide about it.")
    offers: tuple[Offer, ...]


class OfferOfProduct(Offer):
    """An offer and the name of its product."""

    product_name: str
    self_service: bool


@routes.get("/products", operation_id="list_products", summary="List products", response_model=Page[Product])
def list_products(
    call: ReadsCatalog,
    *,
    on_sale: Annotated[bool, Query(description="Only what can be bought today.")] = False,
    name: Annotated[str, Query(max_length=NAME_LENGTH, description="Only whose name has this in it.")] = "",
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """By name, each with its offers at the price of today."""
    may_see_prices(call.house.ledger, call.wish(SeePrices, organization_id=call.home_id))
    question = ("products", on_sale, name)
    place = call.place(cursor, of=question)
    after = (str(place[0]), str(place[1])) if place else ("", "")
    found = [
        listed
        for listed in call.house.catalog.listed(today(call))
        if place_of(listed) > after
        and (not on_sale or any(offer.price for offer in listed.offers))
        and name.lower() in listed.product.name.lower()
    ]
    page = found[:limit]
    following = call.cursor(*place_of(page[-1]), of=question) if len(found) > limit else None
    return shown(Page[Product](items=[product_of(listed) for listed in page], next=following))


def today(call: Call) -> date:
    return utc_date(call.house.clock())


def place_of(listed: ProductListed) -> tuple[str, str]:
    """Where a product stands in the list."""
    return listed.product.name.lower(), listed.product.product_id


def product_of(listed: ProductListed) -> Product:
    offers = tuple(Offer.model_construct(**offer.__dict__) for offer in listed.offers)
    return Product.model_construct(**listed.product.__dict__, offers=offers)


@routes.get("/offers/{offer_id}", operation_id="show_offer", summary="Show one offer", response_model=OfferOfProduct)
def show_offer(call: ReadsCatalog, offer_id: OfferId) -> Response:
    """Its terms, its prices with those that are scheduled, and the price of today."""
    may_see_prices(call.house.ledger, call.wish(SeePrices, organization_id=call.home_id))
    listed, offer = call.house.catalog.offer(offer_id, today(call))
    product = listed.product
    return shown(
        OfferOfProduct.model_construct(**offer.__dict__, product_name=product.name, self_service=product.self_service)
    )


class ProductRow(Body):
    """A product as its publisher names it; `product_id` stays the same for ever."""

    product_id: Code
    name: Name = Field(min_length=1)
    sku_part_number: Name = ""
    sku_id: UUID | None = None
    self_service: YesNo
    policies: list[Policy] = Field(
        default_factory=list, max_length=3, description="What an organization may decide about it."
    )


class Terms(Body):
    """What stays the same for the life of an offer."""

    product_id: Code
    term: Term
    plan: BillingPlan
    currency: str = Field(pattern="^[A-Z]{3}$", description="ISO 4217, such as USD.")
    maximum: StrictInt = Field(ge=1, le=1_000_000, description="Licenses of one subscription.")


class OfferRow(Body):
    terms: Terms
    unit_price_minor: Price


class CatalogPart(Body):
    """A part of a catalog; a long one comes in several calls, products before their offers."""

    products: list[ProductRow] = Field(default_factory=list, max_length=2_000)
    offers: list[OfferRow] = Field(default_factory=list, max_length=2_000)


@routes.post("/imports", operation_id="import_catalog", summary="Import products and offers", response_model=Done)
def import_part(call: DoesInCatalog, body: CatalogPart) -> Response:
    """What is new is listed, what differs is described anew; an offer that exists keeps its price. For operators."""
    products = [
        {"sku_part_number": "", "sku_id": None, "policies": (), **row.model_dump(exclude_unset=True)}
        for row in body.products
    ]
    command = call.wish(ImportCatalog, products=products, offers=[offer_in(row) for row in body.offers])
    return done(call, import_catalog(call.house.ledger, command), Done)


def offer_in(row: OfferRow) -> dict[str, Any]:
    """The row with the decimals of its currency, which nobody has to say."""
    terms = {**row.terms.model_dump(), "currency_exponent": exponent_of(row.terms.currency)}
    return {"terms": terms, "unit_price_minor": row.unit_price_minor}


class PriceFrom(Body):
    """A price for terms that start on a day, or later."""

    effective_on: Day = Field(description="After today (UTC).")
    unit_price_minor: Price


@routes.post(
    "/offers/{offer_id}/prices", operation_id="schedule_price", summary="Schedule a price", response_model=Done
)
def schedule(call: DoesInCatalog, offer_id: OfferId, body: PriceFrom) -> Response:
    """Running terms keep theirs. One price for a day: withdraw one before another takes its place. For operators."""
    command = call.wish(SchedulePrice, offer_id=offer_id, **body.given())
    return done(call, schedule_price(call.house.ledger, command), Done)


@routes.delete(
    "/offers/{offer_id}/prices/{effective_on}",
    operation_id="withdraw_price",
    summary="Withdraw a price before it takes effect",
    response_model=Done,
)
def withdraw_price(
    call: DoesInCatalog,
    offer_id: OfferId,
    effective_on: Annotated[Day, Path(description="The day on which the price would take effect.")],
) -> Response:
    """The price before it goes on. For operators."""
    command = call.wish(SchedulePrice, offer_id=offer_id, effective_on=effective_on, unit_price_minor=None)
    return done(call, schedule_price(call.house.ledger, command), Done)


class Withdrawal(Body):
    withdrawn_on: Day = Field(description="The first day without the offer; after today (UTC).")


@routes.post(
    "/offers/{offer_id}/withdrawal", operation_id="withdraw_offer", summary="Withdraw an offer", response_model=Done
)
def withdraw(call: DoesInCatalog, offer_id: OfferId, body: Withdrawal) -> Response:
    """From that day on it is not sold and does not renew; running terms go on. For operators."""
    command = call.wish(WithdrawOffer, offer_id=offer_id, withdrawn_on=body.withdrawn_on)
    return done(call, withdraw_offer(call.house.ledger, command), Done)


@routes.delete(
    "/offers/{offer_id}/withdrawal",
    operation_id="revoke_withdrawal",
    summary="Take a withdrawal back before it takes effect",
    response_model=Done,
)
def revoke_withdrawal(call: DoesInCatalog, offer_id: OfferId) -> Response:
    """The offer stays on sale. For operators."""
    command = call.wish(WithdrawOffer, offer_id=offer_id, withdrawn_on=None)
    return done(call, withdraw_offer(call.house.ledger, command), Done)
