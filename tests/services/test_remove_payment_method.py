from uuid import UUID, uuid4

import pytest

from adapters.payments.sandbox_faults import Faults
from domain.payment_method import PaymentMethod
from domain.refusals import CardNotAccepted, NotFound, PaymentMethodInUse, PaymentProviderUnavailable
from services.command import Actor
from services.open_billing_profile import OpenBillingProfile
from services.remove_payment_method import RemovePaymentMethod
from tests.scenario import event
from tests.services.contoso import Contoso
from tests.services.questions import (
    has_one_effect,
    is_done_once,
    refused_at_second_sight,
    takes_an_active_member,
    takes_one_of,
    tells,
    tells_nothing,
)


@pytest.fixture
def card(contoso: Contoso) -> UUID:
    return contoso.adds_card(contoso.melissa, "tok_visa:kept")


def a_removal(contoso: Contoso, card: UUID, by: Actor | None = None) -> RemovePaymentMethod:
    return contoso.command(RemovePaymentMethod, by or contoso.buyer, payment_method_id=card)


def test_it_is_told_and_the_provider_forgets_the_card(contoso: Contoso, card: UUID) -> None:
    tells(contoso, a_removal(contoso, card), event(PaymentMethod.PaymentMethodRemoved, owner_id=contoso.melissa))
    with contoso.refuses(CardNotAccepted, why="token_already_used"):
        contoso.adds_card(contoso.melissa, "tok_visa:kept")
    tells_nothing(contoso, a_removal(contoso, card))


def test_a_repeat_is_answered_and_not_done_again(contoso: Contoso, card: UUID) -> None:
    is_done_once(contoso, a_removal(contoso, card), payment_method_id=uuid4())
    has_one_effect(contoso, a_removal(contoso, contoso.adds_card(contoso.melissa, "tok_visa:second")), events=1)


def test_while_a_profile_charges_it_it_stays(contoso: Contoso) -> None:
    profile_id = contoso.can_pay(contoso.melissa)
    card = contoso.profile().payment_method_id
    with contoso.refuses(PaymentMethodInUse, payment_method_id=str(card), billing_profile_ids=[str(profile_id)]):
        contoso.run(a_removal(contoso, card))
    contoso.changes_card("tok_mastercard")
    contoso.run(a_removal(contoso, card))


def test_a_profile_that_charges_it_meanwhile(contoso: Contoso, card: UUID) -> None:
    opens = contoso.running(OpenBillingProfile, contoso.buyer, payment_method_id=card)
    with refused_at_second_sight(contoso, opens, PaymentMethodInUse):
        contoso.run(a_removal(contoso, card))


def test_only_its_owner_removes_it(contoso: Contoso, another: Contoso, card: UUID) -> None:
    elsewhere = another.adds_card(another.melissa)
    for of, actor in ((card, contoso.admin), (elsewhere, contoso.buyer), (uuid4(), contoso.buyer)):
        with contoso.refuses(NotFound, what="payment method", key=str(of)):
            contoso.run(a_removal(contoso, of, actor))
    cards = {member: contoso.adds_card(member) for member in (contoso.ben, contoso.chris)}
    takes_one_of(contoso, {"purchaser", "admin"}, lambda actor: a_removal(contoso, cards.get(actor.id, card), actor))
    takes_an_active_member(contoso, another, lambda actor: a_removal(contoso, card, actor), role="purchaser")


def test_a_provider_that_did_not_answer_is_asked_again_by_the_same_command(contoso: Contoso, card: UUID) -> None:
    """Here it is gone at once, so that nothing charges it."""
    removal = a_removal(contoso, card)
    contoso.sandbox.script(Faults().lost_request("forget"))
    with pytest.raises(PaymentProviderUnavailable):
        contoso.run(removal)
    assert contoso.ledger.payment_method(contoso.organization_id, card).removed
    contoso.run(removal)
    with contoso.refuses(CardNotAccepted, why="token_already_used"):
        contoso.adds_card(contoso.melissa, "tok_visa:kept")
