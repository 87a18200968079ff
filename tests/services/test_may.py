from typing import get_args

import pytest

from domain.envelope import Role
from domain.refusals import NotAllowed, NotFound
from services.command import Actor
from services.may import PERMISSIONS, Action, may
from tests.examples import A_STRANGER
from tests.services.contoso import Contoso


def test_every_action_is_in_the_table() -> None:
    assert PERMISSIONS.keys() == set(get_args(Action))


@pytest.mark.parametrize("action", get_args(Action))
@pytest.mark.parametrize("role", get_args(Role))
def test_what_is_not_in_the_table_is_denied(action: Action, role: Role) -> None:
    actor = Actor(id=A_STRANGER, role=role)
    if role in PERMISSIONS[action]:
        may(actor, action)
        return
    with pytest.raises(NotAllowed, match=f"it takes the role {next(iter(PERMISSIONS[action]))}"):
        may(actor, action)


def test_admins_only_look_at_what_members_bought(contoso: Contoso) -> None:
    """The admins' view is read-only."""
    bought = contoso.subscription(contoso.buys())
    actions: tuple[Action, ...] = ("change licenses", "assign licenses", "cancel")
    for action in actions:
        with pytest.raises(NotAllowed, match="only the purchaser can"):
            may(contoso.admin, action, bought)
    may(contoso.admin, "list purchases", bought)


def test_somebody_elses_does_not_exist_for_a_purchaser(contoso: Contoso) -> None:
    bought = contoso.subscription(contoso.buys())
    may(contoso.buyer, "cancel", bought)
    with pytest.raises(NotFound):
        may(contoso.purchaser(contoso.ben), "cancel", bought)
