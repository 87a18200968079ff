from datetime import date
from uuid import UUID, uuid4

import pytest

from domain.billing_profile import BillingProfile
from domain.payment_method import PaymentMethod
from domain.refusals import NotFound
from services.command import Actor
from services.remove_payment_method import RemovePaymentMethod
from services.replace_payment_method import ReplacePaymentMethod
from tests.scenario import event
from tests.services.contoso import Clock, Contoso
from tests.services.profile_questions import takes_a_profile_role
from tests.services.questions import (
    decided_twice,
    has_one_effect,
    is_done_once,
    refused_at_second_sight,
    saves_of,
    stays_done,
    tells,
    tells_nothing,
)


@pytest.fixture
def card(contoso: Contoso) -> UUID:
    """Another card of Melissa's than her profile charges."""
    contoso.can_pay(contoso.melissa)
    return contoso.adds_card(contoso.melissa, "tok_mastercard")


def a_replacement(
    contoso: Contoso, card: UUID, by: Actor | None = None, profile_id: UUID | None = None
) -> ReplacePaymentMethod:
    on_it = {"billing_profile_id": profile_id or contoso.profile().id, "payment_method_id": card}
    return contoso.command(ReplacePaymentMethod, by or contoso.buyer, **on_it)


def test_it_is_told_with_the_one_before_which_stays_stored(contoso: Contoso, card: UUID) -> None:
    profile = contoso.profile()
    before = profile.payment_method_id
    replaced = BillingProfile.PaymentMethodReplaced
    tells(
        contoso,
        a_replacement(contoso, card),
        event(replaced, payment_method_id=card, payment_method_id_before=before),
        event(PaymentMethod.PaymentMethodDetached, originator_id=before, billing_profile_id=profile.id),
        event(PaymentMethod.PaymentMethodAttached, originator_id=card, billing_profile_id=profile.id),
    )
    assert not contoso.ledger.payment_method(contoso.organization_id, before).removed
    tells_nothing(contoso, a_replacement(contoso, card))


def test_a_repeat_is_answered_and_not_done_again(contoso: Contoso, card: UUID) -> None:
    before = contoso.profile().payment_method_id
    has_one_effect(contoso, a_replacement(contoso, card), events=3)
    is_done_once(contoso, a_replacement(contoso, before), payment_method_id=uuid4())
    stays_done(contoso, a_replacement(contoso, card), lambda: contoso.run(a_replacement(contoso, before)))
    assert contoso.profile().payment_method_id == before


def test_who_may_charge_the_profile_brings_a_card_of_their_own(contoso: Contoso, another: Contoso) -> None:
    contoso.can_pay(contoso.melissa)
    cards = {member: contoso.adds_card(member) for member in (contoso.ben, contoso.melissa, contoso.chris)}
    takes_a_profile_role(
        contoso,
        another,
        "charge",
        lambda actor, of: a_replacement(contoso, cards.get(actor.id, cards[contoso.melissa]), actor, of),
    )


def test_no_card_of_somebody_else(contoso: Contoso, another: Contoso, card: UUID) -> None:
    removed = contoso.adds_card(contoso.melissa, "tok_visa:removed")
    contoso.run(contoso.command(RemovePaymentMethod, contoso.buyer, payment_method_id=removed))
    for of in (contoso.adds_card(contoso.ben), another.adds_card(another.melissa), uuid4(), removed):
        with contoso.refuses(NotFound, what="payment method", key=str(of)):
            contoso.run(a_replacement(contoso, of))
    removes = contoso.running(RemovePaymentMethod, contoso.buyer, payment_method_id=card)
    with refused_at_second_sight(contoso, removes, NotFound, what="payment method"):
        contoso.run(a_replacement(contoso, card))


def test_a_purchase_meanwhile_is_no_obstacle(contoso: Contoso, card: UUID) -> None:
    with decided_twice(contoso, contoso.buys):
        contoso.run(a_replacement(contoso, card))


def test_what_is_past_due_is_tried_at_once_on_the_new_card(contoso: Contoso, clock: Clock) -> None:
    bought = contoso.buys()
    contoso.changes_card("tok_declined")
    contoso.advances(date(2025, 2, 28))
    assert contoso.subscription(bought).life == "in_grace"
    replacing = a_replacement(contoso, contoso.adds_card(contoso.melissa, "tok_amex"))
    contoso.run(replacing)
    assert contoso.subscription(bought).life == "active"
    assert contoso.invoices()[-1].status == "paid"
    first, *_ = saves_of(contoso, replacing)
    assert "CollectionStarted" in first.told
    assert contoso.subscription(bought).term.end == date(2025, 3, 31)  # recovery moves no dates
    assert clock.now.date() == date(2025, 2, 28)


def test_another_declined_card_keeps_the_schedule(contoso: Contoso) -> None:
    contoso.buys()
    contoso.changes_card("tok_declined")
    contoso.advances(date(2025, 2, 28))
    retry_on = contoso.invoices()[-1].retry_on
    contoso.changes_card("tok_declined_lost_card")
    renewal = contoso.invoices()[-1]
    assert (renewal.status, renewal.retry_on) == ("past_due", retry_on)
