"""The application: every resource's routes, the gate before them, and the document that describes them."""

from __future__ import annotations

import importlib.metadata
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from anyio.to_thread import current_default_thread_limiter
from fastapi import APIRouter, FastAPI

from adapters.http import (
    audit,
    audit_moments,
    audit_money,
    audit_pack,
    billing_profiles,
    buying,
    catalog,
    feed,
    invoices,
    licenses,
    members,
    my_products,
    operations,
    organizations,
    payment_methods,
    policies,
    privacy,
    proofs,
    purchases,
    quotes,
    roles,
    subscriptions,
)
from adapters.http.bearers import Bearers
from adapters.http.document import described
from adapters.http.errors import handlers
from adapters.http.gate import Gate
from adapters.http.house import ApiHouse
from adapters.http.observed import Gauges, Observed
from adapters.http.rates import Rates
from adapters.http.waiting import Waiting

ROUTERS: Sequence[APIRouter] = (  # asked in this order, so that what is asked often comes first
    purchases.routes,
    licenses.routes,
    buying.routes,
    subscriptions.routes,
    feed.routes,
    my_products.routes,
    quotes.routes,
    invoices.routes,
    billing_profiles.routes,
    payment_methods.routes,
    catalog.routes,
    members.routes,
    roles.routes,
    policies.routes,
    organizations.routes,
    audit.routes,
    audit_moments.routes,
    audit_money.routes,
    audit_pack.routes,
    proofs.routes,
    privacy.routes,
    operations.routes,
)
WAITING = 2  # calls let in for each that is worked on


def create_app(house: ApiHouse, bearers: Bearers) -> FastAPI:
    """The application on a house whose parts are open."""
    settings = house.settings
    app = routed()
    app.state.house = house
    gauges = Gauges()
    app.state.gauges = gauges
    app.state.watch = operations.Watch(house.database_url)
    gauges.registry.register(app.state.watch)
    app.state.waiting = Waiting(house.feed)
    # The last one added is the first that sees a request.
    rates = Rates(settings.api_rate_per_key, settings.api_rate_per_organization)
    app.add_middleware(Gate, bearers=bearers, rates=rates, at_a_time=settings.api_concurrency * WAITING)
    app.add_middleware(Observed, gauges=gauges)
    return app


def routed() -> FastAPI:
    """The routes with their document, without anything to answer from."""
    app = FastAPI(
        title="seatledger",
        version=importlib.metadata.version("seatledger"),
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        exception_handlers=handlers(),
        telemetry={"tracing": False},
    )
    for routes in ROUTERS:
        app.include_router(routes)
    app.openapi = lambda: described(app)  # type: ignore[method-assign]
    return app


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Routes run in threads, as many as requests are worked on at a time."""
    current_default_thread_limiter().total_tokens = app.state.house.settings.api_concurrency
    yield
    app.state.house.close()
