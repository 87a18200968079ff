"""List policies: what the organization decided about each self-service product."""

from collections.abc import Iterable
from uuid import UUID

from domain.kernel import Value
from domain.product import Policy, ProductFacts
from services.command import Actor
from services.ledger import Ledger
from services.may import may, standing_seen


class ListPolicies(Value):
    organization_id: UUID
    actor: Actor


class PolicyListed(Value):
    """The policy of a product, and those that it offers."""

    product_id: str
    product: str
    policy: Policy
    allowed: tuple[Policy, ...]


class PoliciesListed(Value):
    """At a version of the organization, on which a change can be decided."""

    organization_version: int
    policies: tuple[PolicyListed, ...]


def list_policies(ledger: Ledger, query: ListPolicies, products: Iterable[ProductFacts]) -> PoliciesListed:
    """For those who set them; of the products of the catalog those that are sold by self-service."""
    organization = standing_seen(ledger, query).organization
    may(query.actor, "set the policy")
    listed = [
        PolicyListed(
            product_id=product.product_id,
            product=product.name,
            policy=organization.policy_of(product.product_id),
            allowed=product.policies,
        )
        for product in products
        if product.self_service
    ]
    return PoliciesListed(organization_version=organization.version, policies=tuple(listed))
