"""What the port promises of charges."""

from __future__ import annotations

from datetime import timedelta

import pytest

from adapters.payments.keys import IdempotencyKeyReused
from services.ports_payments import (
    GatewayUnavailable,
)
from tests.adapters.payments.contract_provider import Provider, attempt, charged, promise


@promise
def a_charge_is_taken_at_once(provider: Provider) -> None:
    new = attempt(provider)
    answer = provider.gateway.charge(new.request)
    assert (answer.state, answer.amount_minor, answer.captured_minor) == ("captured", 1200, 1200)
    assert (answer.payment_id, answer.attempt) == new.handle[:2]


@promise
def a_charge_is_found_by_its_reference(provider: Provider) -> None:
    handle = charged(provider)
    found = provider.gateway.find(handle)
    assert found is not None
    assert (found.reference, found.captured_minor) == (handle.reference, 1200)


@promise
def a_charge_is_found_by_our_own_ids(provider: Provider) -> None:
    handle = charged(provider)
    charged(provider)
    found = provider.gateway.find(handle._replace(reference=None))
    assert found is not None
    assert found.reference == handle.reference


@promise
def what_never_got_there_is_not_found(provider: Provider) -> None:
    handle = attempt(provider).handle
    assert provider.gateway.find(handle) is None
    assert provider.gateway.release(handle) is None


@promise
def another_attempt_is_not_found_for_this_one(provider: Provider) -> None:
    handle = charged(provider)
    assert provider.gateway.find(handle._replace(attempt=2, reference=None)) is None


@promise
def an_unknown_reference_is_not_found(provider: Provider) -> None:
    assert provider.gateway.find(attempt(provider).handle._replace(reference="pi_nobodyknows")) is None


@promise
def a_charge_sent_twice_is_one_charge(provider: Provider) -> None:
    new = attempt(provider)
    assert provider.gateway.charge(new.request) == provider.gateway.charge(new.request)


@promise
def a_key_with_another_content_is_a_defect(provider: Provider) -> None:
    new = attempt(provider)
    provider.gateway.charge(new.request)
    with pytest.raises(IdempotencyKeyReused):
        provider.gateway.charge(new.request._replace(amount_minor=1300))


@promise
def after_a_day_sending_again_charges_again(provider: Provider) -> None:
    new = attempt(provider)
    first = provider.gateway.charge(new.request)
    provider.pass_time(timedelta(hours=23))
    assert provider.gateway.charge(new.request).reference == first.reference
    provider.pass_time(timedelta(hours=2))
    assert provider.gateway.charge(new.request).reference != first.reference


@promise
def a_decline_is_an_answer(provider: Provider) -> None:
    new = attempt(provider, "declined")
    answer = provider.gateway.charge(new.request)
    assert (answer.state, answer.code, answer.captured_minor) == ("declined", "card_declined", 0)


@promise
def a_declined_charge_is_found(provider: Provider) -> None:
    new = attempt(provider, "declined")
    answer = provider.gateway.charge(new.request)
    assert answer.reference
    assert provider.gateway.find(new.handle) == answer
    assert provider.gateway.release(new.handle) == answer


@promise
def an_amount_below_the_minimum_is_declined(provider: Provider) -> None:
    limits = provider.gateway.limits("USD")
    assert limits == (50, 1)
    answer = provider.gateway.charge(attempt(provider, amount=limits.minimum_minor - 1).request)
    assert (answer.state, answer.code) == ("declined", "amount_too_small")


@promise
def a_lost_answer_is_found(provider: Provider) -> None:
    new = attempt(provider)
    with provider.lose_answer("charge"), pytest.raises(GatewayUnavailable):
        provider.gateway.charge(new.request)
    found = provider.gateway.find(new.handle)
    assert found is not None
    assert found.state == "captured"
    assert provider.gateway.charge(new.request).reference == found.reference
