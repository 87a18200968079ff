from collections.abc import Sequence

import pytest

from adapters.postgres.reads_purchases import PurchaseReads
from domain.refusals import MemberNotActive, NotAllowed
from domain.subscription import Channel
from services.cancel_subscription import CancelSubscription
from services.command import Actor
from services.list_my_products import ListMyProducts, list_my_products
from services.ports_reads import ProductLicenses
from tests.services.contoso import Contoso


def listing(
    contoso: Contoso, views: PurchaseReads, by: Actor, channel: Channel | None = None
) -> Sequence[ProductLicenses]:
    query = ListMyProducts(
        organization_id=contoso.organization_id, actor=by, channel=channel, at_least=contoso.position
    )
    return list_my_products(contoso.ledger, views, query)


def test_licenses_summed_over_what_the_caller_bought(contoso: Contoso, views: PurchaseReads) -> None:
    first, _, cancelled = contoso.buys(3), contoso.buys(5), contoso.buys(7)
    contoso.buys_centrally(contoso.ben, 9)
    contoso.assigns(first, contoso.ben, contoso.david)
    contoso.run(
        contoso.command(CancelSubscription, contoso.buyer, subscription_id=cancelled, when="now", reason="other")
    )
    (mine,) = listing(contoso, views, contoso.buyer)
    assert (mine.product_name, mine.subscriptions) == ("Power BI Pro", 2)
    assert (mine.licenses_total, mine.licenses_assigned) == (8, 2)
    (of_ben,) = listing(contoso, views, contoso.purchaser(contoso.ben))
    assert of_ben.licenses_total == 9
    assert listing(contoso, views, contoso.purchaser(contoso.ben), "self_service") == []


def test_an_admins_own_are_what_the_admin_bought(contoso: Contoso, views: PurchaseReads) -> None:
    contoso.buys()
    assert listing(contoso, views, contoso.admin) == []


def test_who_may_not(contoso: Contoso, views: PurchaseReads) -> None:
    with pytest.raises(NotAllowed):
        listing(contoso, views, contoso.by("billing_reader"))
    contoso.deactivates(contoso.ben)
    with pytest.raises(MemberNotActive):
        listing(contoso, views, contoso.purchaser(contoso.ben))
