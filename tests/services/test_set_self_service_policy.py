from functools import partial

import pytest
from pydantic import ValidationError

from domain.organization import Organization
from domain.refusals import MemberNotActive, NotAllowed, NotFound, PolicyNotOffered
from services.command import Actor
from services.grant_role import GrantRole
from services.revoke_role import RevokeRole
from services.set_self_service_policy import SetSelfServicePolicy
from tests.examples import POWER_BI_PRO_PRODUCT
from tests.scenario import event
from tests.services.contoso import Contoso
from tests.services.questions import (
    decided_twice,
    has_one_effect,
    is_done_once,
    refused_at_second_sight,
    stays_done,
    takes_an_active_member,
    takes_one_of,
    tells,
    tells_nothing,
)

PRODUCT_ID = POWER_BI_PRO_PRODUCT.product_id


def a_policy(contoso: Contoso, policy: str = "Disabled", by: Actor | None = None) -> SetSelfServicePolicy:
    return contoso.command(SetSelfServicePolicy, by or contoso.admin, product_id=PRODUCT_ID, policy=policy)


def test_it_holds_from_now_on_and_not_for_what_was_bought(contoso: Contoso) -> None:
    bought = contoso.buys()
    tells(
        contoso,
        a_policy(contoso),
        event(Organization.SelfServicePolicySet, product_id=PRODUCT_ID, policy="Disabled", policy_before="Enabled"),
    )
    contoso.assigns(bought, contoso.ben)
    tells_nothing(contoso, a_policy(contoso))


def test_a_policy_that_the_product_does_not_offer(contoso: Contoso) -> None:
    with contoso.refuses(PolicyNotOffered, allowed=["Enabled", "Disabled"]):
        contoso.run(a_policy(contoso, "OnlyTrialsWithoutPaymentMethod"))


def test_an_unknown_product(contoso: Contoso) -> None:
    with contoso.refuses(NotFound, what="product", key="CFQ7TTC00000"):
        contoso.run(a_policy(contoso).model_copy(update={"product_id": "CFQ7TTC00000"}))


@pytest.mark.parametrize("product_id", ["", "a\0b", "\ud800", "x" * 257])
def test_what_cannot_be_a_product_is_refused_at_the_edge(contoso: Contoso, product_id: str) -> None:
    with pytest.raises(ValidationError, match="product_id"):
        contoso.command(SetSelfServicePolicy, contoso.admin, product_id=product_id, policy="Disabled")


def test_a_repeat_is_answered_and_not_done_again(contoso: Contoso) -> None:
    is_done_once(contoso, a_policy(contoso), policy="Enabled")
    is_done_once(contoso, a_policy(contoso), policy="OnlyTrialsWithoutPaymentMethod")  # would be refused anyway


def test_a_repeat_does_not_disable_what_was_enabled_again(contoso: Contoso) -> None:
    stays_done(contoso, a_policy(contoso), lambda: contoso.run(a_policy(contoso, "Enabled")))
    stays_done(contoso, a_policy(contoso, "Enabled"), lambda: contoso.run(a_policy(contoso)))
    assert contoso.ledger.organization(contoso.organization_id).policy_of(PRODUCT_ID) == "Disabled"


def test_a_repeat_is_answered_when_the_actor_is_no_admin_any_more(contoso: Contoso) -> None:
    contoso.run(contoso.command(GrantRole, contoso.admin, member_id=contoso.ben, role="admin"))
    ben = Actor(id=contoso.ben, role="admin")
    revokes = contoso.running(RevokeRole, contoso.admin, member_id=contoso.ben, role="admin")
    stays_done(contoso, a_policy(contoso, by=ben), revokes, partial(contoso.removes, contoso.ben))


def test_sixteen_at_once_set_it_once(contoso: Contoso) -> None:
    has_one_effect(contoso, a_policy(contoso), events=1)
    has_one_effect(contoso, a_policy(contoso), events=0)


def test_only_admins_and_operators(contoso: Contoso, another: Contoso) -> None:
    takes_one_of(contoso, {"admin", "operator"}, lambda actor: a_policy(contoso, by=actor))
    takes_an_active_member(contoso, another, lambda actor: a_policy(contoso, by=actor))


def test_who_is_no_admin_any_more_at_the_save(contoso: Contoso) -> None:
    contoso.run(contoso.command(GrantRole, contoso.admin, member_id=contoso.ben, role="admin"))
    ben = Actor(id=contoso.ben, role="admin")
    revokes = contoso.running(RevokeRole, contoso.admin, member_id=contoso.ben, role="admin")
    with refused_at_second_sight(contoso, revokes, NotAllowed, action="act as admin"):
        contoso.run(a_policy(contoso, by=ben))


def test_who_was_deactivated_meanwhile(contoso: Contoso) -> None:
    contoso.run(contoso.command(GrantRole, contoso.admin, member_id=contoso.ben, role="admin"))
    with refused_at_second_sight(contoso, partial(contoso.deactivates, contoso.chris), MemberNotActive):
        contoso.run(a_policy(contoso))


def test_another_decision_meanwhile_is_taken_into_account(contoso: Contoso) -> None:
    with decided_twice(contoso, partial(contoso.run, a_policy(contoso))):
        assert contoso.run(a_policy(contoso)).events == 0
