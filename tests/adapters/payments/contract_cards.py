"""What the port promises of cards."""

from __future__ import annotations

from uuid import uuid4

import pytest

from services.ports_payments import (
    CardEdit,
    CardRefused,
)
from tests.adapters.payments.contract_provider import Provider, attempt, promise, stored


@promise
def the_same_token_is_the_same_card(provider: Provider) -> None:
    token, owner, organization = provider.token("good"), uuid4(), uuid4()
    first = provider.gateway.store(token, owner_id=owner, organization_id=organization)
    assert provider.gateway.store(token, owner_id=owner, organization_id=organization) == first


@promise
def another_token_is_another_card(provider: Provider) -> None:
    assert stored(provider).token != stored(provider).token


@promise
def a_card_tells_no_more_than_it_may(provider: Provider) -> None:
    card = stored(provider)
    assert (card.brand, len(card.last4)) == ("visa", 4)
    assert card.token not in repr(card)


@promise
def a_refused_token_is_refused(provider: Provider) -> None:
    with pytest.raises(CardRefused) as refused:
        stored(provider, "refused")
    assert refused.value.code == "card_declined"


@promise
def an_unknown_token_is_refused(provider: Provider) -> None:
    with pytest.raises(CardRefused) as refused:
        provider.gateway.store("pm_nobody_knows", owner_id=uuid4(), organization_id=uuid4())
    assert refused.value.code == "no_such_token"


@promise
def an_edit_changes_the_expiry_and_nothing_else(provider: Provider) -> None:
    card = stored(provider)
    edited = provider.gateway.edit(
        card.token, CardEdit(expiry_month=1, expiry_year=card.expiry_year + 1, holder="Ben Andrews", address="Main St")
    )
    assert edited == card.model_copy(update={"expiry_month": 1, "expiry_year": card.expiry_year + 1})


@promise
def an_expiry_in_the_past_is_refused(provider: Provider) -> None:
    with pytest.raises(CardRefused) as refused:
        provider.gateway.edit(stored(provider).token, CardEdit(expiry_month=1, expiry_year=2020))
    assert refused.value.code == "expired_card"


@promise
def a_wrong_security_code_is_refused(provider: Provider) -> None:
    with pytest.raises(CardRefused) as refused:
        provider.gateway.edit(stored(provider).token, CardEdit(security_code_token="cvctok_wrong"))
    assert refused.value.code == "incorrect_security_code"


@promise
def a_security_code_may_be_checked_again_after_a_lost_answer(provider: Provider) -> None:
    card, edit = stored(provider), CardEdit(expiry_month=2, security_code_token=f"cvctok_ok_{uuid4().hex}")
    assert provider.gateway.edit(card.token, edit) == provider.gateway.edit(card.token, edit)


@promise
def a_forgotten_card_is_charged_no_more(provider: Provider) -> None:
    new = attempt(provider)
    provider.gateway.forget(new.card.token)
    provider.gateway.forget(new.card.token)
    answer = provider.gateway.charge(new.request)
    assert (answer.state, answer.code) == ("declined", "no_such_card")
