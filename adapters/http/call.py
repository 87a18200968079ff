"""One call of the API: who calls, in which role, for which organization, and the parts of the house it may use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar
from uuid import UUID, uuid5

from adapters.http.house import ApiHouse
from adapters.http.principal import Principal
from adapters.http.tags import versions_of
from domain.envelope import Role
from domain.kernel import Value
from domain.organization import organization_id_of
from domain.refusals import NotAllowed
from services.command import Actor, Command
from services.may import HOUSE
from services.ports import Directory
from services.till import Till

V = TypeVar("V", bound=Value)


@dataclass
class Call:
    """Made for each request; what it looks up is looked up when it is first asked for, in the route's thread."""

    house: ApiHouse
    principal: Principal
    organization_id: UUID
    asked_role: Role | None
    usual_role: Role  # of a member who does not say
    correlation_id: UUID
    reading: str = ""  # the operation, as the record of an auditor's reading has it
    handle: str | None = None  # of the organization; none for the catalog
    at_least: int = 0
    idempotency_key: str | None = None
    seen: tuple[int, ...] | None = None  # versions, by If-Match; None: whatever there is

    @cached_property
    def actor(self) -> Actor:
        """Who acts. The token vouches for the identity and the house's own roles, the services check a member's role.

        A member is looked up in the organization that the token names, also where the call is about the catalog.
        """
        principal = self.principal
        if principal.actor_id is not None and principal.kind != "member":
            if self.asked_role not in {None, principal.kind}:
                raise NotAllowed(action=f"act as {self.asked_role}", remedy=f"this token is of the {principal.kind}")
            return Actor(id=principal.actor_id, role=principal.kind)
        role = self.asked_role or self.usual_role
        if role in HOUSE:
            raise NotAllowed(action=f"act as {role}", remedy="members have no role in the house; leave the role out")
        member_id = self.house.member_named(self.home_id, principal.user_name or "")
        if member_id is None:
            raise NotAllowed(
                action="act in this organization", remedy="your user is no member of it; ask an admin to import you"
            )
        return Actor(id=member_id, role=role)

    @property
    def home_id(self) -> UUID:
        """The organization that the caller belongs to; the house's own belong to the one that the call is about."""
        own = self.principal.organization
        return organization_id_of(own) if own is not None else self.organization_id

    @cached_property
    def command_id(self) -> UUID:
        """The same for the same key of the same caller in the same organization, for ever."""
        return uuid5(self.organization_id, f"http:{self.actor.id}:{self.idempotency_key}")

    @cached_property
    def directory(self) -> Directory:
        """Who is called what, as far as who calls may know."""
        return self.house.directory_for(self.actor, self.organization_id, self.reading)

    @cached_property
    def till(self) -> Till:
        """What moves money and taxes it, at the organization's own time."""
        return self.house.till_of(self.organization_id)

    def wish(self, kind: type[V], decided_on: Sequence[UUID] = (), **fields: Any) -> V:
        """A command or query of this call; `decided_on` are the aggregates that If-Match is about.

        What its types refuse raises a pydantic ValidationError, which is told as bad input.
        """
        common: dict[str, Any] = {"actor": self.actor}
        known = kind.model_fields
        if "organization_id" in known:
            common["organization_id"] = self.organization_id
        if "at_least" in known:
            common["at_least"] = self.at_least
        if issubclass(kind, Command):
            common |= {"command_id": self.command_id, "correlation_id": self.correlation_id}
            if decided_on:
                common["if_versions"] = versions_of(decided_on, self.seen)
        return kind(**{**common, **fields})

    def path_of(self, path: str) -> str:
        """Where something of this organization is found: `/subscriptions/…` within its own paths."""
        return f"/v1/organizations/{self.handle}{path}"

    def cursor(self, *place: Any, of: Sequence[object]) -> str:
        """Where the next page starts, for the same question of the same caller only."""
        return self.house.cursors.write(place, self.organization_id, self.actor.id, self.actor.role, *of)

    def place(self, cursor: str | None, *, of: Sequence[object]) -> list[Any] | None:
        """What a cursor says; None without one."""
        if cursor is None:
            return None
        return self.house.cursors.read(cursor, self.organization_id, self.actor.id, self.actor.role, *of)
