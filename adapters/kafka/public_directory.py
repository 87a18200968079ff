"""What others may know of organizations and their members: pseudonymous ids, and no personal data."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from adapters.kafka.public_values import OrganizationDescription, Own, PublicEvent, PublicValue, public, words
from domain.member import Kind, Member
from domain.organization import GrantedRole, Organization
from domain.personal import ErasureReason, Purpose
from domain.product import Policy


@public("seatledger.organization.organization_created.v1", of=Organization.OrganizationCreated)
class OrganizationCreated(PublicEvent):
    """Sent once for each organization, as the first event of its sequence; the catalog has none.

    It can buy from now on; what is named here never changes.
    """

    organization_id: Annotated[UUID, Own]
    organization: OrganizationDescription
    first_admin_id: UUID


@public("seatledger.organization.role_granted.v1", of=Organization.RoleGranted)
class RoleGranted(PublicEvent):
    """Sent when a member gets a role in the organization, beside those it has.

    It holds until it is revoked or the member is removed.
    """

    organization_id: Annotated[UUID, Own]
    member_id: UUID
    role: Annotated[str, words(GrantedRole)]


@public("seatledger.organization.role_revoked.v1", of=Organization.RoleRevoked)
class RoleRevoked(PublicEvent):
    """Sent when a member loses a role, also by leaving.

    An organization always has an administrator.
    """

    organization_id: Annotated[UUID, Own]
    member_id: UUID
    role: Annotated[str, words(GrantedRole)]


@public("seatledger.organization.self_service_policy_set.v1", of=Organization.SelfServicePolicySet)
class SelfServicePolicySet(PublicEvent):
    """Sent when the organization decides who may buy a product by themselves.

    It holds from now on; what was bought stays.
    """

    organization_id: Annotated[UUID, Own]
    product_id: str
    policy: Annotated[str, words(Policy)]
    policy_before: Annotated[str, words(Policy)]


@public("seatledger.organization.full_credit_given.v1", of=Organization.FullCreditGiven)
class FullCreditGiven(PublicEvent):
    """Sent when more days than were unused are credited for a product.

    That happens once in 30 days.
    """

    organization_id: Annotated[UUID, Own]
    product_id: str
    subscription_id: UUID
    given_at: datetime
    given_before_at: datetime | None


@public("seatledger.organization.simulation_advanced.v1", of=Organization.SimulationAdvanced)
class SimulationAdvanced(PublicEvent):
    """Sent when the time of a simulated organization moves on.

    What is due there is due by this time and no clock's.
    """

    organization_id: Annotated[UUID, Own]
    advanced_to: datetime


@public("seatledger.member.member_added.v1", of=Member.MemberAdded)
class MemberAdded(PublicEvent):
    """Sent once for each member, known by a pseudonymous id.

    It can hold licenses from now on.
    """

    member_id: Annotated[UUID, Own]
    kind: Annotated[str, words(Kind)]


@public("seatledger.member.member_deactivated.v1", of=Member.MemberDeactivated)
class MemberDeactivated(PublicEvent):
    """Sent when a member is deactivated.

    The member keeps licenses and gets no new ones.
    """

    member_id: Annotated[UUID, Own]


@public("seatledger.member.member_reactivated.v1", of=Member.MemberReactivated)
class MemberReactivated(PublicEvent):
    """Sent when a deactivated member is active again.

    It can get licenses again.
    """

    member_id: Annotated[UUID, Own]


@public("seatledger.member.member_removed.v1", of=Member.MemberRemoved)
class MemberRemoved(PublicEvent):
    """Sent when a member leaves the organization.

    Licenses and roles end with it, and an event of their own says so.
    """

    member_id: Annotated[UUID, Own]


@public("seatledger.member.member_restored.v1", of=Member.MemberRestored)
class MemberRestored(PublicEvent):
    """Sent when a member who had left is back.

    Licenses and roles do not come back by themselves.
    """

    member_id: Annotated[UUID, Own]


class ErasedFact(PublicValue):
    """A personal fact that was erased: for what it was known, and nothing of what it said."""

    purpose: Annotated[str, words(Purpose)]


@public("seatledger.member.personal_data_erased.v1", of=Member.PersonalDataErased)
class PersonalDataErased(PublicEvent):
    """Sent when what was known of a member who has left is erased.

    Whoever keeps names or addresses of the member, from the API or a directory, erases them too.
    """

    member_id: Annotated[UUID, Own]
    reason: Annotated[str, words(ErasureReason)]
    erased: tuple[ErasedFact, ...]
