from functools import partial
from typing import get_args
from uuid import uuid4

import pytest
from pydantic import ValidationError

from domain.envelope import Role
from domain.member import Member
from domain.organization import CATALOG, Organization, OrganizationFacts, organization_id_of
from domain.refusals import NotAllowed, OrganizationExists
from services.command import Actor
from services.create_organization import CreateOrganization
from services.grant_role import GrantRole
from services.import_members import MemberRow
from services.ledger import Ledger
from tests.scenario import event
from tests.services.contoso import CHRIS_ROW, OPERATOR, THE_OTHER_FOUR, Contoso
from tests.services.questions import at_once, has_one_effect, is_done_once, refused_at_second_sight, stays_done, tells


@pytest.fixture
def unfounded(contoso: Contoso) -> Contoso:
    """A place where no organization is yet."""
    handle = f"contoso-{uuid4().hex}"
    return Contoso(
        contoso.ledger, contoso.clock, contoso.directory, organization_id_of(handle), contoso.holdings, handle
    )


def a_founding(contoso: Contoso, by: Actor = OPERATOR, **content: object) -> CreateOrganization:
    facts = OrganizationFacts(handle=contoso.handle, country="US", currency="USD", currency_exponent=2)
    return contoso.command(CreateOrganization, by, **{"facts": facts, "first_admin": CHRIS_ROW, **content})


def test_it_is_founded_with_its_first_admin(unfounded: Contoso) -> None:
    founding = a_founding(unfounded)
    tells(
        unfounded,
        founding,
        event(
            Organization.OrganizationCreated,
            originator_id=unfounded.organization_id,
            organization=founding.facts,
            first_admin_id=founding.first_admin_id,
        ),
        event(Member.MemberAdded, originator_id=founding.first_admin_id, kind="member"),
    )
    assert unfounded.directory.member_ids(unfounded.organization_id, ["Chris@Contoso.com"]) == {
        "Chris@Contoso.com": founding.first_admin_id
    }
    admin = Actor(id=founding.first_admin_id, role="admin")
    unfounded.run(unfounded.command(GrantRole, admin, member_id=admin.id, role="auditor"))


def test_a_repeat_is_answered_and_not_done_again(unfounded: Contoso) -> None:
    founding = a_founding(unfounded)
    is_done_once(unfounded, founding, first_admin=THE_OTHER_FOUR[0])
    is_done_once(unfounded, founding, facts=founding.facts.model_copy(update={"currency": "EUR"}))


def test_a_repeat_is_answered_after_the_first_admin_has_gone(unfounded: Contoso) -> None:
    founding = a_founding(unfounded)
    admin = Actor(id=founding.first_admin_id, role="admin")

    def another_admin() -> None:
        unfounded.chris = admin.id
        (ben,) = unfounded.imports(THE_OTHER_FOUR[0])
        unfounded.run(unfounded.command(GrantRole, admin, member_id=ben, role="admin"))

    stays_done(unfounded, founding, another_admin, lambda: unfounded.removes(admin.id))


def test_sixteen_at_once_found_it_once(unfounded: Contoso) -> None:
    has_one_effect(unfounded, a_founding(unfounded), events=2)


def test_a_handle_is_taken_once(unfounded: Contoso) -> None:
    answers = at_once(*(partial(unfounded.run, a_founding(unfounded)) for _ in range(8)))
    assert sum(isinstance(answer, OrganizationExists) for answer in answers) == 7
    assert len(unfounded.history()) == 2


def test_a_handle_taken_meanwhile(unfounded: Contoso) -> None:
    founds = partial(unfounded.run, a_founding(unfounded))
    with refused_at_second_sight(unfounded, founds, OrganizationExists, handle=unfounded.handle):
        unfounded.run(a_founding(unfounded))


def test_only_an_operator(unfounded: Contoso) -> None:
    for role in set(get_args(Role)) - {"operator"}:
        with unfounded.refuses(NotAllowed):
            unfounded.run(a_founding(unfounded, Actor(id=uuid4(), role=role)))


def test_the_id_belongs_to_the_handle(unfounded: Contoso, contoso: Contoso) -> None:
    for elsewhere in (uuid4(), CATALOG, contoso.organization_id):
        with contoso.refuses(OrganizationExists):
            unfounded.run(a_founding(unfounded, organization_id=elsewhere))


def test_the_catalog_is_no_tenant(ledger: Ledger, unfounded: Contoso) -> None:
    facts = OrganizationFacts(handle="catalog", country="US", currency="USD", currency_exponent=2)
    before = len(ledger.history.told(CATALOG, after=0, until=2**60))
    with pytest.raises(OrganizationExists):
        unfounded.run(a_founding(unfounded, facts=facts, organization_id=CATALOG))
    assert len(ledger.history.told(CATALOG, after=0, until=2**60)) == before


@pytest.mark.parametrize("user_name", ["", "x" * 257, "a\0b", "\ud800"])
def test_a_name_that_cannot_be_one(user_name: str) -> None:
    with pytest.raises(ValidationError, match="user_name"):
        MemberRow(user_name=user_name)
