"""One run of a verb: the parts it may use, who acts, and for which organization."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, TypeVar
from uuid import UUID

from pydantic import ValidationError

from adapters.cli.answer import Answer
from adapters.cli.failure import BadInput, bad_input_of
from adapters.composition import House
from domain.envelope import Role
from domain.kernel import Value
from domain.organization import Organization, OrganizationFacts, organization_id_of
from domain.refusals import NotFound
from services.command import Actor, Command
from services.ports import Directory, Receipt
from services.till import Till

V = TypeVar("V", bound=Value)

OPERATOR: Literal["operator"] = "operator"
OPERATOR_ID = UUID("0d8f4ac1-5c55-5d6b-9f3c-3c2f1f0f7a11")  # who operates this installation, by command line


@dataclass
class Call:
    """One run of a verb: the parts it may use, who acts, and for which organization."""

    house: House
    handle: str | None
    user_name: str | None
    role: Role
    otherwise: Role | None  # the role of members who do not have that one
    asked_role: Role | None
    command_id: UUID
    as_json: bool
    reading: str = ""  # the verb, as the record of an auditor's reading has it
    known_names: dict[UUID, str] = field(default_factory=dict)  # for refusals that name ids

    @cached_property
    def organization_id(self) -> UUID:
        if not self.handle:
            raise BadInput("say which organization: --org HANDLE, or set SEATLEDGER_ORG")
        return organization_id_of(self.handle)

    @cached_property
    def organization(self) -> OrganizationFacts:
        """What is fixed of the organization."""
        found = self.house.ledger.find(Organization, self.organization_id, self.organization_id)
        if found is None:
            raise NotFound(what="organization", key=self.handle)
        return found.facts

    @cached_property
    def till(self) -> Till:
        """What moves money and taxes it, at the organization's own time."""
        return self.house.till_of(self.organization_id)

    @cached_property
    def actor(self) -> Actor:
        """Who acts. The command line vouches for the identity, the services check the role."""
        if not self.user_name and self.role == OPERATOR:
            return Actor(id=OPERATOR_ID, role=OPERATOR)
        if not self.user_name:
            raise BadInput("say who acts: --as USER_NAME or --as operator, or set SEATLEDGER_AS")
        if self.user_name == OPERATOR:
            if self.asked_role:
                raise BadInput("an operator has no other role; leave --role out, or name a member with --as")
            return Actor(id=OPERATOR_ID, role=OPERATOR)
        if self.role == OPERATOR and not self.handle:
            raise BadInput(f"{self.user_name} cannot do this, an operator can; say --as operator")
        _ = self.organization  # an unknown one is named before an unknown user
        found = self.house.directory.member_ids(self.organization_id, [self.user_name])
        if not found:
            raise NotFound(what="user", key=self.user_name)
        member_id = next(iter(found.values()))
        self.known_names[member_id] = self.user_name
        return Actor(id=member_id, role=self.asked_role or self._usual_role(member_id))

    @cached_property
    def directory(self) -> Directory:
        """Who is called what, as far as who acts may know."""
        return self.house.directory_for(self.actor, self.organization_id, self.reading)

    def _usual_role(self, member_id: UUID) -> Role:
        if self.otherwise is None:
            return self.role
        organization = self.house.ledger.organization(self.organization_id)
        return self.role if organization.has_role(member_id, self.role) else self.otherwise

    def refuse_members(self) -> None:
        """For what only who operates the installation does, also of one organization."""
        if self.actor.id != OPERATOR_ID:
            raise BadInput(f"{self.user_name} cannot do this, an operator can; say --as operator")

    def wish(self, kind: type[V], **fields: Any) -> V:
        """A command or query of this call; what its types refuse is bad input."""
        common: dict[str, Any] = {"actor": self.actor}
        if "organization_id" in kind.model_fields and "organization_id" not in fields:
            common["organization_id"] = self.organization_id
        if issubclass(kind, Command):
            common["command_id"] = self.command_id
        try:
            return kind(**{**common, **fields})
        except ValidationError as error:
            raise bad_input_of(error) from None

    def answer(self, receipt: Receipt, shown: str, *, organization_id: UUID | None = None, **more: Any) -> Answer:
        """What was recorded because of the command. Told nothing: it was so already."""
        organization_id = organization_id or self.organization_id
        told = self.house.ledger.told(organization_id, receipt) if receipt.events else []
        data = {
            "command_id": self.command_id,
            "organization_id": organization_id,
            "position": receipt.position,
            "organization_seq": receipt.organization_seq,
            "events": [event_data(event) for event in told],
            **more,
        }
        return Answer(data, shown if told else f"{shown} (it was so already)")


def event_data(event: Any) -> dict[str, Any]:
    """An event as JSON has it: what it is called, whose it is, and its facts."""
    facts = event.model_dump(
        mode="json", exclude={"originator_id", "originator_version", "timestamp", "originator_topic"}
    )
    return {
        "event": type(event).TOPIC.removeprefix("seatledger."),
        "id": str(event.originator_id),
        "version": event.originator_version,
        "facts": facts,
    }
