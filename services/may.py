"""Who may do what: one table, deny by default."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol
from uuid import UUID

from domain.auditor_access import AuditorAccess, access_id_of
from domain.envelope import Role
from domain.kernel import Aggregate
from domain.member import Member
from domain.organization import Organization
from domain.refusals import LastAdmin, NotAllowed, NotFound
from domain.subscription import Subscription
from services.command import Actor
from services.ledger import Ledger

Action = Literal[
    "buy",
    "buy centrally",
    "change licenses",
    "assign licenses",
    "cancel",
    "see prices",
    "list purchases",
    "set the policy",
    "manage members",
    "manage roles",
    "manage the catalog",
    "create organizations",
    "run the life cycle",
    "keep payment methods",
    "be billed",
    "see invoices",
    "pay invoices",
    "see upcoming",
    "take over",
    "audit",
    "follow events",
    "erase personal facts",
    "export personal facts",
    "open personal facts",
    "list grants",
]
Reach = Literal["all", "own", "central"]  # every one, the actor's own, or those bought centrally

PERMISSIONS: dict[Action, dict[Role, Reach]] = {
    "buy": {"purchaser": "all"},
    "buy centrally": {"admin": "all", "operator": "all"},
    "change licenses": {"purchaser": "own", "admin": "central", "operator": "central"},
    "assign licenses": {"purchaser": "own", "admin": "central", "operator": "central"},
    "cancel": {"purchaser": "own", "admin": "central", "operator": "central"},
    "see prices": {"purchaser": "all", "admin": "all", "auditor": "all", "operator": "all", "service": "all"},
    "list purchases": {"purchaser": "own", "admin": "all", "auditor": "all", "operator": "all"},
    "set the policy": {"admin": "all", "operator": "all"},
    "manage members": {"admin": "all", "operator": "all"},
    "manage roles": {"admin": "all", "operator": "all"},
    "manage the catalog": {"operator": "all"},
    "create organizations": {"operator": "all"},
    "run the life cycle": {"operator": "all"},
    "keep payment methods": {"purchaser": "own", "admin": "own"},
    "be billed": {"purchaser": "own", "admin": "own"},
    "see invoices": {
        "purchaser": "own",
        "admin": "all",
        "billing_reader": "all",
        "auditor": "all",
        "operator": "all",
    },
    "pay invoices": {"purchaser": "own", "admin": "own"},
    "see upcoming": {"purchaser": "own", "admin": "all", "billing_reader": "all", "auditor": "all", "operator": "all"},
    "take over": {"admin": "all"},
    "audit": {"auditor": "all", "operator": "all"},
    "follow events": {"service": "all", "operator": "all"},
    "erase personal facts": {"admin": "all", "operator": "all"},
    "export personal facts": {"purchaser": "own", "admin": "all", "operator": "all"},
    "open personal facts": {"admin": "all"},
    "list grants": {"admin": "all", "auditor": "own", "operator": "all"},
}

HOUSE: frozenset[Role] = frozenset({"operator", "service"})  # no members: the adapter vouches for them


class Wish(Protocol):
    """A command or a query: somebody wants something in an organization."""

    @property
    def organization_id(self) -> UUID: ...

    @property
    def actor(self) -> Actor: ...


@dataclass(frozen=True)
class Standing:
    """What the organization says of who acts; every decision rests on it."""

    organization: Organization
    member: Member | None  # none for the house's own roles

    @property
    def seen(self) -> list[Aggregate]:
        return [self.organization, *([self.member] if self.member else [])]


def standing_of(ledger: Ledger, wish: Wish) -> Standing:
    """Loads the organization and the acting member; refuses a role that the member does not have."""
    return standing_in(ledger.find_all(wish.organization_id, parties_to(wish)), wish)


def standing_seen(ledger: Ledger, wish: Wish) -> Standing:
    """The same for a query, which changes nothing of it."""
    return standing_in(ledger.look_at(wish.organization_id, parties_to(wish)), wish)


def parties_to(wish: Wish) -> dict[UUID, type[Aggregate]]:
    """What a standing rests on, by id: to be loaded in one round trip, with other things if there are any."""
    who: dict[UUID, type[Aggregate]] = {} if wish.actor.role in HOUSE else {wish.actor.id: Member}
    return who | {wish.organization_id: Organization}


def standing_in(found: Mapping[UUID, Aggregate], wish: Wish) -> Standing:
    """The standing of who acts, by what was found of the parties."""
    organization, actor = found.get(wish.organization_id), wish.actor
    if not isinstance(organization, Organization):
        raise NotFound(what="organization", key=wish.organization_id)
    if actor.role in HOUSE:
        return Standing(organization, None)
    member = found.get(actor.id)
    if not isinstance(member, Member):
        raise NotFound(what="member", key=actor.id)
    member.refuse_unless_active()
    if actor.role == "purchaser":
        member.refuse_unless_purchaser()
    elif not organization.has_role(actor.id, actor.role):
        raise NotAllowed(action=f"act as {actor.role}", remedy="ask an admin to grant you the role")
    return Standing(organization, member)


def may(actor: Actor, action: Action, subscription: Subscription | None = None) -> None:
    """Refuses what the table does not permit; somebody else's purchase does not exist for a purchaser."""
    reach = PERMISSIONS[action].get(actor.role)
    if reach is None:
        raise NotAllowed(action=action, remedy=f"it takes the role {' or '.join(PERMISSIONS[action])}")
    if subscription is None:
        return
    if reach == "own" and subscription.purchaser_id != actor.id:
        raise NotFound(what="subscription", key=subscription.id)
    if reach == "central" and subscription.channel != "central":
        raise NotAllowed(action=action, remedy="a member bought it; only the purchaser can, or take it over")


def grants_ended(
    ledger: Ledger, organization_id: UUID, auditor_id: UUID
) -> tuple[list[AuditorAccess], list[AuditorAccess]]:
    """What an auditor was granted, revoked, for the save that ends the role; and what that save is to see.

    Where nothing was ever granted it sees that nobody does so meanwhile.
    """
    access = ledger.find_access(organization_id, auditor_id)
    if access is None:
        unborn = AuditorAccess.open(id=access_id_of(organization_id, auditor_id), auditor_id=auditor_id)
        return [], [unborn]
    access.revoke_all()
    return [access], []


def admins_left(ledger: Ledger, organization: Organization, without: UUID) -> list[Member]:
    """An active admin who is there without this member, for the save to see; refuses where there is none."""
    if not organization.has_role(without, "admin"):
        return []
    others = ledger.members(organization.id, organization.other_admins(without))
    active = [admin for admin in others.values() if admin and admin.active]
    if not active:
        raise LastAdmin(member_id=without)
    return active[:1]
