"""My products: what the caller bought, with the licenses of each product summed."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from adapters.http.answers import Page, shown
from adapters.http.callers import ORGANIZATION, PurchaserReads
from domain.subscription import Channel
from services.list_my_products import ListMyProducts, list_my_products
from services.ports_reads import ProductLicenses

routes = APIRouter(prefix=ORGANIZATION, tags=["purchases"])


@routes.get(
    "/products",
    operation_id="list_my_products",
    summary="List the caller's products",
    response_model=Page[ProductLicenses],
)
def list_mine(call: PurchaserReads, channel: Channel | None = None) -> Response:
    """License sums over the caller's subscriptions that give access or can be taken up again."""
    query = call.wish(ListMyProducts, channel=channel)
    found = list_my_products(call.house.ledger, call.house.views, query)
    return shown(Page[ProductLicenses](items=list(found)))
