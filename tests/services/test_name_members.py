from typing import get_args

import pytest

from domain.envelope import Role
from services.list_roles import ListRoles
from services.name_members import NAMELESS, name_members
from tests.examples import A_STRANGER
from tests.services.contoso import Contoso


@pytest.mark.parametrize("role", get_args(Role))
def test_auditors_and_services_get_no_names(contoso: Contoso, role: Role) -> None:
    wish = ListRoles(organization_id=contoso.organization_id, actor=contoso.by(role))
    named = name_members(contoso.directory, wish, [contoso.ben, contoso.ben, A_STRANGER])
    if role in {"auditor", "service"}:
        assert named == {}
    else:
        assert named[contoso.ben]["display_name"] == "Ben Andrews"
        assert named[A_STRANGER] == NAMELESS  # as who was erased


def test_names_of_another_organization_are_not_there(contoso: Contoso, another: Contoso) -> None:
    wish = ListRoles(organization_id=contoso.organization_id, actor=contoso.admin)
    assert name_members(contoso.directory, wish, [another.ben]) == {another.ben: NAMELESS}
    assert name_members(contoso.directory, wish, []) == {}
