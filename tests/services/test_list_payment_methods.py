from collections.abc import Sequence

import pytest

from adapters.postgres.reads import ReadModels
from adapters.postgres.reads_billing import BillingReads
from domain.refusals import NotAllowed
from services.command import Actor
from services.list_payment_methods import ListPaymentMethods, list_payment_methods
from services.ports_reads import PaymentMethodRow
from services.remove_payment_method import RemovePaymentMethod
from tests.services.contoso import OPERATOR, Contoso


def listing(contoso: Contoso, models: ReadModels, by: Actor) -> Sequence[PaymentMethodRow]:
    query = ListPaymentMethods(organization_id=contoso.organization_id, actor=by, at_least=contoso.position)
    return list_payment_methods(contoso.ledger, BillingReads(models), query)


def test_a_member_sees_their_own_cards_without_those_that_were_removed(
    contoso: Contoso, read_models: ReadModels
) -> None:
    contoso.can_pay(contoso.melissa)
    contoso.adds_card(contoso.ben, "tok_mastercard")
    spare = contoso.adds_card(contoso.melissa, "tok_amex")
    cards = {card.brand: card for card in listing(contoso, read_models, contoso.buyer)}
    assert {brand: (card.last4, card.charged_by) for brand, card in cards.items()} == {
        "visa": ("4242", 1),
        "amex": ("8431", 0),
    }
    assert (cards["amex"].payment_method_id, cards["amex"].owner_id) == (spare, contoso.melissa)
    contoso.run(contoso.command(RemovePaymentMethod, contoso.buyer, payment_method_id=spare))
    assert [card.brand for card in listing(contoso, read_models, contoso.buyer)] == ["visa"]
    assert listing(contoso, read_models, contoso.admin) == []  # nobody sees others' cards


def test_only_who_keeps_cards_lists_them(contoso: Contoso, read_models: ReadModels) -> None:
    for by in (contoso.by("billing_reader"), contoso.by("auditor"), contoso.by("service"), OPERATOR):
        with pytest.raises(NotAllowed):
            listing(contoso, read_models, by)
