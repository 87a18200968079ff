from uuid import UUID

import pytest

from adapters.postgres.reads import ReadModels
from adapters.postgres.reads_billing import BillingReads
from domain.refusals import NotAllowed
from services.command import Actor
from services.grant_profile_role import GrantProfileRole
from services.list_billing_profiles import ListBillingProfiles, list_billing_profiles
from tests.services.contoso import OPERATOR, Contoso


def listing(contoso: Contoso, models: ReadModels, by: Actor, **asked: object) -> set[UUID]:
    query = {"organization_id": contoso.organization_id, "actor": by, "at_least": contoso.position, **asked}
    found = list_billing_profiles(contoso.ledger, BillingReads(models), ListBillingProfiles.model_validate(query))
    return {row.billing_profile_id for row in found}


def test_a_purchaser_sees_profiles_on_which_they_have_a_role_and_who_sees_all_bills_sees_all(
    contoso: Contoso, read_models: ReadModels
) -> None:
    of_melissa, of_ben = contoso.can_pay(contoso.melissa), contoso.can_pay(contoso.ben)
    ben = contoso.purchaser(contoso.ben)
    assert listing(contoso, read_models, ben) == {of_ben}
    role = {"billing_profile_id": of_melissa, "member_id": contoso.ben, "role": "reader"}
    contoso.run(contoso.command(GrantProfileRole, contoso.buyer, **role))
    assert listing(contoso, read_models, ben) == {of_melissa, of_ben}
    for everything in (contoso.admin, contoso.by("billing_reader"), contoso.by("auditor"), OPERATOR):
        assert listing(contoso, read_models, everything) == {of_melissa, of_ben}
    assert listing(contoso, read_models, contoso.admin, mine=True) == set()


def test_the_event_feed_lists_none(contoso: Contoso, read_models: ReadModels) -> None:
    with pytest.raises(NotAllowed):
        listing(contoso, read_models, contoso.by("service"))
