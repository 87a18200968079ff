from functools import partial
from uuid import UUID, uuid4

import pytest

from adapters.postgres.reads import ReadModels
from adapters.postgres.reads_due_work import HoldingReads
from domain.license_pool import LicensePool
from domain.member import Member
from domain.organization import Organization
from domain.refusals import CommandIdReused, LastAdmin, MemberNotActive, NotFound, UserNotInOrganization
from services.assign_licenses import AssignLicenses
from services.command import Actor
from services.grant_role import GrantRole
from services.ports import LedgerUnavailable, Receipt
from services.remove_member import RemoveMember
from services.revoke_role import RevokeRole
from tests.scenario import event
from tests.services.contoso import THE_OTHER_FOUR, Contoso
from tests.services.crash import Crash
from tests.services.questions import (
    at_once,
    has_one_effect,
    is_done_once,
    just_before_the_save,
    refused_at_second_sight,
    takes_an_active_member,
    takes_one_of,
)

BEN_ROW = THE_OTHER_FOUR[0]


def a_removal(contoso: Contoso, of: UUID, by: Actor | None = None) -> RemoveMember:
    return contoso.command(RemoveMember, by or contoso.admin, member_id=of)


def told_by(contoso: Contoso, command: RemoveMember) -> list[object]:
    """What the removal and the release of licenses told together."""
    before = len(contoso.history())
    contoso.run(command)
    return [contoso.ledger.mapper.to_domain_event(recorded) for recorded in contoso.history()[before:]]


def test_the_member_the_roles_and_the_licenses_go(contoso: Contoso) -> None:
    first, second, third = (contoso.buys() for _ in range(3))
    contoso.assigns(first, contoso.david, contoso.ben)
    contoso.assigns(third, contoso.ben)
    for role in ("billing_reader", "auditor"):
        contoso.run(contoso.command(GrantRole, contoso.admin, member_id=contoso.ben, role=role))
    assert told_by(contoso, a_removal(contoso, contoso.ben)) == [
        event(Member.MemberRemoved, originator_id=contoso.ben),
        event(Organization.RoleRevoked, member_id=contoso.ben, role="auditor"),
        event(Organization.RoleRevoked, member_id=contoso.ben, role="billing_reader"),
        event(
            LicensePool.LicenseUnassigned,
            subscription_id=first,
            member_id=contoso.ben,
            assigned=1,
            reason="member_removed",
        ),
        event(LicensePool.LicenseUnassigned, subscription_id=third, assigned=0, reason="member_removed"),
    ]
    assert [contoso.holders(bought) for bought in (first, second, third)] == [[contoso.david], [], []]


def test_the_release_is_caused_by_the_removal(contoso: Contoso) -> None:
    contoso.assigns(contoso.buys(), contoso.ben)
    correlation = uuid4()
    removal = a_removal(contoso, contoso.ben).model_copy(update={"correlation_id": correlation})
    contoso.run(removal)
    removed, released = (recorded.envelope for recorded in contoso.history()[-2:])
    assert (removed.command, removed.command_id, removed.causation_id) == ("remove_member", removal.command_id, None)
    assert (released.command, released.causation_id) == ("release_licenses", removal.command_id)
    assert {removed.correlation_id, released.correlation_id} == {correlation}
    assert {removed.actor_id, released.actor_id} == {contoso.chris}


def test_from_the_read_tables(contoso: Contoso, read_models: ReadModels) -> None:
    """The holdings are a reading that may lag: it is asked for the position of the removal."""
    bought = contoso.buys()
    contoso.assigns(bought, contoso.ben, contoso.david)
    contoso.holdings = HoldingReads(read_models)
    removal = a_removal(contoso, contoso.ben)
    receipt = contoso.run(removal)
    assert contoso.run(removal) == receipt
    assert contoso.holders(bought) == [contoso.david]


def test_a_member_who_holds_nothing(contoso: Contoso) -> None:
    assert told_by(contoso, a_removal(contoso, contoso.ben)) == [event(Member.MemberRemoved)]
    assert told_by(contoso, a_removal(contoso, contoso.ben)) == []


