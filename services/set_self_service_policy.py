"""Self-service policy: whether the organization's users may buy a product by themselves."""

from pydantic import Field

from domain.product import Policy
from services.command import Command, Text
from services.ledger import Ledger, operation
from services.may import may, standing_of
from services.ports import Receipt


class SetSelfServicePolicy(Command):
    product_id: Text = Field(min_length=1, max_length=256)
    policy: Policy


@operation
def set_self_service_policy(ledger: Ledger, command: SetSelfServicePolicy) -> Receipt:
    """From now on; what was bought stays as it is."""
    standing = standing_of(ledger, command)
    may(command.actor, "set the policy")
    product = ledger.product(command.product_id)
    organization = standing.organization
    organization.set_policy(product.product, command.policy)
    return ledger.save(organization, seen=standing.seen, because=command, at=ledger.now(organization))
