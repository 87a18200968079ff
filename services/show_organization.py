"""Show an organization: what is fixed of it, for everybody who belongs to it."""

from uuid import UUID

from domain.kernel import Value
from domain.organization import OrganizationFacts
from services.command import Actor
from services.ledger import Ledger
from services.may import standing_seen


class ShowOrganization(Value):
    organization_id: UUID
    actor: Actor


def show_organization(ledger: Ledger, query: ShowOrganization) -> OrganizationFacts:
    """In any role that the caller has; who has which, and its policies, is for those who manage them."""
    return standing_seen(ledger, query).organization.facts