def test_a_purchaser_who_goes_leaves_the_others_their_licenses(contoso: Contoso) -> None:
    bought = contoso.buys()
    contoso.assigns(bought, contoso.melissa, contoso.ben)
    contoso.removes(contoso.melissa)
    assert contoso.holders(bought) == [contoso.ben]
    assert contoso.subscription(bought).life == "active"


def test_a_repeat_is_answered_and_not_done_again(contoso: Contoso) -> None:
    contoso.assigns(contoso.buys(), contoso.ben)
    is_done_once(contoso, a_removal(contoso, contoso.ben), member_id=contoso.david)
    is_done_once(contoso, a_removal(contoso, contoso.ben), member_id=uuid4())  # would be refused anyway


def test_a_repeat_does_not_remove_who_came_back(contoso: Contoso) -> None:
    bought = contoso.buys()
    contoso.assigns(bought, contoso.ben)
    removal = a_removal(contoso, contoso.ben)
    receipt = contoso.run(removal)
    contoso.imports(BEN_ROW)
    contoso.assigns(bought, contoso.ben)
    told = contoso.history()
    assert contoso.run(removal) == receipt
    assert contoso.history() == told
    assert contoso.holders(bought) == [contoso.ben]


def test_sixteen_at_once_remove_once(contoso: Contoso) -> None:
    contoso.assigns(contoso.buys(), contoso.ben)
    contoso.assigns(contoso.buys(), contoso.ben)
    has_one_effect(contoso, a_removal(contoso, contoso.ben), events=3)
    has_one_effect(contoso, a_removal(contoso, contoso.ben), events=0)


def test_only_admins_and_operators(contoso: Contoso, another: Contoso) -> None:
    takes_one_of(contoso, {"admin", "operator"}, lambda actor: a_removal(contoso, contoso.ben, actor))
    takes_an_active_member(contoso, another, lambda actor: a_removal(contoso, contoso.ben, actor))
    with contoso.refuses(NotFound, what="member"):
        contoso.run(a_removal(contoso, another.ben))


def test_the_last_admin_stays(contoso: Contoso) -> None:
    with contoso.refuses(LastAdmin, member_id=str(contoso.chris)):
        contoso.run(a_removal(contoso, contoso.chris))


def test_an_admin_can_remove_themselves_with_their_licenses(contoso: Contoso) -> None:
    bought = contoso.buys()
    contoso.assigns(bought, contoso.chris, contoso.ben)
    contoso.run(contoso.command(GrantRole, contoso.admin, member_id=contoso.ben, role="admin"))
    removal = a_removal(contoso, contoso.chris)
    receipt = contoso.run(removal)
    assert contoso.holders(bought) == [contoso.ben]
    assert contoso.run(removal) == receipt


def test_two_admins_who_remove_each_other_at_once(contoso: Contoso) -> None:
    contoso.run(contoso.command(GrantRole, contoso.admin, member_id=contoso.ben, role="admin"))
    answers = at_once(
        partial(contoso.run, a_removal(contoso, contoso.ben)),
        partial(contoso.run, a_removal(contoso, contoso.chris, Actor(id=contoso.ben, role="admin"))),
    )
    assert sum(isinstance(answer, Receipt) for answer in answers) == 1
    roles = contoso.ledger.organization(contoso.organization_id).roles
    assert sum("admin" in held for held in roles.values()) == 1


# A removal is two saves.


@pytest.mark.parametrize("how", [Crash, LedgerUnavailable])
def test_what_a_crash_between_the_two_leaves_open_a_repeat_completes(
    contoso: Contoso, how: type[BaseException]
) -> None:
    bought, other = contoso.buys(), contoso.buys()
    contoso.assigns(bought, contoso.ben)
    removal = contoso.half_removes(contoso.ben, how)
    assert contoso.holders(bought) == [contoso.ben]  # for a moment; it is due work
    with contoso.refuses(UserNotInOrganization, reasons={str(contoso.ben): "removed"}):
        contoso.assigns(other, contoso.ben)  # nothing can be added to it meanwhile

    receipt = contoso.run(removal)

    assert receipt.events == 1
    assert contoso.holders(bought) == []
    assert contoso.run(removal) == receipt


