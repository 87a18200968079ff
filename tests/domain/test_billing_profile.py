"""Who is billed for what: `domain.billing_profile`."""

from collections.abc import Callable
from typing import get_args

import pytest

from domain.billing_profile import MAY, BillingProfile, BillTo, ProfileAct, ProfileRole, prefix_of
from domain.refusals import BillingProfileRoleNeeded, PurchaseOrderNumberUnusable
from tests.examples import (
    A_BILL_TO,
    A_BILLING_PROFILE,
    A_CREDIT_NOTE,
    A_STRANGER,
    ANOTHER_CREDIT_NOTE,
    ANOTHER_INVOICE,
    BEN,
    BILLING_PROFILE,
    CHRIS,
    INVOICE,
    PAYMENT_METHOD,
    SUBSCRIPTION,
    an_id,
)
from tests.scenario import Scenario, event

Opened = BillingProfile.BillingProfileOpened
Granted, Revoked = BillingProfile.ProfileRoleGranted, BillingProfile.ProfileRoleRevoked
Increased, Used = BillingProfile.CreditBalanceIncreased, BillingProfile.CreditBalanceUsed
ANOTHER_METHOD = an_id(51)
Deed = Callable[[BillingProfile], object]


def granted(role: ProfileRole, *, to: object = BEN) -> Deed:
    return lambda profile: profile.grant(to, role)  # type: ignore[arg-type]


def numbered(invoice_id: object, *settled: object) -> Deed:
    return lambda profile: profile.number_invoice(invoice_id, settled=settled)  # type: ignore[arg-type]


def credit_noted(credit_note_id: object) -> Deed:
    return lambda profile: profile.number_credit_note(credit_note_id, INVOICE)  # type: ignore[arg-type]


def test_a_profile_is_opened_with_a_card_and_a_prefix_of_its_own() -> None:
    (
        Scenario(BillingProfile)
        .when_born(A_BILLING_PROFILE)
        .then_told(
            event(
                Opened,
                owner_id=CHRIS,
                prefix="W57DWE-Z2KKH7",
                currency="USD",
                currency_exponent=2,
                payment_method_id=PAYMENT_METHOD,
                bill_to=A_BILL_TO,
            )
        )
        .leaving(roles={}, subscriptions=[], open_invoices=[], invoices=0, credit_notes=0, balance_minor=0)
    )


# Roles.

ALLOWED = {
    "owner": "see pay charge manage",
    "contributor": "see pay charge",
    "invoice_manager": "see pay",
    "reader": "see",
}


@pytest.mark.parametrize("role", ALLOWED)
@pytest.mark.parametrize("act", get_args(ProfileAct))
def test_a_role_allows_or_not(role: str, act: ProfileAct) -> None:
    profile = A_BILLING_PROFILE()
    if role != "owner":
        profile.grant(BEN, role)  # type: ignore[arg-type]  # one of the three
    member = CHRIS if role == "owner" else BEN
    assert profile.role_of(member) == role
    assert profile.allows(member, act) == (act in ALLOWED[role].split())


def test_every_act_and_role_is_in_the_table() -> None:
    assert set(get_args(ProfileAct)) == set(MAY)
    assert set(ALLOWED) == {"owner", *get_args(ProfileRole)}


@pytest.mark.parametrize("act", get_args(ProfileAct))
def test_a_stranger_may_nothing(act: ProfileAct) -> None:
    (
        Scenario(BillingProfile)
        .given(A_BILLING_PROFILE)
        .when(lambda profile: profile.refuse_unless(A_STRANGER, act))
        .then_refused(BillingProfileRoleNeeded, billing_profile_id=str(BILLING_PROFILE), roles=sorted(MAY[act]))
    )


def test_a_role_is_granted() -> None:
    (
        Scenario(BillingProfile)
        .given(A_BILLING_PROFILE)
        .when(granted("reader"))
        .then_told(event(Granted, member_id=BEN, role="reader", role_before=None))
        .leaving(roles={BEN: "reader"})
    )


def test_another_role_takes_the_place_of_the_one_before() -> None:
    (
        Scenario(BillingProfile)
        .given(A_BILLING_PROFILE, granted("reader"))
        .when(granted("contributor"))
        .then_told(event(Granted, member_id=BEN, role="contributor", role_before="reader"))
        .leaving(roles={BEN: "contributor"})
    )


@pytest.mark.parametrize("ask", [granted("reader"), granted("contributor", to=CHRIS)])
def test_the_same_role_again_and_any_for_the_owner_tell_nothing(ask: Deed) -> None:
    Scenario(BillingProfile).given(A_BILLING_PROFILE, granted("reader")).when(ask).then_told_nothing()


