"""Who may do what on a billing profile: asked of every operation that is about one."""

from collections.abc import Callable
from typing import get_args
from uuid import UUID, uuid4

from domain.billing_profile import MAY, ProfileAct, ProfileRole
from domain.envelope import Role
from domain.refusals import BillingProfileRoleNeeded, NotAllowed, NotFound
from services.command import Actor, Command
from services.grant_profile_role import GrantProfileRole
from services.revoke_profile_role import RevokeProfileRole
from tests.services.contoso import Contoso
from tests.services.questions import refused_at_second_sight, takes_an_active_member

CommandFor = Callable[[Actor, UUID], Command]


def takes_a_profile_role(contoso: Contoso, another: Contoso, act: ProfileAct, command_for: CommandFor) -> None:
    """On Melissa's profile. Who has no role on it does not see that it is there; a lower role says which it takes."""
    profile_id, elsewhere = contoso.can_pay(contoso.melissa), another.can_pay(another.melissa)
    ben = contoso.purchaser(contoso.ben)
    for outsider in (ben, contoso.admin):
        with contoso.refuses(NotFound):
            contoso.run(command_for(outsider, profile_id))
    for unknown in (elsewhere, uuid4()):
        with contoso.refuses(NotFound):
            contoso.run(command_for(contoso.buyer, unknown))
    for role in set(get_args(Role)) - {"purchaser", "admin"}:
        actor = contoso.by(role)
        with contoso.refuses(NotAllowed):
            contoso.run(command_for(actor, profile_id))
    takes_an_active_member(contoso, another, lambda actor: command_for(actor, profile_id), role="purchaser")

    on_it = {"billing_profile_id": profile_id, "member_id": contoso.ben}
    for profile_role in get_args(ProfileRole):
        contoso.run(contoso.command(GrantProfileRole, contoso.buyer, role=profile_role, **on_it))
        if profile_role in MAY[act]:
            contoso.run(command_for(ben, profile_id))
            revokes = contoso.running(RevokeProfileRole, contoso.buyer, **on_it)
            with refused_at_second_sight(contoso, revokes, NotFound):
                contoso.run(command_for(ben, profile_id))
            continue
        with contoso.refuses(BillingProfileRoleNeeded, billing_profile_id=str(profile_id), roles=sorted(MAY[act])):
            contoso.run(command_for(ben, profile_id))
    contoso.run(command_for(contoso.buyer, profile_id))
