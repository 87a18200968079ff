"""How a purchase came to be what it is, a page at a time."""

from uuid import UUID

import pytest

from adapters.postgres.reads_purchases import PurchaseReads
from domain.refusals import NotAllowed, NotFound
from services.command import Actor
from services.list_orders import ListOrders, list_orders
from services.read_history import HistoryPage
from services.resize_licenses import ResizeLicenses
from services.set_recurring_billing import SetRecurringBilling
from tests.services.contoso import Contoso


def page(contoso: Contoso, views: PurchaseReads, by: Actor, bought: UUID, **content: object) -> HistoryPage:
    asked = {"organization_id": contoso.organization_id, "actor": by, "subscription_id": bought, **content}
    return list_orders(contoso.ledger, views, ListOrders.model_validate({"at_least": contoso.position, **asked}))


def test_what_happened_without_who_got_licenses(contoso: Contoso, views: PurchaseReads) -> None:
    bought = contoso.buys(licenses=3)
    contoso.assigns(bought, contoso.ben, contoso.david)
    contoso.run(contoso.command(ResizeLicenses, contoso.buyer, subscription_id=bought, total=5))
    contoso.assigns(bought, contoso.melissa)
    contoso.run(contoso.command(SetRecurringBilling, contoso.buyer, subscription_id=bought, on=False))
    whole = page(contoso, views, contoso.buyer, bought)
    assert [event.topic.rpartition(".")[2] for event in whole.events] == [
        "SubscriptionPurchased",
        "LicensePoolOpened",
        "LicensesResized",
        "RecurringBillingTurnedOff",
    ]
    assert whole.following is None
    found = []
    after: tuple[int, ...] | None = ()
    while after is not None:
        part = page(contoso, views, contoso.buyer, bought, limit=1, after=after)
        found += part.events
        after = part.following
    assert found == whole.events


def test_for_who_may_see_the_purchase(contoso: Contoso, views: PurchaseReads) -> None:
    bought = contoso.buys()
    assert len(page(contoso, views, contoso.by("auditor"), bought).events) == 2
    with pytest.raises(NotFound):
        page(contoso, views, contoso.purchaser(contoso.ben), bought)
    with pytest.raises(NotAllowed):
        page(contoso, views, contoso.by("billing_reader"), bought)
