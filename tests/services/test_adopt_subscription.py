from datetime import date
from typing import Any
from uuid import UUID, uuid4

import pytest

from domain.billing_profile import BillingProfile
from domain.refusals import (
    BillingProfileRequired,
    InvoicePastDue,
    MemberNotActive,
    NotAllowed,
    NotFound,
)
from domain.subscription import Subscription
from services.adopt_subscription import AdoptSubscription
from services.cancel_subscription import CancelSubscription
from services.command import Actor
from services.grant_role import GrantRole
from services.reactivate_subscription import ReactivateSubscription
from services.resize_licenses import ResizeLicenses
from services.revoke_role import RevokeRole
from services.set_recurring_billing import SetRecurringBilling
from tests.scenario import event
from tests.services.contoso import OPERATOR, Contoso
from tests.services.questions import (
    decided_twice,
    has_one_effect,
    is_done_once,
    refused_at_second_sight,
    stays_done,
    takes_one_of,
    tells,
    tells_nothing,
)


@pytest.fixture
def contoso(contoso: Contoso) -> Contoso:
    """Chris can pay."""
    contoso.can_pay(contoso.chris)
    return contoso


def an_adoption(contoso: Contoso, bought: UUID, by: Actor | None = None, **content: Any) -> AdoptSubscription:
    content = {"reason": "requested", **content}
    return contoso.command(AdoptSubscription, by or contoso.admin, subscription_id=bought, **content)


def test_it_is_central_from_now_on_and_billed_on_the_admins_profile(contoso: Contoso) -> None:
    bought = contoso.buys()
    contoso.assigns(bought, contoso.ben)
    melissas, chriss = contoso.profile(), contoso.profile(contoso.chris)
    tells(
        contoso,
        an_adoption(contoso, bought),
        event(
            Subscription.SubscriptionAdopted,
            purchaser_id=contoso.chris,
            purchaser_id_before=contoso.melissa,
            billing_profile_id=chriss.id,
            billing_profile_id_before=melissas.id,
            channel="central",
            reason="requested",
        ),
        event(BillingProfile.SubscriptionTakenOffProfile, originator_id=melissas.id, subscription_id=bought),
        event(BillingProfile.SubscriptionPutOnProfile, originator_id=chriss.id, subscription_id=bought),
    )
    assert contoso.holders(bought) == [contoso.ben]
    tells_nothing(contoso, an_adoption(contoso, bought))


def test_its_renewals_are_billed_there_and_what_was_billed_before_stays(contoso: Contoso) -> None:
    bought = contoso.buys()
    contoso.run(an_adoption(contoso, bought))
    contoso.run(contoso.command(ResizeLicenses, contoso.admin, subscription_id=bought, total=2))
    contoso.advances(date(2025, 2, 28))
    purchase, renewal = contoso.invoices()
    assert purchase.billing_profile_id == contoso.profile().id
    assert purchase.credited_minor == 1_400  # on the invoice that it was charged with, to the card that paid it
    assert renewal.billing_profile_id == contoso.profile(contoso.chris).id
    assert contoso.profile().credit_notes == 1
    assert contoso.sandbox.refunded() == {"USD": 1_400}


def test_the_admin_acts_on_it_and_the_former_purchaser_does_not(contoso: Contoso) -> None:
    bought = contoso.buys()
    contoso.run(an_adoption(contoso, bought))
    with contoso.refuses(NotFound, what="subscription", key=str(bought)):
        contoso.run(contoso.command(ResizeLicenses, contoso.buyer, subscription_id=bought, total=5))
    contoso.run(contoso.command(ResizeLicenses, contoso.admin, subscription_id=bought, total=5))


def test_one_whose_purchaser_left_is_taken_over_and_renews_again(contoso: Contoso) -> None:
    bought = contoso.buys()
    contoso.removes(contoso.melissa)
    contoso.run(an_adoption(contoso, bought, reason="purchaser_left"))
    contoso.run(contoso.command(SetRecurringBilling, contoso.admin, subscription_id=bought, on=True))
    contoso.advances(date(2025, 2, 28))
    assert contoso.subscription(bought).term_number == 1
    assert contoso.invoices()[-1].billing_profile_id == contoso.profile(contoso.chris).id


