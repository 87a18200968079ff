from uuid import UUID, uuid4

import pytest

from domain.refusals import NotAllowed, NotFound
from services.command import Actor
from services.edit_payment_method import EditPaymentMethod
from services.grant_profile_role import GrantProfileRole
from services.remove_payment_method import RemovePaymentMethod
from services.show_payment_method import ShownPaymentMethod, ShowPaymentMethod, show_payment_method
from tests.services.contoso import OPERATOR, Contoso


def showing(contoso: Contoso, card: UUID, by: Actor) -> ShownPaymentMethod:
    query = ShowPaymentMethod(organization_id=contoso.organization_id, actor=by, payment_method_id=card)
    return show_payment_method(contoso.ledger, contoso.directory, query)


def grants(contoso: Contoso, profile_id: UUID, role: str) -> None:
    grant = {"billing_profile_id": profile_id, "member_id": contoso.ben, "role": role}
    contoso.run(contoso.command(GrantProfileRole, contoso.buyer, **grant))


def test_its_owner_sees_what_may_be_known_of_it(contoso: Contoso) -> None:
    card = contoso.adds_card(contoso.melissa, "tok_amex", holder="Melissa Darrow")
    shown = showing(contoso, card, contoso.buyer)
    assert (shown.brand, shown.last4, shown.country, shown.owner_id) == ("amex", "8431", "US", contoso.melissa)
    assert (shown.holder, shown.address, shown.charged_by, shown.version) == ("Melissa Darrow", None, (), 1)
    assert "Darrow" not in repr(shown)  # a name is personal, and what is printed is logged
    profile_id = contoso.opens_profile(contoso.melissa, payment_method_id=card)
    assert showing(contoso, card, contoso.buyer).charged_by == (profile_id,)


def test_it_is_shown_as_it_is_now(contoso: Contoso) -> None:
    card = contoso.adds_card(contoso.melissa)
    contoso.run(contoso.command(EditPaymentMethod, contoso.buyer, payment_method_id=card, holder="Generated Member"))
    assert (showing(contoso, card, contoso.buyer).holder, showing(contoso, card, contoso.buyer).version) == (
        "Generated Member",
        2,
    )
    contoso.run(contoso.command(RemovePaymentMethod, contoso.buyer, payment_method_id=card))
    with pytest.raises(NotFound, match="payment method"):
        showing(contoso, card, contoso.buyer)


def test_who_may_change_it_sees_it_without_its_owners_name_and_other_profiles(contoso: Contoso) -> None:
    card = contoso.adds_card(contoso.melissa, holder="Melissa Darrow")
    profile_id = contoso.opens_profile(contoso.melissa, payment_method_id=card)
    contoso.opens_profile(contoso.melissa, payment_method_id=card)
    ben = contoso.purchaser(contoso.ben)
    for role in (None, "reader", "invoice_manager"):
        if role:
            grants(contoso, profile_id, role)
        with pytest.raises(NotFound, match="payment method"):
            showing(contoso, card, ben)
    grants(contoso, profile_id, "contributor")
    shown = showing(contoso, card, ben)
    assert (shown.last4, shown.holder, shown.address, shown.charged_by) == ("4242", "[withheld]", None, (profile_id,))


def test_for_all_others_it_does_not_exist(contoso: Contoso, another: Contoso) -> None:
    card = contoso.adds_card(contoso.melissa)
    elsewhere = another.adds_card(another.melissa)
    for of, by in ((card, contoso.purchaser(contoso.ben)), (card, contoso.admin), (elsewhere, contoso.buyer)):
        with pytest.raises(NotFound, match="payment method"):
            showing(contoso, of, by)
    with pytest.raises(NotFound, match="payment method"):
        showing(contoso, uuid4(), contoso.buyer)
    for by in (contoso.by("billing_reader"), contoso.by("auditor"), contoso.by("service"), OPERATOR):
        with pytest.raises(NotAllowed):
            showing(contoso, card, by)
