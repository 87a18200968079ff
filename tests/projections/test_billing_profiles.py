from domain.billing_profile import BillTo
from domain.payment_method import Expiry
from projections.billing_profiles import CARDS, PROFILE_ROLES, PROFILES, BillingProfiles
from tests.examples import (
    A_BILLING_PROFILE,
    A_CARD,
    A_PAYMENT_METHOD,
    BEN,
    BILLING_PROFILE,
    CHRIS,
    DAVID,
    INVOICE,
    PAYMENT_METHOD,
    SUBSCRIPTION,
    an_id,
)
from tests.projections.histories import History, ReadModel


def test_a_profile_follows_what_is_told_of_it() -> None:
    history, profile = History(), A_BILLING_PROFILE()
    profile.change_bill_to(BillTo(country="CA"))
    profile.set_po_number("PO-1")
    profile.put_on(SUBSCRIPTION)
    profile.put_on(an_id(501))
    profile.take_off(SUBSCRIPTION)
    profile.number_invoice(INVOICE, settled=())
    profile.number_credit_note(an_id(502), INVOICE)
    profile.increase_balance(500, invoice_id=INVOICE, reason="refund_failed")
    profile.use_balance(200, invoice_id=INVOICE)
    profile.replace_payment_method(an_id(503))
    history.tell(profile)
    row = ReadModel(BillingProfiles()).fold(history.events).one(PROFILES, BILLING_PROFILE)
    assert (row.country, row.po_number, row.payment_method_id) == ("CA", "PO-1", an_id(503))
    assert (row.subscriptions, row.invoices, row.credit_notes, row.balance_minor) == (1, 1, 1, 300)


def test_the_owner_and_whoever_was_given_a_role_have_one_until_it_is_taken() -> None:
    history, profile = History(), A_BILLING_PROFILE()
    profile.grant(BEN, "reader")
    profile.grant(BEN, "contributor")
    profile.grant(DAVID, "reader")
    profile.revoke(DAVID)
    history.tell(profile)
    roles = {row.member_id: row.role for row in ReadModel(BillingProfiles()).fold(history.events)[PROFILE_ROLES]}
    assert roles == {CHRIS: "owner", BEN: "contributor"}


def test_a_card_shows_what_may_be_known_of_it_and_never_its_token() -> None:
    history, method = History(), A_PAYMENT_METHOD()
    method.attach(BILLING_PROFILE)
    method.edit(expiry=Expiry(month=3, year=2031), holder=None, address=None, security_code=False)
    history.tell(method)
    row = ReadModel(BillingProfiles()).fold(history.events).one(CARDS, PAYMENT_METHOD)
    assert (row.brand, row.last4, row.expiry_month, row.expiry_year) == ("visa", "4242", 3, 2031)
    assert (row.state, row.charged_by) == ("stored", 1)
    assert A_CARD.token not in map(str, row)
    method.detach(BILLING_PROFILE)
    method.remove()
    history.tell(method)
    row = ReadModel(BillingProfiles()).fold(history.events).one(CARDS, PAYMENT_METHOD)
    assert (row.state, row.charged_by) == ("removed", 0)
