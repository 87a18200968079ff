from uuid import UUID, uuid4

import pytest

from domain.auditor_access import AuditorAccess
from domain.refusals import NotFound
from services.command import Actor
from services.revoke_access import RevokeAccess
from tests.scenario import event
from tests.services.contoso import Contoso
from tests.services.questions import is_done_once, takes_an_active_member, takes_one_of, tells, tells_nothing
from tests.services.test_grant_access import a_grant, auditor

__all__ = ["auditor"]


@pytest.fixture
def grant_id(contoso: Contoso, auditor: UUID) -> UUID:
    granting = a_grant(contoso, auditor)
    contoso.run(granting)
    return granting.grant_id


def a_revocation(contoso: Contoso, auditor_id: UUID, grant_id: UUID, by: Actor | None = None) -> RevokeAccess:
    return contoso.command(RevokeAccess, by or contoso.admin, auditor_id=auditor_id, grant_id=grant_id)


def test_a_grant_ends_once(contoso: Contoso, auditor: UUID, grant_id: UUID) -> None:
    tells(contoso, a_revocation(contoso, auditor, grant_id), event(AuditorAccess.AccessRevoked, grant_id=grant_id))
    tells_nothing(contoso, a_revocation(contoso, auditor, grant_id))
    is_done_once(contoso, a_revocation(contoso, auditor, grant_id), grant_id=uuid4())


def test_what_was_not_granted_does_not_exist(contoso: Contoso, auditor: UUID, grant_id: UUID) -> None:
    for auditor_id, unknown in ((auditor, uuid4()), (contoso.ben, grant_id)):
        with contoso.refuses(NotFound, what="grant", key=str(unknown)):
            contoso.run(a_revocation(contoso, auditor_id, unknown))


def test_only_admins(contoso: Contoso, another: Contoso, auditor: UUID, grant_id: UUID) -> None:
    takes_one_of(contoso, {"admin"}, lambda actor: a_revocation(contoso, auditor, grant_id, by=actor))
    takes_an_active_member(contoso, another, lambda actor: a_revocation(contoso, auditor, grant_id, by=actor))
