from collections.abc import Callable
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from adapters.postgres.reads_purchases import PurchaseReads
from domain.refusals import MemberNotActive, NotAllowed, NotFound
from services.command import Actor
from services.resize_licenses import ResizeLicenses
from services.show_purchase import PurchaseInFull, ShowPurchase, show_purchase
from services.unassign_licenses import UnassignLicenses
from tests.examples import TODAY, TOMORROW
from tests.services.contoso import OPERATOR, Clock, Contoso

Showing = Callable[..., PurchaseInFull]


@pytest.fixture
def showing(contoso: Contoso, views: PurchaseReads) -> Showing:
    def showing(by: Actor, bought: UUID, **content: object) -> PurchaseInFull:
        query = {"organization_id": contoso.organization_id, "actor": by, "subscription_id": bought, **content}
        return show_purchase(
            contoso.ledger, views, ShowPurchase.model_validate({"at_least": contoso.position, **query})
        )

    return showing


def test_its_facts_its_holders_and_its_orders(contoso: Contoso, clock: Clock, showing: Showing) -> None:
    bought = contoso.buys(licenses=3)
    contoso.buys(licenses=9)
    contoso.assigns(bought, contoso.ben, contoso.david)
    clock.now += timedelta(days=1)
    contoso.run(contoso.command(UnassignLicenses, contoso.buyer, subscription_ids=(bought,), user_ids=(contoso.ben,)))
    contoso.run(contoso.command(ResizeLicenses, contoso.buyer, subscription_id=bought, total=5))
    shown = showing(contoso.buyer, bought)
    assert (shown.purchase.licenses_total, shown.purchase.licenses_assigned) == (5, 1)
    assert [row.member_id for row in shown.assignments] == [contoso.david]
    assert [order.topic.rpartition(".")[2] for order in shown.orders] == [
        "SubscriptionPurchased",
        "LicensePoolOpened",
        "LicensesResized",
    ]


def test_who_held_a_license_on_a_day(contoso: Contoso, clock: Clock, showing: Showing) -> None:
    bought = contoso.buys(licenses=3)
    contoso.assigns(bought, contoso.ben)
    clock.now += timedelta(days=1)
    contoso.assigns(bought, contoso.david)
    assert [row.member_id for row in showing(contoso.buyer, bought, on=TODAY).assignments] == [contoso.ben]
    both = [contoso.ben, contoso.david]
    assert [row.member_id for row in showing(contoso.buyer, bought, on=TOMORROW).assignments] == both


def test_more_holders_than_a_page(contoso: Contoso, showing: Showing) -> None:
    bought = contoso.buys(licenses=300)
    users = contoso.generates(220)
    for start in range(0, 220, 20):
        contoso.assigns(bought, *users[start : start + 20])
    assert [row.member_id for row in showing(contoso.admin, bought).assignments] == users


def test_somebody_elses_does_not_exist_for_a_purchaser(contoso: Contoso, another: Contoso, showing: Showing) -> None:
    bought, elsewhere = contoso.buys(), another.buys()
    for unknown, by in (
        (bought, contoso.purchaser(contoso.ben)),
        (elsewhere, contoso.buyer),
        (elsewhere, contoso.admin),
        (uuid4(), contoso.admin),
    ):
        with pytest.raises(NotFound):
            showing(by, unknown)
    for by in (contoso.admin, OPERATOR, contoso.by("auditor")):
        assert showing(by, bought).purchase.purchaser_id == contoso.melissa


def test_who_may_not(contoso: Contoso, showing: Showing) -> None:
    bought = contoso.buys()
    for role in ("billing_reader", "service"):
        with pytest.raises(NotAllowed):
            showing(contoso.by(role), bought)
    contoso.deactivates(contoso.melissa)
    with pytest.raises(MemberNotActive):
        showing(contoso.buyer, bought)
