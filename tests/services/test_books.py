"""The books of a profile: what is billed on it, loaded together; nothing of another organization."""

from datetime import date
from uuid import uuid4

import pytest

from domain.refusals import NotFound
from services.adopt_subscription import AdoptSubscription
from services.books import open_all_books, open_books
from tests.services.contoso import Contoso


def test_all_that_is_billed_on_a_profile_is_at_hand(contoso: Contoso) -> None:
    bought, other = contoso.buys(), contoso.buys_centrally(contoso.melissa)
    contoso.buys_centrally(contoso.ben)  # on a profile of his own
    organization = contoso.ledger.organization(contoso.organization_id)
    books = open_books(contoso.ledger, organization, contoso.profile().id)
    assert set(books.subscriptions) == set(books.pools) == {bought, other}
    assert set(books.members) == {contoso.melissa}
    assert set(books.methods) == {contoso.profile().payment_method_id}
    assert books.told() == []
    with pytest.raises(NotFound):
        books.subscription(uuid4())


def test_there_is_no_such_profile(contoso: Contoso, another: Contoso) -> None:
    organization = contoso.ledger.organization(contoso.organization_id)
    for unknown in (another.can_pay(another.melissa), uuid4()):
        with pytest.raises(NotFound, match="billing profile"):
            open_books(contoso.ledger, organization, unknown)
    known = contoso.can_pay(contoso.melissa)
    assert [books.profile.id for books in open_all_books(contoso.ledger, organization, [known, uuid4()])] == [known]


def test_an_invoice_of_before_a_take_over_belongs_to_the_profile_that_it_was_billed_on(contoso: Contoso) -> None:
    bought = contoso.buys()
    contoso.can_pay(contoso.chris)
    contoso.run(contoso.command(AdoptSubscription, contoso.admin, subscription_id=bought, reason="requested"))
    contoso.advances(date(2025, 2, 28))
    organization = contoso.ledger.organization(contoso.organization_id)
    books = open_books(contoso.ledger, organization, contoso.profile(contoso.chris).id)
    before, since = (books.invoice(invoice.id) for invoice in contoso.invoices())
    assert books.profile_of(before).id == contoso.profile().id
    assert books.profile_of(since) is books.profile
    assert [one.id for one in books.owners_of(since)] == [bought]
