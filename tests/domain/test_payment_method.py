"""Cards by their provider's token: `domain.payment_method`."""

from collections.abc import Callable

import pytest
from pydantic import ValidationError

from domain.payment_method import CardFacts, Expiry, PaymentMethod
from domain.personal import FactRef, PersonalFact
from domain.refusals import CardOfAnotherCountry, NotFound, PaymentMethodInUse
from tests.examples import (
    A_CARD,
    A_PAYMENT_METHOD,
    BILLING_PROFILE,
    CARD_ADDRESS,
    CARD_HOLDER,
    CHRIS,
    PAYMENT_METHOD,
    adding_a_card,
    an_id,
)
from tests.scenario import Scenario, event

Added, Edited, Removed = (
    PaymentMethod.PaymentMethodAdded,
    PaymentMethod.PaymentMethodEdited,
    PaymentMethod.PaymentMethodRemoved,
)
Attached, Detached = PaymentMethod.PaymentMethodAttached, PaymentMethod.PaymentMethodDetached
ANOTHER_PROFILE = an_id(41)
LATER = Expiry(month=1, year=2034)
A_NEW_HOLDER = PersonalFact(
    fact_id=an_id(42), subject_id=CHRIS, purpose="card_holder", value="C. Green", salt="4c" * 32
).ref
A_NEW_ADDRESS = A_NEW_HOLDER.model_copy(update={"fact_id": an_id(43)})


def edited(
    *,
    expiry: Expiry | None = None,
    holder: FactRef | None = None,
    address: FactRef | None = None,
    security_code: bool = False,
) -> Callable[[PaymentMethod], None]:
    return lambda method: method.edit(expiry=expiry, holder=holder, address=address, security_code=security_code)


def attached(method: PaymentMethod) -> None:
    method.attach(BILLING_PROFILE)


def detached(method: PaymentMethod) -> None:
    method.detach(BILLING_PROFILE)


def removed(method: PaymentMethod) -> None:
    method.remove()


# Adding.


def test_a_card_is_added_and_attached_to_nothing() -> None:
    (
        Scenario(PaymentMethod)
        .when_born(A_PAYMENT_METHOD)
        .then_told(
            event(
                Added,
                originator_id=PAYMENT_METHOD,
                owner_id=CHRIS,
                card=A_CARD,
                holder=CARD_HOLDER.ref,
                address=CARD_ADDRESS.ref,
            )
        )
        .leaving(charged_by=[], removed=False, owner_id=CHRIS)
    )


def test_a_card_of_another_country_than_the_organizations_is_refused() -> None:
    (
        Scenario(PaymentMethod)
        .when_born(adding_a_card(card=A_CARD.model_copy(update={"country": "KR"})))
        .then_refused(CardOfAnotherCountry, country="KR", needed="US")
    )


def test_name_and_address_are_optional() -> None:
    (
        Scenario(PaymentMethod)
        .when_born(adding_a_card(holder=None, address=None))
        .then_told(event(Added, holder=None, address=None))
    )


@pytest.mark.parametrize(
    "wrong",
    [
        {"last4": "42424"},
        {"last4": "424"},
        {"last4": "4242424242424242"},
        {"last4": "42 2"},
        {"expiry": {"month": 13, "year": 2030}},
        {"expiry": {"month": 0, "year": 2030}},
        {"expiry": {"month": 1, "year": 30}},
        {"country": "us"},
        {"number": "4242424242424242"},
        {"security_code": "123"},
    ],
)
def test_card_facts_out_of_shape_are_refused(wrong: dict[str, object]) -> None:
    """Not more of the number than four digits, and nothing that opens the card."""
    with pytest.raises(ValidationError):
        CardFacts.model_validate(A_CARD.model_dump() | wrong)


def test_the_token_is_not_printed() -> None:
    assert A_CARD.token not in repr(A_CARD)


# Editing.


def test_an_edit_tells_the_names_of_the_changed_fields() -> None:
    (
        Scenario(PaymentMethod)
        .given(A_PAYMENT_METHOD)
        .when(edited(expiry=LATER, holder=A_NEW_HOLDER, address=A_NEW_ADDRESS, security_code=True))
        .then_told(
            event(
                Edited,
                owner_id=CHRIS,
                changed=("expiry", "holder", "address", "security_code"),
                expiry=LATER,
                expiry_before=A_CARD.expiry,
                holder=A_NEW_HOLDER,
                address=A_NEW_ADDRESS,
            )
        )
        .leaving(card=A_CARD.model_copy(update={"expiry": LATER}), holder=A_NEW_HOLDER, address=A_NEW_ADDRESS)
    )


