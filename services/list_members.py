"""List members: those one of whose names begins as asked."""

from collections.abc import Mapping, Sequence
from typing import Protocol
from uuid import UUID

from pydantic import ConfigDict, Field

from domain.kernel import Value
from domain.member import Kind, Status
from domain.personal import Purpose
from domain.refusals import NotAllowed
from services.command import Actor, Text
from services.ledger import Ledger
from services.may import may, standing_seen
from services.ports import Directory


class SearchableDirectory(Directory, Protocol):
    def search(self, organization_id: UUID, prefix: str, limit: int) -> Sequence[UUID]:
        """The members one of whose names begins so, regardless of case, in the order of that name."""


class ListMembers(Value):
    model_config = ConfigDict(hide_input_in_errors=True)  # a name is personal, and errors are logged

    organization_id: UUID
    actor: Actor
    name: Text = Field(default="", max_length=256, repr=False)
    limit: int = Field(default=100, ge=1, le=10_000)


class MemberListed(Value):
    member_id: UUID
    kind: Kind
    status: Status
    roles: tuple[str, ...]
    details: Mapping[Purpose, str] = Field(repr=False)


def list_members(ledger: Ledger, directory: SearchableDirectory, query: ListMembers) -> list[MemberListed]:
    """For those who give licenses to members, or manage them; an auditor is told names under a grant alone."""
    organization = standing_seen(ledger, query).organization
    may(query.actor, "assign licenses")
    if query.actor.role == "purchaser" and organization.has_role(query.actor.id, "auditor"):
        raise NotAllowed(action="list members", remedy="you are an auditor; read names under a grant: audit facts")
    ids = directory.search(query.organization_id, query.name, query.limit)
    details = directory.details(query.organization_id, ids)
    members = ledger.members(query.organization_id, ids)
    return [
        MemberListed(
            member_id=member.id,
            kind=member.kind,
            status=member.status,
            roles=tuple(sorted(organization.roles.get(member.id, ()))),
            details=details.get(member.id, {}),
        )
        for member in filter(None, (members[member_id] for member_id in ids))
    ]
