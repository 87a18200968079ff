"""policy: set, list."""

from __future__ import annotations

from typing import Annotated

import typer

from adapters.cli.answer import Answer, table
from adapters.cli.call import Call
from adapters.cli.failure import BadInput
from adapters.cli.find import catalog_of, find_product
from adapters.cli.groups import policies
from adapters.cli.verb import verb
from domain.product import Policy
from services.list_policies import ListPolicies, list_policies
from services.set_self_service_policy import SetSelfServicePolicy, set_self_service_policy


@verb(policies, "set", role="admin", command=True)
def set_policy(
    call: Call,
    product: Annotated[str, typer.Argument(help="A self-service product, by name or id.")],
    policy: Annotated[Policy, typer.Argument(help="Enabled, OnlyTrialsWithoutPaymentMethod or Disabled.")],
) -> Answer:
    """Decides whether users may buy a product by themselves, from now on.

    Example: `seatledger policy set "Power BI Pro" Disabled --org contoso --as chris@contoso.com`
    """
    listed = find_product(call, product).product
    if not listed.self_service:
        raise BadInput(f"{listed.name} is not sold by self-service, so it has no policy; see `seatledger policy list`")
    command = call.wish(SetSelfServicePolicy, product_id=listed.product_id, policy=policy)
    return call.answer(set_self_service_policy(call.house.ledger, command), f"{listed.name}: {policy}")


@verb(policies, "list", role="admin")
def show(call: Call) -> Answer:
    """Shows the policy of every self-service product.

    Example: `seatledger policy list --org contoso --as chris@contoso.com`
    """
    listed = list_policies(call.house.ledger, call.wish(ListPolicies), [listed.product for listed in catalog_of(call)])
    data = [one.model_dump() for one in listed.policies]
    rows = [(one.product, one.product_id, one.policy, ", ".join(one.allowed)) for one in listed.policies]
    return Answer({"policies": data}, table("Self-service", ("product", "id", "policy", "can be"), rows))
