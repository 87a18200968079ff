from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest

from adapters.postgres.reads_purchases import PurchaseReads
from domain.refusals import MemberNotActive, NotAllowed, NotFound
from services.command import Actor
from services.list_purchases import ListPurchases, list_purchases
from services.ports_reads import PurchaseFilter, PurchasePage
from tests.examples import A_STRANGER
from tests.services.contoso import OPERATOR, Clock, Contoso

Listing = Callable[..., PurchasePage]


@pytest.fixture
def listing(contoso: Contoso, views: PurchaseReads) -> Listing:
    def listing(by: Actor, where: PurchaseFilter | None = None, **page: object) -> PurchasePage:
        query = {"organization_id": contoso.organization_id, "actor": by, "at_least": contoso.position, **page}
        return list_purchases(
            contoso.ledger, views, ListPurchases.model_validate({**query, "where": where or PurchaseFilter()})
        )

    return listing


def ids(page: PurchasePage) -> list[UUID]:
    return [row.subscription_id for row in page.rows]


def test_an_admin_sees_all_and_a_purchaser_their_own(contoso: Contoso, clock: Clock, listing: Listing) -> None:
    of_melissa = contoso.buys()
    clock.now += timedelta(hours=1)
    of_ben = contoso.buys_centrally(contoso.ben)
    for everything in (contoso.admin, contoso.by("auditor"), OPERATOR):
        assert ids(listing(everything)) == [of_melissa, of_ben]
    assert ids(listing(contoso.buyer)) == [of_melissa]
    assert ids(listing(contoso.purchaser(contoso.ben))) == [of_ben]
    assert ids(listing(contoso.admin, PurchaseFilter(channel="self_service"))) == [of_melissa]


def test_no_filter_shows_a_purchaser_what_others_bought(contoso: Contoso, listing: Listing) -> None:
    contoso.buys()
    assert ids(listing(contoso.purchaser(contoso.ben), PurchaseFilter(purchaser_id=contoso.melissa))) == []


def test_page_by_page(contoso: Contoso, clock: Clock, listing: Listing) -> None:
    bought = []
    for _ in range(3):
        bought.append(contoso.buys())
        clock.now += timedelta(hours=1)
    first = listing(contoso.buyer, limit=2)
    second = listing(contoso.buyer, limit=2, after=first.following)
    assert ids(first) + ids(second) == bought
    assert second.following is None


def test_who_may_not(contoso: Contoso, another: Contoso, listing: Listing) -> None:
    another.buys()
    for role in ("billing_reader", "service"):
        with pytest.raises(NotAllowed):
            listing(contoso.by(role))
    for nobody in (A_STRANGER, another.melissa):
        with pytest.raises(NotFound):
            listing(contoso.purchaser(nobody))
    with pytest.raises(NotAllowed, match="act as admin"):
        listing(Actor(id=contoso.ben, role="admin"))
    contoso.removes(contoso.ben)
    with pytest.raises(MemberNotActive):
        listing(contoso.purchaser(contoso.ben))
    assert ids(listing(contoso.admin)) == []