def test_a_role_is_revoked() -> None:
    (
        Scenario(BillingProfile)
        .given(A_BILLING_PROFILE, granted("reader"))
        .when(lambda profile: profile.revoke(BEN))
        .then_told(event(Revoked, member_id=BEN, role="reader"))
        .leaving(roles={})
    )


@pytest.mark.parametrize("member_id", [BEN, CHRIS])
def test_revoking_what_nobody_has_tells_nothing(member_id: object) -> None:
    """Nor does the owner lose the profile so."""
    (
        Scenario(BillingProfile)
        .given(A_BILLING_PROFILE)
        .when(lambda profile: profile.revoke(member_id))  # type: ignore[arg-type]
        .then_told_nothing()
    )


# Bill-to, PO number, card.

IN_CANADA = BillTo(country="CA")


def test_another_bill_to_says_the_country_before() -> None:
    (
        Scenario(BillingProfile)
        .given(A_BILLING_PROFILE)
        .when(lambda profile: profile.change_bill_to(IN_CANADA))
        .then_told(event(BillingProfile.BillToChanged, bill_to=IN_CANADA, country_before="US"))
        .leaving(bill_to=IN_CANADA)
    )


def test_the_same_bill_to_tells_nothing() -> None:
    (
        Scenario(BillingProfile)
        .given(A_BILLING_PROFILE)
        .when(lambda profile: profile.change_bill_to(A_BILL_TO))
        .then_told_nothing()
    )


def po_number(number: str | None) -> Deed:
    return lambda profile: profile.set_po_number(number)


@pytest.mark.parametrize(("before", "now"), [(None, "PO 7"), ("PO 7", "PO 8"), ("PO 7", None)])
def test_a_po_number_is_set_changed_and_removed(before: str | None, now: str | None) -> None:
    (
        Scenario(BillingProfile)
        .given(A_BILLING_PROFILE, po_number(before))
        .when(po_number(now))
        .then_told(event(BillingProfile.PurchaseOrderNumberSet, po_number=now, po_number_before=before))
        .leaving(po_number=now)
    )


@pytest.mark.parametrize("number", [None, "PO 7"])
def test_the_same_po_number_tells_nothing(number: str | None) -> None:
    Scenario(BillingProfile).given(A_BILLING_PROFILE, po_number(number)).when(po_number(number)).then_told_nothing()


@pytest.mark.parametrize("number", ["", "  "])
def test_a_blank_po_number_is_refused(number: str) -> None:
    Scenario(BillingProfile).given(A_BILLING_PROFILE).when(po_number(number)).then_refused(PurchaseOrderNumberUnusable)


def test_another_card_takes_the_place_of_the_one_before() -> None:
    (
        Scenario(BillingProfile)
        .given(A_BILLING_PROFILE)
        .when(lambda profile: profile.replace_payment_method(ANOTHER_METHOD))
        .then_told(
            event(
                BillingProfile.PaymentMethodReplaced,
                payment_method_id=ANOTHER_METHOD,
                payment_method_id_before=PAYMENT_METHOD,
            )
        )
        .leaving(payment_method_id=ANOTHER_METHOD)
    )


def test_the_same_card_tells_nothing() -> None:
    (
        Scenario(BillingProfile)
        .given(A_BILLING_PROFILE)
        .when(lambda profile: profile.replace_payment_method(PAYMENT_METHOD))
        .then_told_nothing()
    )


# What is billed on it.


def put_on(profile: BillingProfile) -> None:
    profile.put_on(SUBSCRIPTION)


def taken_off(profile: BillingProfile) -> None:
    profile.take_off(SUBSCRIPTION)


def test_a_subscription_is_put_on_and_taken_off() -> None:
    scenario = Scenario(BillingProfile).given(A_BILLING_PROFILE).when(put_on)
    scenario.then_told(event(BillingProfile.SubscriptionPutOnProfile, subscription_id=SUBSCRIPTION))
    scenario.leaving(subscriptions=[SUBSCRIPTION])
    (
        Scenario(BillingProfile)
        .given(A_BILLING_PROFILE, put_on)
        .when(taken_off)
        .then_told(event(BillingProfile.SubscriptionTakenOffProfile, subscription_id=SUBSCRIPTION))
        .leaving(subscriptions=[])
    )


