from typing import Any
from uuid import UUID, uuid4

import pytest
from pydantic import ValidationError

from domain.billing_profile import BillingProfile, BillTo
from domain.payment_method import PaymentMethod
from domain.refusals import NotFound
from services.buy_subscription import own_profile_id
from services.command import Actor
from services.open_billing_profile import OpenBillingProfile
from services.remove_payment_method import RemovePaymentMethod
from tests.scenario import event
from tests.services.contoso import Contoso
from tests.services.questions import (
    at_once,
    has_one_effect,
    is_done_once,
    refused_at_second_sight,
    stays_done,
    takes_an_active_member,
    takes_one_of,
    tells,
)


@pytest.fixture
def card(contoso: Contoso) -> UUID:
    return contoso.adds_card(contoso.melissa)


def an_opening(contoso: Contoso, card: UUID, by: Actor | None = None, **content: Any) -> OpenBillingProfile:
    return contoso.command(OpenBillingProfile, by or contoso.buyer, payment_method_id=card, **content)


def test_the_first_one_is_what_purchases_are_billed_on(contoso: Contoso, card: UUID) -> None:
    own_id = own_profile_id(contoso.organization_id, contoso.melissa)
    tells(
        contoso,
        an_opening(contoso, card),
        event(
            BillingProfile.BillingProfileOpened,
            originator_id=own_id,
            owner_id=contoso.melissa,
            currency="USD",
            currency_exponent=2,
            payment_method_id=card,
            bill_to=BillTo(country="US"),
        ),
        event(PaymentMethod.PaymentMethodAttached, originator_id=card, billing_profile_id=own_id),
    )
    assert contoso.subscription(contoso.buys()).billing_profile_id == own_id


def test_further_ones_have_ids_and_numbers_of_their_own(contoso: Contoso, card: UUID) -> None:
    contoso.run(an_opening(contoso, card))
    further = an_opening(contoso, card, country="DE", bill_to="Contoso GmbH")
    opened = event(BillingProfile.BillingProfileOpened, originator_id=further.further_profile_id)
    tells(contoso, further, opened, event(PaymentMethod.PaymentMethodAttached))
    first, second = contoso.every(BillingProfile)
    assert first.prefix != second.prefix
    assert second.bill_to.country == "DE"
    assert contoso.ledger.payment_method(contoso.organization_id, card).charged_by == [first.id, second.id]


def test_a_repeat_is_answered_and_not_done_again(contoso: Contoso, card: UUID) -> None:
    is_done_once(contoso, an_opening(contoso, card), country="DE")
    has_one_effect(contoso, an_opening(contoso, card), events=2)
    stays_done(contoso, an_opening(contoso, card), lambda: contoso.removes(contoso.melissa))


def test_one_of_two_at_once_is_the_first(contoso: Contoso, card: UUID) -> None:
    openings = [an_opening(contoso, card) for _ in range(4)]
    at_once(*(lambda opening=opening: contoso.run(opening) for opening in openings))
    profiles = contoso.every(BillingProfile)
    assert len({profile.id for profile in profiles}) == 4
    assert own_profile_id(contoso.organization_id, contoso.melissa) in {profile.id for profile in profiles}


def test_who_buys_or_administers_is_billed(contoso: Contoso, another: Contoso) -> None:
    cards = {member: contoso.adds_card(member) for member in (contoso.ben, contoso.chris)}
    spare = contoso.adds_card(contoso.melissa)
    takes_one_of(contoso, {"purchaser", "admin"}, lambda actor: an_opening(contoso, cards.get(actor.id, spare), actor))
    takes_an_active_member(contoso, another, lambda actor: an_opening(contoso, spare, actor), role="purchaser")


def test_on_a_card_of_ones_own(contoso: Contoso, another: Contoso, card: UUID) -> None:
    ben = contoso.purchaser(contoso.ben)
    for of, actor in ((card, ben), (another.adds_card(another.melissa), contoso.buyer), (uuid4(), contoso.buyer)):
        with contoso.refuses(NotFound, what="payment method", key=str(of)):
            contoso.run(an_opening(contoso, of, actor))


def test_a_card_that_is_removed_meanwhile(contoso: Contoso, card: UUID) -> None:
    removes = contoso.running(RemovePaymentMethod, contoso.buyer, payment_method_id=card)
    with refused_at_second_sight(contoso, removes, NotFound, what="payment method"):
        contoso.run(an_opening(contoso, card))


@pytest.mark.parametrize("content", [{"country": "USA"}, {"tax_id": "x" * 65}, {"bill_to": ""}])
def test_what_is_refused_at_the_edge(contoso: Contoso, content: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match=next(iter(content))):
        an_opening(contoso, uuid4(), None, **content)
