"""The provider of a quote knows the limits of the real one, and moves nothing."""

from collections.abc import Callable
from datetime import date
from uuid import uuid4

import pytest

from services.ports_payments import CardEdit, ChargeRequest, PaymentHandle
from services.rehearsed_gateway import RehearsedGateway
from tests.examples import PURCHASED_AT
from tests.services.contoso import Contoso


@pytest.fixture
def rehearsed(contoso: Contoso) -> RehearsedGateway:
    return RehearsedGateway(contoso.sandbox)


def a_charge(attempt: int) -> ChargeRequest:
    handle = PaymentHandle(uuid4(), attempt, "card_1", PURCHASED_AT)
    return ChargeRequest(handle, 4_200, "USD", on_session=False, description="license subscriptions")


def test_it_has_the_limits_of_the_real_one(contoso: Contoso, rehearsed: RehearsedGateway) -> None:
    assert rehearsed.name == "sandbox"
    for currency in ("USD", "JPY", "KWD"):
        assert rehearsed.limits(currency) == contoso.sandbox.limits(currency)


def test_a_first_attempt_goes_well_and_what_was_declined_is_declined_again(
    contoso: Contoso, rehearsed: RehearsedGateway
) -> None:
    assert rehearsed.charge(a_charge(1)).state == "captured"
    assert rehearsed.charge(a_charge(2)).state == "declined"
    assert contoso.sandbox.calls() == []


@pytest.mark.parametrize(
    "moves",
    [
        lambda gateway: gateway.authorize(a_charge(1)),
        lambda gateway: gateway.store("tok_visa", owner_id=uuid4(), organization_id=uuid4()),
        lambda gateway: gateway.edit("card_1", CardEdit()),
        lambda gateway: gateway.forget("card_1"),
        lambda gateway: gateway.settlement(date.min, date.max),
    ],
)
def test_what_no_quote_asks_for_is_not_there(
    rehearsed: RehearsedGateway, moves: Callable[[RehearsedGateway], object]
) -> None:
    with pytest.raises(NotImplementedError):
        moves(rehearsed)
