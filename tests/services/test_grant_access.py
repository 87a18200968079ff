from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from domain.auditor_access import AuditorAccess
from domain.refusals import AccessPeriodUnusable, NotFound
from services.command import Actor
from services.grant_access import GrantAccess
from services.grant_role import GrantRole
from tests.examples import PURCHASED_AT
from tests.scenario import event
from tests.services.contoso import Contoso
from tests.services.questions import (
    has_one_effect,
    is_done_once,
    takes_an_active_member,
    takes_one_of,
    tells,
)

UNTIL = PURCHASED_AT + timedelta(days=14)


@pytest.fixture
def auditor(contoso: Contoso) -> UUID:
    """Somebody who audits and does nothing else."""
    (auditor_id,) = contoso.generates(1)
    contoso.run(contoso.command(GrantRole, contoso.admin, member_id=auditor_id, role="auditor"))
    return auditor_id


def a_grant(contoso: Contoso, auditor_id: UUID, by: Actor | None = None, **content: Any) -> GrantAccess:
    content = {"auditor_id": auditor_id, "purpose": "tax_audit", "ends_at": UNTIL, **content}
    return contoso.command(GrantAccess, by or contoso.admin, **content)


def test_the_first_grant_opens_the_auditors_access_and_others_follow(contoso: Contoso, auditor: UUID) -> None:
    first, second = a_grant(contoso, auditor), a_grant(contoso, auditor, subject_id=contoso.ben)
    tells(
        contoso,
        first,
        event(AuditorAccess.AuditorAccessOpened, auditor_id=auditor),
        event(AuditorAccess.AccessGranted, grant_id=first.grant_id, ends_at=UNTIL, subject_id=None),
    )
    tells(contoso, second, event(AuditorAccess.AccessGranted, grant_id=second.grant_id, subject_id=contoso.ben))


def test_a_repeat_is_answered_and_not_done_again(contoso: Contoso, auditor: UUID) -> None:
    is_done_once(contoso, a_grant(contoso, auditor), purpose="legal_claim")
    has_one_effect(contoso, a_grant(contoso, auditor), events=1, times=4)


def test_only_an_auditor_gets_one_and_only_about_a_member(contoso: Contoso, another: Contoso, auditor: UUID) -> None:
    for somebody in (contoso.ben, another.chris, uuid4()):
        with contoso.refuses(NotFound, what="auditor", key=str(somebody)):
            contoso.run(a_grant(contoso, somebody))
    with contoso.refuses(NotFound, what="member", key=str(another.ben)):
        contoso.run(a_grant(contoso, auditor, subject_id=another.ben))


def test_it_ends(contoso: Contoso, auditor: UUID) -> None:
    for ends_at in (PURCHASED_AT, PURCHASED_AT + timedelta(days=367)):
        with contoso.refuses(AccessPeriodUnusable, ends_at=ends_at.isoformat()):
            contoso.run(a_grant(contoso, auditor, ends_at=ends_at))


def test_the_organization_opens_its_people_and_the_house_does_not(
    contoso: Contoso, another: Contoso, auditor: UUID
) -> None:
    takes_one_of(contoso, {"admin"}, lambda actor: a_grant(contoso, auditor, by=actor))
    takes_an_active_member(contoso, another, lambda actor: a_grant(contoso, auditor, by=actor))
