"""What the port promises of holds, and of payers who are asked."""

from __future__ import annotations

from datetime import timedelta

from tests.adapters.payments.contract_provider import Provider, attempt, charged, promise


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
