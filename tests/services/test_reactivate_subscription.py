from datetime import date
from typing import Any, get_args
from uuid import UUID, uuid4

import pytest
from pydantic import ValidationError

from domain.envelope import Role
from domain.license_pool import LicensePool
from domain.refusals import (
    MemberNotActive,
    NotAllowed,
    NotFound,
    NothingToReactivate,
    OfferNotOnSale,
    PaymentDeclined,
    QuoteChanged,
    SelfServiceDisabled,
)
from domain.subscription import Subscription
from services.cancel_subscription import CancelSubscription
from services.command import Actor
from services.ledger import offer_id_of
from services.reactivate_subscription import ReactivateSubscription
from services.schedule_price import SchedulePrice
from services.set_recurring_billing import SetRecurringBilling
from services.set_self_service_policy import SetSelfServicePolicy
from services.withdraw_offer import WithdrawOffer
from tests.examples import POWER_BI_PRO_PRODUCT, TOMORROW
from tests.scenario import event
from tests.services.contoso import Clock, Contoso
from tests.services.questions import (
    decided_twice,
    has_one_effect,
    is_done_once,
    refused_at_second_sight,
    saves_of,
    stays_done,
)

PRODUCT_ID = POWER_BI_PRO_PRODUCT.product_id


def ends(contoso: Contoso, bought: UUID) -> UUID:
    """Cancelled now, by who may."""
    central = contoso.subscription(bought).channel == "central"
    by = contoso.admin if central else contoso.buyer
    contoso.run(contoso.command(CancelSubscription, by, subscription_id=bought, when="now", reason="other"))
    return bought


@pytest.fixture
def ended(contoso: Contoso) -> UUID:
    """Three licenses, which Ben and David held, cancelled on the day of the purchase."""
    bought = contoso.buys()
    contoso.assigns(bought, contoso.ben, contoso.david)
    return ends(contoso, bought)


def a_reactivation(contoso: Contoso, bought: UUID, by: Actor | None = None, **content: Any) -> ReactivateSubscription:
    return contoso.command(ReactivateSubscription, by or contoso.buyer, subscription_id=bought, **content)


def test_a_new_subscription_takes_its_place_with_its_holders(contoso: Contoso, ended: UUID) -> None:
    reactivating = a_reactivation(contoso, ended)
    contoso.run(reactivating)
    intent, answer, taken = saves_of(contoso, reactivating)
    new = reactivating.new_subscription_id
    assert intent.told == ["PaymentRequested"]
    assert event(Subscription.SubscriptionReactivated, originator_id=ended, replaced_by_id=new) in answer.events
    assert event(Subscription.SubscriptionPurchased, originator_id=new, replaces_id=ended, licenses=3) in answer.events
    assert [one.member_id for one in answer.events if isinstance(one, LicensePool.LicenseAssigned)] == [
        contoso.ben,
        contoso.david,
    ]
    assert taken.told == ["PaymentReceived", "PaymentCaptured"]
    assert contoso.holders(new) == [contoso.ben, contoso.david]
    assert contoso.subscription(new).life == "active"


def test_an_expired_one_whose_holders_still_have_access(contoso: Contoso) -> None:
    bought = contoso.buys()
    contoso.assigns(bought, contoso.ben)
    contoso.run(contoso.command(SetRecurringBilling, contoso.buyer, subscription_id=bought, on=False))
    contoso.advances(date(2025, 3, 10))
    assert contoso.subscription(bought).life == "expired"
    reactivating = a_reactivation(contoso, bought)
    contoso.run(reactivating)
    new = contoso.subscription(reactivating.new_subscription_id)
    assert (new.anchor, new.term.end) == (date(2025, 3, 10), date(2025, 4, 10))  # starts today
    assert contoso.holders(new.id) == [contoso.ben]
    assert contoso.pool(bought).closed
    contoso.advances(date(2025, 7, 1))  # the old one ends as it would have
    assert contoso.subscription(bought).life == "deleted"
    assert contoso.holders(new.id) == [contoso.ben]


def test_as_many_licenses_as_are_named_for_the_oldest_holders(contoso: Contoso, ended: UUID) -> None:
    reactivating = a_reactivation(contoso, ended, licenses=1)
    contoso.run(reactivating)
    assert contoso.holders(reactivating.new_subscription_id) == [contoso.ben]


def test_who_is_not_active_any_more_gets_none(contoso: Contoso, ended: UUID) -> None:
    contoso.removes(contoso.ben)
    reactivating = a_reactivation(contoso, ended, licenses=1)
    contoso.run(reactivating)
    assert contoso.holders(reactivating.new_subscription_id) == [contoso.david]


def test_at_the_price_of_the_day(contoso: Contoso, clock: Clock) -> None:
    terms = contoso.lists()
    ended = ends(contoso, contoso.buys(terms=terms))
    price = {"offer_id": offer_id_of(terms), "effective_on": TOMORROW, "unit_price_minor": 1_500}
    contoso.run(contoso.in_catalog(SchedulePrice, **price))
    clock.now = clock.now.replace(month=2, day=1)
    with contoso.refuses(QuoteChanged, expected_minor=4_200, actual_minor=4_500):
        contoso.run(a_reactivation(contoso, ended, expected_amount_minor=4_200))
    contoso.run(a_reactivation(contoso, ended, expected_amount_minor=4_500))
    assert contoso.invoices()[-1].total_minor == 4_500


