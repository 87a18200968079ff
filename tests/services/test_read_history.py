from uuid import UUID

import pytest

from domain.organization import CATALOG
from domain.refusals import NotAllowed, NotFound
from services.command import Actor
from services.ledger import offer_id_of
from services.read_history import ReadHistory, ReadHistoryPage, read_history, read_history_page, read_stream
from tests.examples import an_id
from tests.services.contoso import MONTHLY, OPERATOR, Contoso


def told(contoso: Contoso, by: Actor, of: UUID, organization_id: UUID | None = None) -> list[str]:
    query = ReadHistory(organization_id=organization_id or contoso.organization_id, actor=by, aggregate_id=of)
    return [event.topic.rpartition(".")[2] for event in read_history(contoso.ledger, query)]


def test_a_subscriptions_history_has_its_pools(contoso: Contoso) -> None:
    bought = contoso.buys()
    contoso.assigns(bought, contoso.ben)
    events = ["SubscriptionPurchased", "LicensePoolOpened", "LicenseAssigned"]
    assert told(contoso, contoso.by("auditor"), bought) == events
    assert told(contoso, OPERATOR, contoso.subscription(bought).pool_id) == events[1:]
    query = ReadHistory(organization_id=contoso.organization_id, actor=OPERATOR, aggregate_id=bought)
    assert len(read_stream(contoso.ledger, query)) == 1


def pages(contoso: Contoso, by: Actor, of: UUID, limit: int) -> list[list[int]]:
    found: list[list[int]] = []
    after: tuple[int, ...] | None = ()
    while after is not None:
        query = ReadHistoryPage(
            organization_id=contoso.organization_id, actor=by, aggregate_id=of, after=after, limit=limit
        )
        events, after = read_history_page(contoso.ledger, query)
        found.append([event.organization_seq for event in events])
    return found


@pytest.mark.parametrize("limit", [1, 2, 5, 200])
def test_page_by_page_it_is_the_same_history(contoso: Contoso, limit: int) -> None:
    bought = contoso.buys()
    for member_id in (contoso.ben, contoso.david, contoso.cynthia):
        contoso.assigns(bought, member_id)
    auditor = contoso.by("auditor")
    for of in (bought, contoso.subscription(bought).pool_id, contoso.organization_id):
        query = ReadHistory(organization_id=contoso.organization_id, actor=auditor, aggregate_id=of)
        whole = [event.organization_seq for event in read_history(contoso.ledger, query)]
        assert pages(contoso, auditor, of, limit) == [whole[at : at + limit] for at in range(0, len(whole), limit)]
    with pytest.raises(NotFound):
        pages(contoso, auditor, an_id(77), limit)
    with pytest.raises(NotAllowed):
        pages(contoso, contoso.admin, bought, limit)


def test_it_takes_a_role_that_audits(contoso: Contoso) -> None:
    bought = contoso.buys()
    for by in (contoso.buyer, contoso.admin, contoso.by("billing_reader"), contoso.by("service")):
        with pytest.raises(NotAllowed):
            told(contoso, by, bought)
    with pytest.raises(NotAllowed):  # who was not granted the role
        told(contoso, Actor(id=contoso.david, role="auditor"), bought)


def test_another_organizations_history_does_not_exist(contoso: Contoso, another: Contoso) -> None:
    bought = another.buys()
    for by in (contoso.by("auditor"), OPERATOR):
        with pytest.raises(NotFound):
            told(contoso, by, bought)
    with pytest.raises(NotFound):
        told(another, contoso.by("auditor"), bought)
    with pytest.raises(NotFound):
        told(contoso, OPERATOR, contoso.organization_id, an_id(77))


def test_the_catalogs_history_is_the_houses_own(contoso: Contoso) -> None:
    offer = offer_id_of(MONTHLY)
    assert told(contoso, OPERATOR, offer, CATALOG)[0] == "OfferPublished"
    with pytest.raises(NotAllowed):
        told(contoso, contoso.by("auditor"), offer, CATALOG)