def test_a_repeat_completes_it_also_when_the_admin_is_none_any_more(contoso: Contoso) -> None:
    bought = contoso.buys()
    contoso.assigns(bought, contoso.ben)
    contoso.run(contoso.command(GrantRole, contoso.admin, member_id=contoso.david, role="admin"))
    david = Actor(id=contoso.david, role="admin")
    removal = a_removal(contoso, contoso.ben, david)
    revokes = contoso.running(RevokeRole, contoso.admin, member_id=contoso.david, role="admin")
    with just_before_the_save(contoso.ledger, lambda: None, revokes):
        contoso.run(removal)
    assert contoso.holders(bought) == []
    with contoso.refuses(CommandIdReused):
        contoso.run(removal.model_copy(update={"member_id": contoso.cynthia}))


def test_a_license_given_meanwhile_is_taken_too(contoso: Contoso) -> None:
    """It was given before the removal was recorded: the reading is asked for that position."""
    bought = contoso.buys()
    with just_before_the_save(contoso.ledger, partial(contoso.assigns, bought, contoso.ben)) as attempts:
        contoso.run(a_removal(contoso, contoso.ben))
    assert len(attempts) == 2  # nobody was in the way: the removal, and the release
    assert contoso.holders(bought) == []


def test_removals_and_assignments_at_once_leave_no_license_behind(contoso: Contoso) -> None:
    bought = contoso.buys(licenses=30)
    users = contoso.generates(6)
    assigns = [
        contoso.running(AssignLicenses, contoso.buyer, subscription_id=bought, user_ids=(user,)) for user in users
    ]
    removes = [contoso.running(RemoveMember, contoso.admin, member_id=user) for user in users]
    at_once(*assigns, *removes)
    assert contoso.holders(bought) == []


def test_a_role_granted_meanwhile_is_revoked_too(contoso: Contoso) -> None:
    grants = contoso.running(GrantRole, contoso.admin, member_id=contoso.ben, role="auditor")
    removal = a_removal(contoso, contoso.ben)
    with just_before_the_save(contoso.ledger, grants) as attempts:
        contoso.run(removal)
    assert len(attempts) == 3  # the removal twice, and the release
    assert not contoso.ledger.organization(contoso.organization_id).has_role(contoso.ben, "auditor")


def test_the_other_admin_goes_meanwhile(contoso: Contoso) -> None:
    contoso.run(contoso.command(GrantRole, contoso.admin, member_id=contoso.ben, role="admin"))
    with refused_at_second_sight(contoso, partial(contoso.removes, contoso.ben), LastAdmin):
        contoso.run(a_removal(contoso, contoso.chris))


def test_who_is_deactivated_between_two_looks_at_them_does_not_remove_themselves(contoso: Contoso) -> None:
    """The actor was loaded twice, as who acts and as who goes: both loads must still hold."""
    contoso.run(contoso.command(GrantRole, contoso.admin, member_id=contoso.ben, role="admin"))
    find = contoso.ledger.find
    looks = []  # but for the first, which loads all who have a say together

    def deactivated_at_the_second_look(*what: object) -> object:
        if what[-1] == contoso.chris:
            looks.append(what)
            if len(looks) == 1:
                contoso.ledger.find = find  # type: ignore[method-assign]
                contoso.deactivates(contoso.chris)
        return find(*what)  # type: ignore[arg-type]

    contoso.ledger.find = deactivated_at_the_second_look  # type: ignore[method-assign,assignment]
    try:
        with pytest.raises(MemberNotActive):
            contoso.run(a_removal(contoso, contoso.chris))
    finally:
        contoso.ledger.find = find  # type: ignore[method-assign]
    assert contoso.ledger.member(contoso.organization_id, contoso.chris).status == "deactivated"


def test_pools_that_change_between_load_and_save_are_loaded_again(contoso: Contoso) -> None:
    bought = contoso.buys()
    contoso.assigns(bought, contoso.ben)
    with just_before_the_save(contoso.ledger, lambda: None, partial(contoso.assigns, bought, contoso.david)) as saves:
        contoso.run(a_removal(contoso, contoso.ben))
    assert len(saves) == 3
    assert contoso.holders(bought) == [contoso.david]
