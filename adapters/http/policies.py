"""Self-service policies: which products users may buy by themselves."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path
from starlette.responses import Response

from adapters.http.answers import Body, Done, Page, done, shown
from adapters.http.callers import ORGANIZATION, AdminChanges, AdminReads
from adapters.http.catalog import today
from adapters.http.tags import tag_of
from domain.product import Policy
from services.list_policies import ListPolicies, PolicyListed, list_policies
from services.set_self_service_policy import SetSelfServicePolicy, set_self_service_policy

routes = APIRouter(prefix=ORGANIZATION, tags=["policies"])

ProductId = Annotated[str, Path(min_length=1, max_length=256, description="A self-service product.")]


@routes.get("/policies", operation_id="list_policies", summary="List policies", response_model=Page[PolicyListed])
def list_all(call: AdminReads) -> Response:
    """Of every self-service product, with what it can be. The ETag is for a change of any of them."""
    products = [listed.product for listed in call.house.catalog.listed(today(call))]
    found = list_policies(call.house.ledger, call.wish(ListPolicies), products)
    return shown(Page[PolicyListed](items=list(found.policies)), tag=tag_of(found.organization_version))


class PolicySet(Body):
    policy: Policy


@routes.put(
    "/policies/{product_id}", operation_id="set_policy", summary="Set the policy of a product", response_model=Done
)
def set_policy(call: AdminChanges, product_id: ProductId, body: PolicySet) -> Response:
    """From now on, for purchases, increases and reactivations; what was bought stays and renews."""
    command = call.wish(SetSelfServicePolicy, [call.organization_id], product_id=product_id, policy=body.policy)
    return done(call, set_self_service_policy(call.house.ledger, command), Done)
