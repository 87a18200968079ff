"""What the port promises of refunds, disputes and settlement."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID, uuid4

from tests.adapters.payments.contract_provider import Provider, attempt, charged, promise


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