@pytest.mark.parametrize(
    ("ask", "changed"),
    [
        (edited(expiry=LATER), ("expiry",)),
        (edited(holder=A_NEW_HOLDER), ("holder",)),
        (edited(address=A_NEW_ADDRESS), ("address",)),
        (edited(security_code=True), ("security_code",)),
        (edited(expiry=A_CARD.expiry, security_code=True), ("security_code",)),
    ],
)
def test_what_is_not_edited_stays(ask: Callable[[PaymentMethod], None], changed: tuple[str, ...]) -> None:
    (
        Scenario(PaymentMethod)
        .given(A_PAYMENT_METHOD)
        .when(ask)
        .then_told(
            event(
                Edited,
                changed=changed,
                expiry=LATER if "expiry" in changed else A_CARD.expiry,
                holder=A_NEW_HOLDER if "holder" in changed else CARD_HOLDER.ref,
                address=A_NEW_ADDRESS if "address" in changed else CARD_ADDRESS.ref,
            )
        )
    )


@pytest.mark.parametrize("ask", [edited(), edited(expiry=A_CARD.expiry)])
def test_an_edit_of_nothing_tells_nothing(ask: Callable[[PaymentMethod], None]) -> None:
    Scenario(PaymentMethod).given(A_PAYMENT_METHOD).when(ask).then_told_nothing()


def test_the_number_never_changes() -> None:
    told = Edited.model_fields.keys()
    assert not told & {"card", "last4", "token", "brand", "number"}


# Profiles that charge it.


def test_a_profile_that_charges_it_is_known() -> None:
    (
        Scenario(PaymentMethod)
        .given(A_PAYMENT_METHOD)
        .when(attached)
        .then_told(event(Attached, billing_profile_id=BILLING_PROFILE))
        .leaving(charged_by=[BILLING_PROFILE])
    )


def test_attaching_again_tells_nothing() -> None:
    Scenario(PaymentMethod).given(A_PAYMENT_METHOD, attached).when(attached).then_told_nothing()


def test_several_profiles_may_charge_one_card() -> None:
    (
        Scenario(PaymentMethod)
        .given(A_PAYMENT_METHOD, attached, lambda method: method.attach(ANOTHER_PROFILE))
        .when(detached)
        .then_told(event(Detached, billing_profile_id=BILLING_PROFILE))
        .leaving(charged_by=[ANOTHER_PROFILE])
    )


def test_detaching_what_is_not_attached_tells_nothing() -> None:
    Scenario(PaymentMethod).given(A_PAYMENT_METHOD).when(detached).then_told_nothing()


# Removing.


def test_a_card_that_nobody_charges_can_be_removed() -> None:
    (
        Scenario(PaymentMethod)
        .given(A_PAYMENT_METHOD, attached, detached)
        .when(removed)
        .then_told(event(Removed, owner_id=CHRIS))
        .leaving(removed=True)
    )


def test_a_card_that_a_profile_charges_stays() -> None:
    (
        Scenario(PaymentMethod)
        .given(A_PAYMENT_METHOD, attached)
        .when(removed)
        .then_refused(
            PaymentMethodInUse, payment_method_id=str(PAYMENT_METHOD), billing_profile_ids=[str(BILLING_PROFILE)]
        )
    )


def test_removing_again_tells_nothing() -> None:
    Scenario(PaymentMethod).given(A_PAYMENT_METHOD, removed).when(removed).then_told_nothing()


@pytest.mark.parametrize("ask", [edited(security_code=True), edited(), attached, PaymentMethod.refuse_when_removed])
def test_a_removed_card_is_as_if_it_were_not_there(ask: Callable[[PaymentMethod], None]) -> None:
    (
        Scenario(PaymentMethod)
        .given(A_PAYMENT_METHOD, removed)
        .when(ask)
        .then_refused(NotFound, what="payment method", key=str(PAYMENT_METHOD))
    )


def test_detaching_from_a_removed_card_tells_nothing() -> None:
    Scenario(PaymentMethod).given(A_PAYMENT_METHOD, removed).when(detached).then_told_nothing()
