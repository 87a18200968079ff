"""Two wishes that must not both come true, and wishes that all must: again and again, all clients let go together."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from domain.license_pool import LicensePool
from domain.refusals import MemberNotActive, SelfServiceDisabled, SubscriptionNotActive, UserNotInOrganization
from services.assign_licenses import AssignLicenses
from services.buy_subscription import BuySubscription
from services.cancel_subscription import CancelSubscription
from services.ledger import offer_id_of
from services.ports import Receipt
from services.resize_licenses import ResizeLicenses
from services.set_self_service_policy import SetSelfServicePolicy
from tests.examples import POWER_BI_PRO_PRODUCT
from tests.services.contoso import MONTHLY, Contoso
from tests.services.questions import at_once
from tests.services.test_assign_licenses import test_fifty_who_want_a_license_at_once as fifty_want_a_license

ROUNDS = 20
Found = Callable[[], Contoso]


def told_of(contoso: Contoso) -> list[str]:
    """What happened in the organization, in order, by the names of its events."""
    return [event.topic.rpartition(".")[2] for event in contoso.history()]


def never_after(contoso: Contoso, late: str, end: str) -> None:
    """Nothing of this kind stands in history after what ended it."""
    told = told_of(contoso)
    assert end in told
    assert late not in told[told.index(end) :], told


@pytest.mark.parametrize("licenses", [1, 50], ids=["for the last license", "for fifty licenses"])
def test_fifty_clients(found: Found, licenses: int) -> None:
    for _ in range(ROUNDS):
        fifty_want_a_license(found(), licenses)


def test_assigning_to_a_member_who_is_being_removed(found: Found) -> None:
    for _ in range(ROUNDS):
        contoso = found()
        bought = contoso.buys()
        assigned, removed = at_once(
            partial(contoso.assigns, bought, contoso.ben), partial(contoso.removes, contoso.ben)
        )
        assert isinstance(assigned, Receipt | UserNotInOrganization)
        assert isinstance(removed, Receipt)
        never_after(contoso, "LicenseAssigned", "MemberRemoved")
        assert contoso.holders(bought) == []


def test_resizing_what_is_being_cancelled(found: Found) -> None:
    for _ in range(ROUNDS):
        contoso = found()
        bought = contoso.buys(licenses=3)
        resized, cancelled = at_once(
            contoso.running(ResizeLicenses, contoso.buyer, subscription_id=bought, total=5),
            contoso.running(CancelSubscription, contoso.buyer, subscription_id=bought, when="now", reason="other"),
        )
        assert isinstance(resized, Receipt | SubscriptionNotActive)
        assert isinstance(cancelled, Receipt)
        never_after(contoso, "LicensesResized", "SubscriptionCancelled")
        assert contoso.pool(bought).total == (5 if isinstance(resized, Receipt) else 3)


def test_buying_while_the_policy_is_turned_off(found: Found) -> None:
    for _ in range(ROUNDS):
        contoso = found()
        contoso.can_pay(contoso.melissa)
        product = POWER_BI_PRO_PRODUCT.product_id
        bought, turned_off = at_once(
            contoso.running(BuySubscription, contoso.buyer, offer_id=offer_id_of(MONTHLY), licenses=3),
            contoso.running(SetSelfServicePolicy, contoso.admin, product_id=product, policy="Disabled"),
        )
        assert isinstance(bought, Receipt | SelfServiceDisabled)
        assert isinstance(turned_off, Receipt)
        never_after(contoso, "SubscriptionPurchased", "SelfServicePolicySet")


def test_assigning_by_a_purchaser_who_is_being_deactivated(found: Found) -> None:
    for _ in range(ROUNDS):
        contoso = found()
        bought = contoso.buys()
        assigned, _ = at_once(
            partial(contoso.assigns, bought, contoso.ben), partial(contoso.deactivates, contoso.melissa)
        )
        assert isinstance(assigned, Receipt | MemberNotActive)
        never_after(contoso, "LicenseAssigned", "MemberDeactivated")


@pytest.mark.parametrize("total", [3, 105], ids=["that tells nothing", "that tells"])
def test_the_same_command_sixteen_times(found: Found, total: int) -> None:
    for _ in range(ROUNDS):
        contoso = found()
        bought = contoso.buys(licenses=3)
        resizing = contoso.command(ResizeLicenses, contoso.buyer, subscription_id=bought, total=total)
        answers = at_once(*[partial(contoso.run, resizing)] * 16)
        assert len(set(answers)) == 1
        assert isinstance(answers[0], Receipt)
        assert sum(isinstance(told, LicensePool.LicensesResized) for told in contoso.told()) == (total != 3)
        assert [payment.status for payment in contoso.payments()] == ["captured"] * (1 + (total != 3))
        assert not contoso.sandbox.holds()


@pytest.mark.parametrize("total", [100, 105], ids=["that told nothing", "that told"])
def test_a_retried_command_does_not_undo_a_colleagues_later_one(found: Found, total: int) -> None:
    """The answer to "105" is lost; a colleague says "110"; then "105" comes again, many times, while others go on."""
    for _ in range(ROUNDS):
        contoso = found()
        bought = contoso.buys(licenses=100)
        say = partial(contoso.command, ResizeLicenses, contoso.buyer, subscription_id=bought)
        lost = say(total=total)
        first = contoso.run(lost)
        contoso.run(say(total=110))
        *again, _ = at_once(*[partial(contoso.run, lost)] * 4, partial(contoso.run, say(total=111)))
        assert again == [first] * 4
        assert contoso.pool(bought).total == 111


def test_many_at_once_wish_for_different_things_of_one_member(found: Found) -> None:
    """Whoever comes first, nobody holds a license twice, and nobody is counted twice."""
    for _ in range(ROUNDS):
        contoso = found()
        bought = contoso.buys(licenses=2)
        wants = [
            contoso.running(AssignLicenses, contoso.buyer, subscription_id=bought, user_ids=(user,))
            for user in (contoso.ben, contoso.david, contoso.cynthia) * 2
        ]
        at_once(*wants)
        holders = contoso.holders(bought)
        assert len(holders) == len(set(holders)) == 2
        assert told_of(contoso).count("LicenseAssigned") == 2
