"""Organization: the tenant, its administrators and its self-service policy."""

from datetime import datetime, timedelta
from typing import ClassVar, Literal
from uuid import UUID, uuid5

from eventsourcing.domain import event
from pydantic import AwareDatetime, Field

from domain.kernel import Aggregate, AggregateBorn, Value
from domain.product import Policy, ProductFacts
from domain.refusals import LastAdmin, NoSimulation, PolicyNotOffered, SelfServiceDisabled

GrantedRole = Literal["admin", "billing_reader", "auditor"]  # a purchaser is any member who is not a guest

ORGANIZATIONS = UUID("6f3f4e35-7c5d-5a39-9f4e-3f6a8b1c0d27")  # the namespace of organization ids
CATALOG_HANDLE = "catalog"
FULL_CREDIT_EVERY = timedelta(days=30)


def organization_id_of(handle: str) -> UUID:
    """The id that belongs to a handle: no two organizations can have the same one."""
    return uuid5(ORGANIZATIONS, handle)


CATALOG = organization_id_of(CATALOG_HANDLE)


class OrganizationFacts(Value):
    """What is fixed at creation."""

    handle: str = Field(pattern="^[a-z0-9][a-z0-9-]{0,62}$")
    country: str = Field(pattern="^[A-Z]{2}$")
    currency: str = Field(pattern="^[A-Z]{3}$")
    currency_exponent: int = Field(ge=0, le=4)
    simulation: bool = False


class Organization(Aggregate):
    """Its id is the organization id. It is created with its first admin, and keeps one for ever."""

    TOPIC: ClassVar[str] = "seatledger.Organization"

    class OrganizationCreated(Aggregate.Event, AggregateBorn):
        TOPIC: ClassVar[str] = "seatledger.Organization.OrganizationCreated"
        organization: OrganizationFacts
        first_admin_id: UUID

    class RoleGranted(Aggregate.Event):
        TOPIC: ClassVar[str] = "seatledger.Organization.RoleGranted"
        member_id: UUID
        role: GrantedRole

    class RoleRevoked(Aggregate.Event):
        TOPIC: ClassVar[str] = "seatledger.Organization.RoleRevoked"
        member_id: UUID
        role: GrantedRole

    class SelfServicePolicySet(Aggregate.Event):
        TOPIC: ClassVar[str] = "seatledger.Organization.SelfServicePolicySet"
        product_id: str
        policy: Policy
        policy_before: Policy

    class FullCreditGiven(Aggregate.Event):
        TOPIC: ClassVar[str] = "seatledger.Organization.FullCreditGiven"
        product_id: str
        subscription_id: UUID
        given_at: AwareDatetime
        given_before_at: AwareDatetime | None

    class SimulationAdvanced(Aggregate.Event):
        TOPIC: ClassVar[str] = "seatledger.Organization.SimulationAdvanced"
        advanced_to: AwareDatetime

    class State(Aggregate.State):
        facts: OrganizationFacts
        roles: dict[UUID, list[GrantedRole]]  # in the order granted: a snapshot is the same in every process
        policies: dict[str, Policy]
        full_credits: dict[str, AwareDatetime]  # by product: the last credit of more days than were unused

    @classmethod
    def create(cls, facts: OrganizationFacts, *, first_admin_id: UUID) -> "Organization":
        return cls.born(
            cls.OrganizationCreated,
            id=organization_id_of(facts.handle),
            organization=facts,
            first_admin_id=first_admin_id,
        )

    # What may be asked.

    def has_role(self, member_id: UUID, role: str) -> bool:
        return role in self.roles.get(member_id, ())

    def policy_of(self, product_id: str) -> Policy:
        return self.policies.get(product_id, "Enabled")

    def refuse_unless_self_service(self, product_id: str) -> None:
        if (policy := self.policy_of(product_id)) != "Enabled":
            raise SelfServiceDisabled(product_id=product_id, policy=policy)

    def may_give_full_credit(self, product_id: str, at: datetime) -> bool:
        """One credit of more days than were unused per product in 30 days, or licenses re-bought daily cost nothing."""
        last = self.full_credits.get(product_id)
        return last is None or at >= last + FULL_CREDIT_EVERY

    def other_admins(self, member_id: UUID) -> list[UUID]:
        """Who administers besides this admin; refuses where there is nobody."""
        others = [admin for admin, held in self.roles.items() if "admin" in held and admin != member_id]
        if not others:
            raise LastAdmin(member_id=member_id)
        return others

    # Commands decide. Repeating one tells nothing.

    def grant(self, member_id: UUID, role: GrantedRole) -> None:
        if not self.has_role(member_id, role):
            self.tell(self.RoleGranted, member_id=member_id, role=role)

    def revoke(self, member_id: UUID, role: GrantedRole) -> None:
        if not self.has_role(member_id, role):
            return
        if role == "admin":
            self.other_admins(member_id)
        self.tell(self.RoleRevoked, member_id=member_id, role=role)

    def revoke_all(self, member_id: UUID) -> None:
        """What a member who is removed loses."""
        for role in sorted(self.roles.get(member_id, ())):
            self.revoke(member_id, role)

    def set_policy(self, product: ProductFacts, policy: Policy) -> None:
        if policy not in product.policies:
            raise PolicyNotOffered(product_id=product.product_id, policy=policy, allowed=product.policies)
        before = self.policy_of(product.product_id)
        if policy != before:
            self.tell(self.SelfServicePolicySet, product_id=product.product_id, policy=policy, policy_before=before)

    def give_full_credit(self, product_id: str, *, subscription_id: UUID, at: datetime) -> None:
        self.tell(
            self.FullCreditGiven,
            product_id=product_id,
            subscription_id=subscription_id,
            given_at=at,
            given_before_at=self.full_credits.get(product_id),
        )

    def advance(self, to: datetime) -> None:
        """A simulated organization lives at its own time; a real one at the clock's."""
        if not self.facts.simulation:
            raise NoSimulation(handle=self.facts.handle)
        if self.occurred_at is None or to > self.occurred_at:
            self.tell(self.SimulationAdvanced, advanced_to=to)

    # Events apply. No rule below this line: history must always replay.

    @event(OrganizationCreated)
    def __init__(self, organization: OrganizationFacts, first_admin_id: UUID) -> None:
        self.facts = organization
        self.roles: dict[UUID, list[GrantedRole]] = {first_admin_id: ["admin"]}
        self.policies: dict[str, Policy] = {}
        self.full_credits: dict[str, datetime] = {}

    @event(RoleGranted)
    def _granted(self, member_id: UUID, role: GrantedRole) -> None:
        self.roles.setdefault(member_id, []).append(role)

    @event(RoleRevoked)
    def _revoked(self, member_id: UUID, role: GrantedRole) -> None:
        self.roles[member_id].remove(role)

    @event(SelfServicePolicySet)
    def _policy_set(self, product_id: str, policy: Policy) -> None:
        self.policies[product_id] = policy

    @event(FullCreditGiven)
    def _full_credit_given(self, product_id: str, given_at: datetime) -> None:
        self.full_credits[product_id] = given_at

    @event(SimulationAdvanced)
    def _advanced(self) -> None:
        """Changes nothing: the time of its last event is the organization's time."""