def test_putting_on_or_taking_off_again_tells_nothing() -> None:
    Scenario(BillingProfile).given(A_BILLING_PROFILE, put_on).when(put_on).then_told_nothing()
    Scenario(BillingProfile).given(A_BILLING_PROFILE, put_on, taken_off).when(taken_off).then_told_nothing()


# Numbers.


def test_invoices_are_numbered_without_a_gap() -> None:
    (
        Scenario(BillingProfile)
        .given(A_BILLING_PROFILE, numbered(INVOICE), credit_noted(A_CREDIT_NOTE))
        .when(numbered(ANOTHER_INVOICE, INVOICE))
        .then_told(
            event(
                BillingProfile.InvoiceNumbered,
                invoice_id=ANOTHER_INVOICE,
                number="W57DWE-Z2KKH7-000002",
                count=2,
                settled=(INVOICE,),
            )
        )
        .leaving(open_invoices=[ANOTHER_INVOICE], next_number="W57DWE-Z2KKH7-000003")
    )


def test_credit_notes_have_a_series_of_their_own() -> None:
    (
        Scenario(BillingProfile)
        .given(A_BILLING_PROFILE, numbered(INVOICE), credit_noted(A_CREDIT_NOTE))
        .when(credit_noted(ANOTHER_CREDIT_NOTE))
        .then_told(
            event(
                BillingProfile.CreditNoteNumbered,
                credit_note_id=ANOTHER_CREDIT_NOTE,
                invoice_id=INVOICE,
                number="W57DWE-Z2KKH7-C00002",
                count=2,
            )
        )
        .leaving(next_number="W57DWE-Z2KKH7-000002", next_credit_note_number="W57DWE-Z2KKH7-C00003")
    )


def test_the_number_that_is_told_is_answered() -> None:
    profile = A_BILLING_PROFILE()
    assert profile.number_invoice(INVOICE, settled=()) == "W57DWE-Z2KKH7-000001"
    assert profile.number_credit_note(A_CREDIT_NOTE, INVOICE) == "W57DWE-Z2KKH7-C00001"


def test_prefixes_of_profiles_differ() -> None:
    prefixes = {prefix_of(an_id(number)) for number in range(5_000)}
    assert len(prefixes) == 5_000
    assert not set("".join(prefixes)) & set("ILOU")


def test_an_open_invoice_stays_until_it_is_settled() -> None:
    profile = A_BILLING_PROFILE()
    for fact in (numbered(INVOICE), numbered(ANOTHER_INVOICE)):
        fact(profile)
    assert profile.open_invoices == [INVOICE, ANOTHER_INVOICE]


def test_an_invoice_that_was_let_go_of_can_be_reopened_once() -> None:
    reopened: Deed = lambda profile: profile.reopen(INVOICE)  # noqa: E731 - a fact of these two scenarios
    settled = (A_BILLING_PROFILE, numbered(INVOICE), numbered(ANOTHER_INVOICE, INVOICE))
    (
        Scenario(BillingProfile)
        .given(*settled)
        .when(reopened)
        .then_told(event(BillingProfile.InvoiceReopened, invoice_id=INVOICE))
        .leaving(open_invoices=[ANOTHER_INVOICE, INVOICE])
    )
    Scenario(BillingProfile).given(*settled, reopened).when(reopened).then_told_nothing()


# The credit balance.


def increased(amount_minor: int) -> Deed:
    return lambda profile: profile.increase_balance(amount_minor, invoice_id=INVOICE, reason="refund_failed")


def used(amount_minor: int) -> Deed:
    return lambda profile: profile.use_balance(amount_minor, invoice_id=ANOTHER_INVOICE)


def test_the_balance_grows_by_what_could_not_go_back() -> None:
    (
        Scenario(BillingProfile)
        .given(A_BILLING_PROFILE, increased(500))
        .when(increased(200))
        .then_told(
            event(
                Increased,
                invoice_id=INVOICE,
                amount_minor=200,
                balance_minor=700,
                currency="USD",
                reason="refund_failed",
            )
        )
        .leaving(balance_minor=700)
    )


def test_the_balance_is_used_by_a_later_invoice() -> None:
    (
        Scenario(BillingProfile)
        .given(A_BILLING_PROFILE, increased(500))
        .when(used(500))
        .then_told(event(Used, invoice_id=ANOTHER_INVOICE, amount_minor=500, balance_minor=0, currency="USD"))
        .leaving(balance_minor=0)
    )


@pytest.mark.parametrize("ask", [increased(0), used(0)])
def test_nothing_moved_tells_nothing(ask: Deed) -> None:
    Scenario(BillingProfile).given(A_BILLING_PROFILE).when(ask).then_told_nothing()
