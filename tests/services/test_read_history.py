from uuid import UUID

import pytest

from domain.organization import CATALOG
from domain.refusals import NotAllowed, NotFound
from services.command import Actor
from services.ledger import offer_id_of
from services.read_history import ReadHistory, read_history, read_stream
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
