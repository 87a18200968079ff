from typing import Any

import pytest
from pydantic import ValidationError

from adapters.payments.sandbox_faults import Faults
from domain.payment_method import CardFacts, Expiry, PaymentMethod
from domain.refusals import CardDataNotAccepted, CardNotAccepted, CardOfAnotherCountry, PaymentProviderUnavailable
from services.add_payment_method import AddPaymentMethod
from services.command import Actor
from services.grant_role import GrantRole
from tests.scenario import event
from tests.services.contoso import OPERATOR, Contoso
from tests.services.questions import (
    decided_twice,
    has_one_effect,
    is_done_once,
    stays_done,
    takes_an_active_member,
    takes_one_of,
    tells,
)


def a_card(contoso: Contoso, by: Actor | None = None, **content: Any) -> AddPaymentMethod:
    return contoso.command(AddPaymentMethod, by or contoso.buyer, **{"token": "tok_visa", **content})


def test_it_is_told_and_attached_to_nothing(contoso: Contoso) -> None:
    adding = a_card(contoso)
    tells(contoso, adding, event(PaymentMethod.PaymentMethodAdded, owner_id=contoso.melissa, holder=None, address=None))
    method = contoso.ledger.payment_method(contoso.organization_id, adding.payment_method_id)
    assert method.card == CardFacts(
        provider="sandbox",
        token=method.card.token,
        brand="visa",
        last4="4242",
        expiry=Expiry(month=12, year=2029),
        country="US",
    )
    assert method.card.token not in {"", "tok_visa"}  # the provider's lasting one
    assert method.charged_by == []


def test_name_and_address_are_kept_beside_history(contoso: Contoso) -> None:
    receipt = contoso.run(a_card(contoso, holder="Generated Member", address="1 Contoso Way"))
    (told,) = contoso.ledger.told(contoso.organization_id, receipt)
    for ref, value in ((told.holder, "Generated Member"), (told.address, "1 Contoso Way")):
        fact = contoso.kept(ref.fact_id)
        assert fact is not None
        assert (fact.value, fact.subject_id) == (value, contoso.melissa)
        assert all(value.encode() not in recorded.state for recorded in contoso.recorded(receipt))


def test_a_repeat_is_answered_and_not_done_again(contoso: Contoso) -> None:
    adding = a_card(contoso)
    is_done_once(contoso, adding, token="tok_mastercard")
    has_one_effect(contoso, a_card(contoso, token="tok_visa:second"), events=1)
    stays_done(contoso, a_card(contoso, token="tok_visa:third"), lambda: contoso.removes(contoso.melissa))


def test_who_buys_or_administers_keeps_cards(contoso: Contoso, another: Contoso) -> None:
    takes_one_of(contoso, {"purchaser", "admin"}, lambda actor: a_card(contoso, actor))
    takes_an_active_member(contoso, another, lambda actor: a_card(contoso, actor), role="purchaser")


def test_another_decision_of_the_organization_meanwhile(contoso: Contoso) -> None:
    granting = contoso.running(GrantRole, OPERATOR, member_id=contoso.ben, role="auditor")
    with decided_twice(contoso, granting):
        contoso.run(a_card(contoso))


@pytest.mark.parametrize(
    ("token", "why"), [("tok_refused", "card_declined"), ("tok_unheard_of", "no_such_token"), ("4242", "no_such_token")]
)
def test_a_card_that_the_provider_does_not_take(contoso: Contoso, token: str, why: str) -> None:
    with contoso.refuses(CardNotAccepted, why=why):
        contoso.run(a_card(contoso, token=token))


def test_a_card_that_was_issued_elsewhere(contoso: Contoso) -> None:
    with contoso.refuses(CardOfAnotherCountry, country="KR", needed="US"):
        contoso.run(a_card(contoso, token="tok_visa_kr"))


def test_a_card_whose_storing_was_not_answered_is_stored_by_the_same_command(contoso: Contoso) -> None:
    adding = a_card(contoso)
    contoso.sandbox.script(Faults().lost_answer("store"))
    with contoso.refuses(PaymentProviderUnavailable, asked_to="store"):
        contoso.run(adding)
    contoso.run(adding)
    assert len(contoso.every(PaymentMethod)) == 1


@pytest.mark.parametrize("field", ["token", "holder", "address"])
def test_a_number_is_refused_before_anything_is_made_of_it(contoso: Contoso, field: str) -> None:
    with contoso.refuses(CardDataNotAccepted):
        a_card(contoso, None, **{field: "4242 4242 4242 4242"})


@pytest.mark.parametrize("content", [{"token": ""}, {"holder": "x" * 201}, {"address": "\0"}])
def test_what_is_refused_at_the_edge(contoso: Contoso, content: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match=next(iter(content))):
        a_card(contoso, **content)


def test_neither_token_nor_name_is_in_a_repr(contoso: Contoso) -> None:
    shown = repr(a_card(contoso, holder="Generated Member"))
    assert "tok_visa" not in shown
    assert "Generated" not in shown