def test_on_another_profile(contoso: Contoso, ended: UUID) -> None:
    further = contoso.opens_profile(contoso.melissa, "tok_mastercard")
    reactivating = a_reactivation(contoso, ended, billing_profile_id=further)
    contoso.run(reactivating)
    assert contoso.subscription(reactivating.new_subscription_id).billing_profile_id == further
    assert contoso.invoices()[-1].billing_profile_id == further


def test_a_repeat_is_answered_and_not_done_again(contoso: Contoso, ended: UUID) -> None:
    reactivating = a_reactivation(contoso, ended)
    has_one_effect(contoso, reactivating, events=13)
    is_done_once(contoso, reactivating, licenses=4)
    stays_done(contoso, reactivating, lambda: contoso.removes(contoso.melissa))
    assert contoso.sandbox.captured() == {"USD": 8_400}


def test_only_its_purchaser_or_the_administrators_of_a_central_one(contoso: Contoso, another: Contoso) -> None:
    """Who may not act is refused before it is asked whether there is anything to reactivate."""
    own, central = ends(contoso, contoso.buys()), ends(contoso, contoso.buys_centrally(contoso.ben))
    with contoso.refuses(NotFound, key=str(own)):
        contoso.run(a_reactivation(contoso, own, contoso.purchaser(contoso.ben)))
    for role in set(get_args(Role)) - {"purchaser"}:
        actor = contoso.by(role)
        with contoso.refuses(NotAllowed):
            contoso.run(a_reactivation(contoso, own, actor))
    for unknown in (ends(another, another.buys()), uuid4()):
        with contoso.refuses(NotFound, key=str(unknown)):
            contoso.run(a_reactivation(contoso, unknown))
    contoso.run(a_reactivation(contoso, central, contoso.admin))
    contoso.run(a_reactivation(contoso, own))


def test_policy_and_card_are_checked_as_for_a_purchase(contoso: Contoso, ended: UUID) -> None:
    for policy in ("Disabled", "Enabled"):
        contoso.run(contoso.command(SetSelfServicePolicy, contoso.admin, product_id=PRODUCT_ID, policy=policy))
        if policy == "Disabled":
            with contoso.refuses(SelfServiceDisabled):
                contoso.run(a_reactivation(contoso, ended))
    contoso.changes_card("tok_declined")
    with contoso.declines(PaymentDeclined, why="card_declined"):
        contoso.run(a_reactivation(contoso, ended))
    assert contoso.subscription(ended).replaced_by_id is None


def test_nothing_to_reactivate(contoso: Contoso, ended: UUID) -> None:
    active = contoso.buys()
    with contoso.refuses(NothingToReactivate, state="active"):
        contoso.run(a_reactivation(contoso, active))
    first = a_reactivation(contoso, ended)
    contoso.run(first)
    with contoso.refuses(NothingToReactivate, reactivated_as=str(first.new_subscription_id)):
        contoso.run(a_reactivation(contoso, ended))


def test_an_offer_that_is_withdrawn(contoso: Contoso, clock: Clock) -> None:
    terms = contoso.lists()
    ended = ends(contoso, contoso.buys(terms=terms))
    contoso.run(contoso.in_catalog(WithdrawOffer, offer_id=offer_id_of(terms), withdrawn_on=TOMORROW))
    clock.now = clock.now.replace(month=2, day=1)
    with contoso.refuses(OfferNotOnSale):
        contoso.run(a_reactivation(contoso, ended))


def test_another_reactivation_meanwhile(contoso: Contoso, ended: UUID) -> None:
    other = contoso.running(ReactivateSubscription, contoso.buyer, subscription_id=ended)
    with refused_at_second_sight(contoso, other, NothingToReactivate):
        contoso.run(a_reactivation(contoso, ended))
    assert contoso.sandbox.captured() == {"USD": 8_400}


def test_a_purchaser_who_goes_meanwhile(contoso: Contoso, ended: UUID) -> None:
    with refused_at_second_sight(contoso, lambda: contoso.removes(contoso.melissa), MemberNotActive):
        contoso.run(a_reactivation(contoso, ended))


def test_a_holder_who_goes_meanwhile(contoso: Contoso, ended: UUID) -> None:
    reactivating = a_reactivation(contoso, ended)
    with decided_twice(contoso, lambda: contoso.removes(contoso.ben)):
        contoso.run(reactivating)
    assert contoso.holders(reactivating.new_subscription_id) == [contoso.david]


@pytest.mark.parametrize("licenses", [0, -1, 1_000_001])
def test_a_number_out_of_range_is_refused_at_the_edge(contoso: Contoso, licenses: int) -> None:
    with pytest.raises(ValidationError, match="licenses"):
        a_reactivation(contoso, uuid4(), licenses=licenses)
