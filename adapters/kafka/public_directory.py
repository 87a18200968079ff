"""What others may know of organizations and their members: pseudonymous ids, and no personal data."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from adapters.kafka.public_values import OrganizationDescription, Own, PublicEvent, public, words
from domain.member import Kind, Member
from domain.organization import GrantedRole, Organization
from domain.product import Policy


@public("seatledger.organization.organization_created.v1", of=Organization.OrganizationCreated)
class OrganizationCreated(PublicEvent):
    """An organization can buy."""

    organization_id: Annotated[UUID, Own]
    organization: OrganizationDescription
    first_admin_id: UUID


@public("seatledger.organization.role_granted.v1", of=Organization.RoleGranted)
class RoleGranted(PublicEvent):
    """A member has a role."""

    organization_id: Annotated[UUID, Own]
    member_id: UUID
    role: Annotated[str, words(GrantedRole)]


@public("seatledger.organization.role_revoked.v1", of=Organization.RoleRevoked)
class RoleRevoked(PublicEvent):
    """A member no longer has a role."""

    organization_id: Annotated[UUID, Own]
    member_id: UUID
    role: Annotated[str, words(GrantedRole)]


@public("seatledger.organization.self_service_policy_set.v1", of=Organization.SelfServicePolicySet)
class SelfServicePolicySet(PublicEvent):
    """The organization decided who may buy a product by themselves."""

    organization_id: Annotated[UUID, Own]
    product_id: str
    policy: Annotated[str, words(Policy)]
    policy_before: Annotated[str, words(Policy)]


@public("seatledger.organization.full_credit_given.v1", of=Organization.FullCreditGiven)
class FullCreditGiven(PublicEvent):
    """More days than were unused were credited for a product, which happens once in 30 days."""

    organization_id: Annotated[UUID, Own]
    product_id: str
    subscription_id: UUID
    given_at: datetime
    given_before_at: datetime | None


@public("seatledger.organization.simulation_advanced.v1", of=Organization.SimulationAdvanced)
class SimulationAdvanced(PublicEvent):
    """The time of a simulated organization has moved on; what is due there, is due by this time and no clock's."""

    organization_id: Annotated[UUID, Own]
    advanced_to: datetime


@public("seatledger.member.member_added.v1", of=Member.MemberAdded)
class MemberAdded(PublicEvent):
    """The organization has another member, known by a pseudonymous id."""

    member_id: Annotated[UUID, Own]
    kind: Annotated[str, words(Kind)]


@public("seatledger.member.member_deactivated.v1", of=Member.MemberDeactivated)
class MemberDeactivated(PublicEvent):
    """The member keeps licenses and gets no new ones."""

    member_id: Annotated[UUID, Own]


@public("seatledger.member.member_reactivated.v1", of=Member.MemberReactivated)
class MemberReactivated(PublicEvent):
    """The member can get licenses again."""

    member_id: Annotated[UUID, Own]


@public("seatledger.member.member_removed.v1", of=Member.MemberRemoved)
class MemberRemoved(PublicEvent):
    """The member has left the organization."""

    member_id: Annotated[UUID, Own]


@public("seatledger.member.member_restored.v1", of=Member.MemberRestored)
class MemberRestored(PublicEvent):
    """A member who had left is back."""

    member_id: Annotated[UUID, Own]