def test_onto_a_profile_on_which_the_admin_may_charge(contoso: Contoso, another: Contoso) -> None:
    bought = contoso.buys()
    for unseen in (contoso.profile().id, another.can_pay(another.chris), uuid4()):
        with contoso.refuses(NotFound, what="billing profile", key=str(unseen)):
            contoso.run(an_adoption(contoso, bought, billing_profile_id=unseen))
    further = contoso.opens_profile(contoso.chris, "tok_mastercard")
    contoso.run(an_adoption(contoso, bought, billing_profile_id=further))
    assert contoso.subscription(bought).billing_profile_id == further


def test_without_a_profile_nothing_is_taken_over(another: Contoso) -> None:
    bought = another.buys()
    with another.refuses(BillingProfileRequired, member_id=str(another.chris)):
        another.run(an_adoption(another, bought))


def test_a_repeat_is_answered_and_not_done_again(contoso: Contoso) -> None:
    is_done_once(contoso, an_adoption(contoso, contoso.buys()), reason="other")
    bought = contoso.buys()
    has_one_effect(contoso, an_adoption(contoso, bought), events=3)
    ending = {"subscription_id": bought, "when": "now", "reason": "other"}
    stays_done(contoso, an_adoption(contoso, bought), contoso.running(CancelSubscription, contoso.admin, **ending))


def test_only_an_admin(contoso: Contoso, another: Contoso) -> None:
    bought, elsewhere = contoso.buys(), another.buys()
    for unknown in (elsewhere, uuid4()):
        with contoso.refuses(NotFound, what="subscription", key=str(unknown)):
            contoso.run(an_adoption(contoso, unknown))
    takes_one_of(contoso, {"admin"}, lambda actor: an_adoption(contoso, bought, actor))


def test_who_ceases_to_be_an_admin_meanwhile(contoso: Contoso) -> None:
    bought = contoso.buys()
    contoso.can_pay(contoso.ben)
    ben, role = Actor(id=contoso.ben, role="admin"), {"member_id": contoso.ben, "role": "admin"}
    contoso.run(contoso.command(GrantRole, OPERATOR, **role))
    with refused_at_second_sight(contoso, contoso.running(RevokeRole, OPERATOR, **role), NotAllowed):
        contoso.run(an_adoption(contoso, bought, ben))
    contoso.run(contoso.command(GrantRole, OPERATOR, **role))
    with refused_at_second_sight(contoso, lambda: contoso.deactivates(contoso.ben), MemberNotActive):
        contoso.run(an_adoption(contoso, bought, ben))


def test_one_that_is_past_due(contoso: Contoso) -> None:
    bought = contoso.buys()
    contoso.changes_card("tok_declined")
    contoso.advances(date(2025, 2, 28))
    with contoso.refuses(InvoicePastDue, invoice_ids=[str(contoso.invoices()[-1].id)]):
        contoso.run(an_adoption(contoso, bought))


def test_an_ownerless_one_that_has_expired_can_be_adopted_and_reactivated(contoso: Contoso) -> None:
    bought = contoso.buys()
    contoso.removes(contoso.melissa)
    contoso.advances(date(2025, 3, 1))
    assert contoso.subscription(bought).life == "expired"
    contoso.can_pay(contoso.chris)
    contoso.run(an_adoption(contoso, bought))
    again = contoso.command(ReactivateSubscription, contoso.admin, subscription_id=bought)
    contoso.run(again)
    new = contoso.subscription(again.new_subscription_id)
    assert (new.life, new.purchaser_id, new.channel) == ("active", contoso.chris, "central")


def test_a_cancellation_meanwhile_is_no_obstacle(contoso: Contoso) -> None:
    bought = contoso.buys()
    ending = {"subscription_id": bought, "when": "now", "reason": "other"}
    with decided_twice(contoso, contoso.running(CancelSubscription, contoso.buyer, **ending)):
        contoso.run(an_adoption(contoso, bought))


def test_a_purchase_meanwhile_is_no_obstacle(contoso: Contoso) -> None:
    bought = contoso.buys()
    with decided_twice(contoso, contoso.buys):
        contoso.run(an_adoption(contoso, bought))
