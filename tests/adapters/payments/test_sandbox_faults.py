"""Faults by script and by seed: each meets the calls that it names, and the same ones every time."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from uuid import NAMESPACE_OID, uuid4, uuid5

import pytest

from adapters.payments.sandbox import Sandbox
from adapters.payments.sandbox_faults import FaultKind, Faults
from services.ports_payments import CardEdit, CardRefused, GatewayUnavailable, PaymentHandle
from tests.adapters.payments.sandbox_bench import SandboxBench

RATES: dict[FaultKind, float] = {"lost_request": 0.1, "lost_answer": 0.1, "decline": 0.2}


def test_the_third_charge_is_declined(bench: SandboxBench) -> None:
    card = bench.card()
    bench.sandbox.script(Faults().decline("charge", "insufficient_funds", call=3))
    codes = [bench.sandbox.charge(bench.request(card)).code for _ in range(4)]
    assert codes == [None, None, "insufficient_funds", None]


def test_a_fault_of_one_payment_meets_no_other(bench: SandboxBench) -> None:
    mine, other = bench.request(bench.card()), bench.request(bench.card())
    bench.sandbox.script(Faults().decline("charge", "lost_card", payment_id=mine.handle.payment_id))
    assert bench.sandbox.charge(other).code is None
    assert bench.sandbox.charge(mine).code == "lost_card"


def test_a_provider_that_is_away_does_nothing(bench: SandboxBench) -> None:
    request = bench.request(bench.card())
    bench.sandbox.script(Faults().unavailable(calls=2))
    for _ in range(2):
        with pytest.raises(GatewayUnavailable):
            bench.sandbox.charge(request)
        with pytest.raises(GatewayUnavailable):
            bench.sandbox.find(request.handle)
    assert bench.sandbox.find(request.handle) is None
    assert bench.sandbox.charge(request).state == "captured"


def test_it_stays_away_until_the_script_is_cleared(bench: SandboxBench) -> None:
    card = bench.card()
    bench.sandbox.script(Faults().unavailable(calls=None, steps=("authorize",)))
    for _ in range(5):
        with pytest.raises(GatewayUnavailable):
            bench.sandbox.authorize(bench.request(card))
    bench.sandbox.clear_script()
    assert bench.sandbox.authorize(bench.request(card)).state == "authorized"


def test_a_first_answer_stands_against_a_later_fault(bench: SandboxBench) -> None:
    request = bench.request(bench.card())
    first = bench.sandbox.charge(request)
    bench.sandbox.script(Faults().decline("charge", "lost_card"))
    assert bench.sandbox.charge(request) == first


def test_each_step_may_fail_in_its_way(bench: SandboxBench) -> None:
    card = bench.card()
    held, asked, taken = (bench.request(card, on_session=True) for _ in range(3))
    bench.sandbox.script(
        Faults()
        .decline("capture", "hold_expired")
        .action_required("charge")
        .decline("refund", "expired_or_canceled_card")
        .refund_pending(then="failed", after=timedelta(hours=1), call=2)
        .decline("store", "card_velocity_exceeded")
        .decline("edit", "incorrect_security_code")
    )
    bench.sandbox.authorize(held)
    assert bench.sandbox.capture(held.handle, 1200).code == "hold_expired"
    assert bench.sandbox.charge(asked).state == "action_required"
    bench.sandbox.charge(taken)
    assert bench.sandbox.refund(taken.handle, uuid4(), 100, "USD").code == "expired_or_canceled_card"
    assert bench.sandbox.refund(taken.handle, uuid4(), 100, "USD").state == "pending"
    bench.pass_time(timedelta(hours=1))
    found = bench.sandbox.find(taken.handle)
    assert found is not None
    assert [refund.state for refund in found.refunds] == ["failed"]
    with pytest.raises(CardRefused, match="card_velocity_exceeded"):
        bench.card()
    with pytest.raises(CardRefused, match="incorrect_security_code"):
        bench.sandbox.edit(card.token, CardEdit(expiry_month=1))


def test_a_fault_that_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match="decline cannot meet find"):
        Faults().decline("find", "no")


def test_another_process_would_meet_the_script(tmp_path: Path) -> None:
    bench = SandboxBench(tmp_path / "sandbox.sqlite")
    request = bench.request(bench.card())
    bench.sandbox.script(Faults().lost_answer("charge"))
    with Sandbox(tmp_path / "sandbox.sqlite", clock=bench.clock) as other, pytest.raises(GatewayUnavailable):
        other.charge(request)
    found = bench.sandbox.find(request.handle)
    assert found is not None
    assert found.state == "captured"


def story(seed: int, *, backwards: bool = False) -> list[tuple[object, ...]]:
    """What becomes of 200 payments that are sent until an answer comes."""
    bench = SandboxBench(None)
    card = bench.card()
    bench.sandbox.script(Faults().seeded(seed, RATES, steps=("charge", "capture")))
    told = []
    for number in sorted(range(200), reverse=backwards):
        handle = PaymentHandle(uuid5(NAMESPACE_OID, str(number)), 1, card.token, bench.now())
        times = 1
        while True:
            try:
                answer = bench.sandbox.charge(bench.request(card)._replace(handle=handle))
            except GatewayUnavailable:
                times += 1
            else:
                break
        told.append((number, times, answer.state))
    assert len(bench.sandbox.payments()) == 200
    return sorted(told)


def test_seeded_faults_are_the_same_twice_in_whatever_order() -> None:
    assert story(7) == story(7) == story(7, backwards=True)
    assert story(7) != story(8)
    lost = sum(times > 1 for _, times, _ in story(7) if isinstance(times, int))
    declined = sum(state == "declined" for *_, state in story(7))
    assert 20 <= lost <= 60
    assert 20 <= declined <= 60
