"""Who holds a license of a purchase, a page at a time."""

from datetime import timedelta
from uuid import UUID

import pytest

from adapters.postgres.reads_purchases import PurchaseReads
from domain.refusals import MemberNotActive, NotAllowed, NotFound
from services.command import Actor
from services.list_assignments import ListAssignments, list_assignments
from services.unassign_licenses import UnassignLicenses
from tests.examples import TODAY, TOMORROW
from tests.services.contoso import OPERATOR, Clock, Contoso


def members(contoso: Contoso, views: PurchaseReads, by: Actor, bought: UUID, **content: object) -> list[UUID]:
    asked = {"organization_id": contoso.organization_id, "actor": by, "subscription_id": bought, **content}
    query = ListAssignments.model_validate({"at_least": contoso.position, **asked})
    return [row.member_id for row in list_assignments(contoso.ledger, views, query)]


def test_page_by_page_the_oldest_first(contoso: Contoso, views: PurchaseReads) -> None:
    bought = contoso.buys(licenses=5)
    assert members(contoso, views, contoso.buyer, bought) == []
    contoso.assigns(bought, contoso.ben, contoso.david, contoso.melissa)
    assert members(contoso, views, contoso.buyer, bought) == [contoso.ben, contoso.david, contoso.melissa]
    query = ListAssignments(
        organization_id=contoso.organization_id,
        actor=contoso.buyer,
        subscription_id=bought,
        limit=2,
        at_least=contoso.position,
    )
    first = list_assignments(contoso.ledger, views, query)
    rest = members(contoso, views, contoso.buyer, bought, after_seq=first[-1].assigned_seq)
    assert [*(row.member_id for row in first), *rest] == [contoso.ben, contoso.david, contoso.melissa]


def test_who_held_one_on_a_day(contoso: Contoso, views: PurchaseReads, clock: Clock) -> None:
    bought = contoso.buys(licenses=3)
    contoso.assigns(bought, contoso.ben)
    clock.now += timedelta(days=1)
    contoso.run(contoso.command(UnassignLicenses, contoso.buyer, subscription_ids=(bought,), user_ids=(contoso.ben,)))
    contoso.assigns(bought, contoso.david)
    assert members(contoso, views, contoso.buyer, bought, on=TODAY) == [contoso.ben]
    assert members(contoso, views, contoso.buyer, bought, on=TOMORROW) == [contoso.ben, contoso.david]
    assert members(contoso, views, contoso.buyer, bought) == [contoso.david]


def test_for_who_may_see_the_purchase(contoso: Contoso, views: PurchaseReads) -> None:
    bought = contoso.buys()
    contoso.assigns(bought, contoso.ben)
    for by in (contoso.admin, OPERATOR, contoso.by("auditor")):
        assert members(contoso, views, by, bought) == [contoso.ben]
    with pytest.raises(NotFound):
        members(contoso, views, contoso.purchaser(contoso.ben), bought)
    for role in ("billing_reader", "service"):
        with pytest.raises(NotAllowed):
            members(contoso, views, contoso.by(role), bought)
    contoso.deactivates(contoso.melissa)
    with pytest.raises(MemberNotActive):
        members(contoso, views, contoso.buyer, bought)
