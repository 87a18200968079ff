from typing import Any
from uuid import UUID

import pytest

from domain.refusals import NotAllowed, NotFound
from services.command import Actor
from services.grant_profile_role import GrantProfileRole
from services.show_billing_profile import ShowBillingProfile, ShownBillingProfile, show_billing_profile
from tests.examples import A_STRANGER
from tests.services.contoso import Contoso


def showing(contoso: Contoso, profile_id: UUID, by: Actor) -> ShownBillingProfile:
    query = ShowBillingProfile(organization_id=contoso.organization_id, actor=by, billing_profile_id=profile_id)
    return show_billing_profile(contoso.ledger, contoso.directory, query)


def test_a_profile_shows_who_is_billed_by_which_card_and_for_what(contoso: Contoso) -> None:
    who: dict[str, Any] = {"bill_to": "Contoso Ltd", "tax_id": "US-1"}
    profile_id = contoso.opens_profile(contoso.melissa, **who)
    bought = contoso.buys()
    shown = showing(contoso, profile_id, contoso.buyer)
    assert (shown.bill_to, shown.tax_id, shown.country) == (("Contoso Ltd",), "US-1", "US")
    assert (shown.card.brand, shown.card.last4, shown.invoices) == ("visa", "4242", 1)
    assert (shown.subscription_ids, shown.owner_id, shown.balance_minor) == ((bought,), contoso.melissa, 0)
    assert "Contoso Ltd" not in repr(shown)  # a name is personal, and what is printed is logged
    assert showing(contoso, profile_id, contoso.by("auditor")).bill_to == ("[withheld]",)


def test_a_profile_without_a_role_on_it_does_not_exist_for_a_purchaser(contoso: Contoso, another: Contoso) -> None:
    profile_id = contoso.can_pay(contoso.melissa)
    ben = contoso.purchaser(contoso.ben)
    with pytest.raises(NotFound, match="billing profile"):
        showing(contoso, profile_id, ben)
    role = {"billing_profile_id": profile_id, "member_id": contoso.ben, "role": "reader"}
    contoso.run(contoso.command(GrantProfileRole, contoso.buyer, **role))
    assert showing(contoso, profile_id, ben).roles == {contoso.ben: "reader"}
    for unknown in (A_STRANGER, another.can_pay(another.melissa)):
        with pytest.raises(NotFound, match="billing profile"):
            showing(contoso, unknown, contoso.admin)
    with pytest.raises(NotAllowed):
        showing(contoso, profile_id, contoso.by("service"))
