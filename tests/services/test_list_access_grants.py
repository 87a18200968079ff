from datetime import timedelta
from typing import get_args
from uuid import UUID

import pytest

from domain.envelope import Role
from domain.refusals import NotAllowed
from services.command import Actor
from services.list_access_grants import ListAccessGrants, list_access_grants
from services.revoke_access import RevokeAccess
from tests.services.contoso import Contoso
from tests.services.test_grant_access import UNTIL, a_grant, auditor

__all__ = ["auditor"]


def listed(contoso: Contoso, actor: Actor) -> list[tuple[UUID, bool]]:
    found = list_access_grants(contoso.ledger, ListAccessGrants(organization_id=contoso.organization_id, actor=actor))
    return [(one.grant_id, one.open) for one in found]


def test_all_of_them_with_what_is_open_now(contoso: Contoso, auditor: UUID) -> None:
    short, revoked = a_grant(contoso, auditor, ends_at=UNTIL - timedelta(days=7)), a_grant(contoso, auditor)
    for one in (short, revoked):
        contoso.run(one)
    contoso.run(contoso.command(RevokeAccess, contoso.admin, auditor_id=auditor, grant_id=revoked.grant_id))
    assert listed(contoso, contoso.admin) == [(short.grant_id, True), (revoked.grant_id, False)]
    contoso.clock.now = UNTIL - timedelta(days=7)
    assert listed(contoso, contoso.admin) == [(short.grant_id, False), (revoked.grant_id, False)]


def test_an_auditor_sees_their_own(contoso: Contoso, auditor: UUID) -> None:
    granting = a_grant(contoso, auditor)
    contoso.run(granting)
    other = contoso.by("auditor")
    assert listed(contoso, other) == []
    assert listed(contoso, Actor(id=auditor, role="auditor")) == [(granting.grant_id, True)]


@pytest.mark.parametrize("role", get_args(Role))
def test_admins_auditors_and_operators(contoso: Contoso, role: Role) -> None:
    actor = contoso.by(role)
    if role in {"admin", "auditor", "operator"}:
        assert listed(contoso, actor) == []
        return
    with pytest.raises(NotAllowed):
        listed(contoso, actor)
