"""What the docstrings of the payment port promise, as checks that every provider is put through."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Literal, NamedTuple, Protocol
from uuid import UUID, uuid4

import pytest

from adapters.payments.keys import IdempotencyKeyReused
from services.ports_payments import (
    Card,
    CardEdit,
    CardRefused,
    ChargeRequest,
    GatewayUnavailable,
    PaymentGateway,
    PaymentHandle,
)


class Provider(Protocol):
    """A provider on the bench: the gateway, and the world around it."""

    gateway: PaymentGateway

    def token(self, kind: str) -> str:
        """A new one-time token for a card that behaves so."""

    def now(self) -> datetime: ...

    def pass_time(self, time: timedelta) -> None: ...

    def confirm(self, handle: PaymentHandle) -> None:
        """The payer does what the bank asks."""

    def lose_answer(self, step: Literal["charge"]) -> AbstractContextManager[None]:
        """The next answer of this step gets lost, after it was done."""


class Attempt(NamedTuple):
    card: Card
    request: ChargeRequest

    @property
    def handle(self) -> PaymentHandle:
        return self.request.handle


PROMISES: list[Callable[[Provider], None]] = []


def promise(check: Callable[[Provider], None]) -> Callable[[Provider], None]:
    PROMISES.append(check)
    return check


def stored(provider: Provider, kind: str = "good") -> Card:
    return provider.gateway.store(provider.token(kind), owner_id=uuid4(), organization_id=uuid4())


def attempt(provider: Provider, kind: str = "good", *, amount: int = 1200, on_session: bool = False) -> Attempt:
    card = stored(provider, kind)
    handle = PaymentHandle(uuid4(), 1, card.token, provider.now())
    return Attempt(card, ChargeRequest(handle, amount, "USD", on_session, "Power BI Pro"))


def charged(provider: Provider, kind: str = "good", amount: int = 1200) -> PaymentHandle:
    new = attempt(provider, kind, amount=amount)
    return new.handle._replace(reference=provider.gateway.charge(new.request).reference)


# Cards


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


# Charges


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


# Holds


@promise
def a_hold_is_taken_later_in_part(provider: Provider) -> None:
    new = attempt(provider)
    held = provider.gateway.authorize(new.request)
    assert (held.state, held.captured_minor) == ("authorized", 0)
    taken = provider.gateway.capture(new.handle._replace(reference=held.reference), 700)
    assert (taken.state, taken.amount_minor, taken.captured_minor) == ("captured", 1200, 700)


@promise
def a_hold_is_taken_whole(provider: Provider) -> None:
    new = attempt(provider)
    reference = provider.gateway.authorize(new.request).reference
    assert provider.gateway.capture(new.handle._replace(reference=reference), 1200).captured_minor == 1200


@promise
def a_hold_is_taken_once(provider: Provider) -> None:
    new = attempt(provider)
    provider.gateway.authorize(new.request)
    first = provider.gateway.capture(new.handle, 700)
    assert provider.gateway.capture(new.handle, 700) == first
    provider.pass_time(timedelta(days=2))
    again = provider.gateway.capture(new.handle, 1200)
    assert (again.state, again.captured_minor) == ("captured", 700)


@promise
def no_more_than_the_hold_is_taken(provider: Provider) -> None:
    new = attempt(provider)
    provider.gateway.authorize(new.request)
    answer = provider.gateway.capture(new.handle, 1201)
    assert (answer.state, answer.code, answer.captured_minor) == ("declined", "amount_too_large", 0)


@promise
def a_released_hold_is_gone(provider: Provider) -> None:
    new = attempt(provider)
    handle = new.handle._replace(reference=provider.gateway.authorize(new.request).reference)
    for _ in range(2):
        released = provider.gateway.release(handle)
        assert released is not None
        assert (released.state, released.code) == ("released", None)
    answer = provider.gateway.capture(handle, 1200)
    assert (answer.state, answer.code) == ("declined", "hold_expired")


@promise
def a_hold_lasts_for_a_week(provider: Provider) -> None:
    early, late = attempt(provider), attempt(provider)
    provider.gateway.authorize(early.request)
    provider.gateway.authorize(late.request)
    provider.pass_time(timedelta(days=6, hours=23))
    assert provider.gateway.capture(early.handle, 1200).state == "captured"
    provider.pass_time(timedelta(hours=1))
    answer = provider.gateway.capture(late.handle, 1200)
    assert (answer.state, answer.code) == ("declined", "hold_expired")
    found = provider.gateway.find(late.handle)
    assert found is not None
    assert (found.state, found.code) == ("released", "hold_expired")


@promise
def what_was_taken_is_not_released(provider: Provider) -> None:
    found = provider.gateway.release(charged(provider))
    assert found is not None
    assert found.state == "captured"


# Payers who are asked


@promise
def a_payer_who_is_there_is_asked(provider: Provider) -> None:
    new = attempt(provider, "asks", on_session=True)
    answer = provider.gateway.charge(new.request)
    assert (answer.state, answer.captured_minor) == ("action_required", 0)
    assert (answer.action_url or "").startswith("https://")
    provider.confirm(new.handle)
    found = provider.gateway.find(new.handle)
    assert found is not None
    assert (found.state, found.captured_minor) == ("captured", 1200)


@promise
def a_payer_who_is_not_there_is_not_asked(provider: Provider) -> None:
    answer = provider.gateway.charge(attempt(provider, "asks").request)
    assert (answer.state, answer.code) == ("declined", "authentication_required")


@promise
def a_hold_that_waits_for_its_payer_is_released(provider: Provider) -> None:
    new = attempt(provider, "asks", on_session=True)
    assert provider.gateway.authorize(new.request).state == "action_required"
    released = provider.gateway.release(new.handle)
    assert released is not None
    assert released.state == "released"


# Refunds and disputes


@promise
def a_part_is_given_back(provider: Provider) -> None:
    handle, refund_id = charged(provider), uuid4()
    refund = provider.gateway.refund(handle, refund_id, 500, "USD")
    assert refund == (refund_id, 500, "succeeded", None)
    found = provider.gateway.find(handle)
    assert found is not None
    assert found.refunds == (refund,)


@promise
def no_more_is_given_back_than_is_left(provider: Provider) -> None:
    handle = charged(provider)
    assert provider.gateway.refund(handle, uuid4(), 1000, "USD").state == "succeeded"
    beyond = provider.gateway.refund(handle, uuid4(), 201, "USD")
    assert (beyond.state, beyond.code) == ("failed", "more_than_is_left")
    assert provider.gateway.refund(handle, uuid4(), 200, "USD").state == "succeeded"


@promise
def a_refund_sent_twice_is_one_refund(provider: Provider) -> None:
    handle, refund_id = charged(provider), uuid4()
    first = provider.gateway.refund(handle, refund_id, 500, "USD")
    assert provider.gateway.refund(handle, refund_id, 500, "USD") == first
    found = provider.gateway.find(handle)
    assert found is not None
    assert len(found.refunds) == 1


@promise
def nothing_is_given_back_of_a_hold(provider: Provider) -> None:
    new = attempt(provider)
    reference = provider.gateway.authorize(new.request).reference
    refund = provider.gateway.refund(new.handle._replace(reference=reference), uuid4(), 100, "USD")
    assert (refund.state, refund.code) == ("failed", "nothing_captured")


@promise
def a_disputed_amount_is_not_given_back(provider: Provider) -> None:
    handle = charged(provider, "disputed")
    found = provider.gateway.find(handle)
    assert found is not None
    assert [(dispute.amount_minor, dispute.state) for dispute in found.disputes] == [(1200, "open")]
    refund = provider.gateway.refund(handle, uuid4(), 100, "USD")
    assert (refund.state, refund.code) == ("failed", "more_than_is_left")


@promise
def what_moved_is_settled_on_its_day(provider: Provider) -> None:
    handle, refund_id = charged(provider), uuid4()
    charged(provider, "declined")
    day = provider.now().date()
    provider.pass_time(timedelta(days=1))
    provider.gateway.refund(handle, refund_id, 500, "USD")
    told = [row[:5] + row[6:] for row in provider.gateway.settlement(day, day + timedelta(days=1))]
    ours: tuple[UUID, int] = (handle.payment_id, 1)
    assert told == [
        (day, "capture", *ours, None, 1200, "USD"),
        (day + timedelta(days=1), "refund", *ours, refund_id, 500, "USD"),
    ]
    assert not list(provider.gateway.settlement(day - timedelta(days=1), day - timedelta(days=1)))
