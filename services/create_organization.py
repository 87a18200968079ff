"""Create an organization with its first admin."""

from uuid import UUID

from pydantic import Field

from domain.organization import CATALOG_HANDLE, Organization, OrganizationFacts, organization_id_of
from domain.refusals import OrganizationExists
from services.command import Command
from services.import_members import MemberRow, add_member
from services.ledger import Ledger, operation
from services.may import may
from services.ports import Receipt


class CreateOrganization(Command):
    """`organization_id` belongs to the handle; the first admin is its first member."""

    facts: OrganizationFacts
    first_admin: MemberRow = Field(repr=False)

    @property
    def first_admin_id(self) -> UUID:
        return self.new_id("member:0")


@operation
def create_organization(ledger: Ledger, command: CreateOrganization) -> Receipt:
    """The handle decides the id, so that no two organizations can share one."""
    may(command.actor, "create organizations")
    taken = OrganizationExists(handle=command.facts.handle)
    if command.facts.handle == CATALOG_HANDLE or command.organization_id != organization_id_of(command.facts.handle):
        raise taken
    if ledger.find(Organization, command.organization_id, command.organization_id):
        raise taken
    organization = Organization.create(command.facts, first_admin_id=command.first_admin_id)
    admin, facts = add_member(ledger, command, 0, command.first_admin)
    return ledger.save(organization, admin, facts=facts, because=command, at=ledger.now())
