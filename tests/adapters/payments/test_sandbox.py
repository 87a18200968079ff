"""What only the sandbox does: payers and banks on demand, notices, an audit view, currencies, no card numbers."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from adapters.payments.sandbox import Sandbox
from adapters.payments.sandbox_cards import MAGIC
from adapters.payments.sandbox_faults import Faults
from services.ports_payments import CardEdit, CardRefused, GatewayUnavailable
from tests.adapters.payments.sandbox_bench import Clock, SandboxBench


def test_the_issuer_is_of_the_country_behind_the_token(bench: SandboxBench) -> None:
    for token, brand, country in [
        ("tok_visa", "visa", "US"),
        ("tok_amex_kr", "amex", "KR"),
        ("tok_visa_de:2", "visa", "DE"),
    ]:
        card = bench.sandbox.store(token, owner_id=uuid4(), organization_id=uuid4())
        assert (card.brand, card.country) == (brand, country)


def test_an_owner_has_as_many_cards_as_one_time_tokens(bench: SandboxBench) -> None:
    owner, organization = uuid4(), uuid4()
    tokens = ("tok_visa", "tok_visa:a", "tok_visa:b", "tok_visa")
    cards = {bench.sandbox.store(token, owner_id=owner, organization_id=organization).token for token in tokens}
    assert len(cards) == 3
    assert bench.sandbox.store("tok_visa", owner_id=uuid4(), organization_id=organization).token not in cards


@pytest.mark.parametrize("token", ["tok_visa_xx", "tok_nothing", "tok_visa:" + "x" * 99, "card_1", ""])
def test_a_token_that_is_none_is_refused(bench: SandboxBench, token: str) -> None:
    with pytest.raises(CardRefused, match="no_such_token"):
        bench.sandbox.store(token, owner_id=uuid4(), organization_id=uuid4())


def test_a_card_that_was_let_go_of_does_not_come_back(bench: SandboxBench) -> None:
    token, owner = bench.token("good"), uuid4()
    bench.sandbox.forget(bench.sandbox.store(token, owner_id=owner, organization_id=owner).token)
    with pytest.raises(CardRefused, match="token_already_used"):
        bench.sandbox.store(token, owner_id=owner, organization_id=owner)


def test_no_card_number_is_taken(bench: SandboxBench) -> None:
    number = "4242" * 4
    for token in (number, f"tok_visa:{number}", f"tok_visa:{'-'.join([number[:4]] * 4)}"):
        with pytest.raises(CardRefused, match="card_number_given"):
            bench.sandbox.store(token, owner_id=uuid4(), organization_id=uuid4())
    for edit in (CardEdit(holder=number), CardEdit(address=number), CardEdit(security_code_token=number)):
        with pytest.raises(CardRefused, match="card_number_given"):
            bench.sandbox.edit(bench.card().token, edit)


def test_a_uuid_is_no_card_number(bench: SandboxBench) -> None:
    for _ in range(200):
        bench.sandbox.store(f"tok_visa:{uuid4()}", owner_id=uuid4(), organization_id=uuid4())


def test_neither_holder_nor_number_lies_in_the_file(tmp_path: Path) -> None:
    bench = SandboxBench(tmp_path / "sandbox.sqlite")
    bench.sandbox.edit(bench.card().token, CardEdit(holder="Chris Green", address="1 Main Street"))
    bench.sandbox.close()
    kept = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"Green" not in kept
    assert b"Main Street" not in kept
    assert (tmp_path / "sandbox.sqlite").stat().st_mode & 0o777 == 0o600


def test_a_security_code_is_checked_once(bench: SandboxBench) -> None:
    first, second, edit = bench.card(), bench.card(), CardEdit(security_code_token="cvctok_ok_1")
    bench.sandbox.edit(first.token, edit)
    with pytest.raises(CardRefused, match="token_already_used"):
        bench.sandbox.edit(second.token, edit)
    with pytest.raises(CardRefused, match="token_already_used"):
        bench.sandbox.edit(first.token, edit.model_copy(update={"expiry_month": 1}))


def test_a_card_expires_on_the_clock_and_is_renewed(bench: SandboxBench) -> None:
    card = bench.card("expires_soon")
    assert bench.sandbox.charge(bench.request(card)).state == "captured"
    bench.pass_time(timedelta(days=30))
    late = bench.request(card)
    assert bench.sandbox.charge(late).code == "expired_card"
    bench.sandbox.edit(card.token, CardEdit(expiry_year=2031))
    retry = late._replace(handle=late.handle._replace(attempt=2))
    assert bench.sandbox.charge(retry).state == "captured"


def test_an_edit_cures_the_card_that_declines_as_expired(bench: SandboxBench) -> None:
    card = bench.sandbox.store("tok_declined_expired_card", owner_id=uuid4(), organization_id=uuid4())
    assert bench.sandbox.charge(bench.request(card)).code == "expired_card"
    bench.sandbox.edit(card.token, CardEdit(expiry_month=5))
    assert bench.sandbox.charge(bench.request(card)).state == "captured"


@pytest.mark.parametrize(
    ("currency", "amount", "code"),
    [
        ("USD", 0, "amount_too_small"),
        ("USD", 49, "amount_too_small"),
        ("GBP", 30, None),
        ("JPY", 49, "amount_too_small"),
        ("JPY", 50, None),
        ("KRW", 1, None),
        ("KWD", 1005, "amount_off_step"),
        ("KWD", 1010, None),
    ],
)
def test_amounts_are_held_to_what_cards_move(bench: SandboxBench, currency: str, amount: int, code: str | None) -> None:
    assert bench.sandbox.charge(bench.request(bench.card(), amount=amount, currency=currency)).code == code


def test_a_refund_that_fails_comes_back_after_a_day(bench: SandboxBench) -> None:
    request, refund_id = bench.request(bench.card("refund_fails")), uuid4()
    bench.sandbox.charge(request)
    assert bench.sandbox.refund(request.handle, refund_id, 1200, "USD").state == "pending"
    assert bench.sandbox.refund(request.handle, uuid4(), 1, "USD").code == "more_than_is_left"
    bench.pass_time(timedelta(days=1))
    found = bench.sandbox.find(request.handle)
    assert found is not None
    assert found.refunds == ((refund_id, 1200, "failed", "refund_failed"),)
    assert bench.sandbox.refunded() == {}


def test_a_refund_that_succeeded_is_sent_back_by_the_bank(bench: SandboxBench) -> None:
    request, refund_id = bench.request(bench.card()), uuid4()
    bench.sandbox.charge(request)
    bench.sandbox.refund(request.handle, refund_id, 500, "USD")
    bench.sandbox.fail_refund(refund_id)
    day = bench.now().date()
    assert [row.kind for row in bench.sandbox.settlement(day, day)] == ["capture", "refund", "refund_reversal"]
    assert bench.sandbox.refund(request.handle, uuid4(), 1200, "USD").state == "succeeded"


def test_a_dispute_takes_from_what_may_be_given_back_until_it_is_won(bench: SandboxBench) -> None:
    request = bench.request(bench.card())
    bench.sandbox.charge(request)
    dispute = bench.sandbox.dispute(request.handle.payment_id, 1000)
    assert bench.sandbox.refund(request.handle, uuid4(), 201, "USD").code == "more_than_is_left"
    bench.sandbox.close_dispute(dispute, "won")
    assert bench.sandbox.refund(request.handle, uuid4(), 1200, "USD").state == "succeeded"
    day = bench.now().date()
    kinds = ["capture", "dispute", "dispute_reversal", "refund"]
    assert sorted(row.kind for row in bench.sandbox.settlement(day, day)) == kinds
    with pytest.raises(LookupError):
        bench.sandbox.close_dispute(dispute, "lost")


def test_a_payer_may_say_no(bench: SandboxBench) -> None:
    request = bench.request(bench.card("asks"), on_session=True)
    bench.sandbox.charge(request)
    bench.sandbox.confirm(request.handle.payment_id, 1, agrees=False)
    found = bench.sandbox.find(request.handle)
    assert found is not None
    assert (found.state, found.code) == ("declined", "authentication_failed")


def test_notices_come_late_twice_and_out_of_order(bench: SandboxBench) -> None:
    late, twice = bench.request(bench.card()), bench.request(bench.card())
    bench.sandbox.script(Faults().late_notice("charge", by=timedelta(hours=1)).double_notice("charge", call=2))
    for request in (late, twice):
        bench.sandbox.charge(request)
    now = [("capture", twice.handle.payment_id, 1)] * 2
    assert bench.sandbox.notices() == now
    assert bench.sandbox.notices() == []
    bench.pass_time(timedelta(hours=1))
    assert bench.sandbox.notices() == [("capture", late.handle.payment_id, 1)]


def test_what_was_charged_twice_is_seen_twice(bench: SandboxBench) -> None:
    request = bench.request(bench.card())
    bench.sandbox.charge(request)
    bench.pass_time(timedelta(hours=24))
    bench.sandbox.charge(request)
    assert len(bench.sandbox.payments(request.handle.payment_id)) == 2
    assert bench.sandbox.captured() == {"USD": 2400}
    assert [call.remembered for call in bench.sandbox.calls(request.handle.payment_id)] == [1, 1]


def test_open_holds_are_seen_until_they_expire(bench: SandboxBench) -> None:
    request = bench.request(bench.card())
    bench.sandbox.authorize(request)
    assert [hold.payment_id for hold in bench.sandbox.holds()] == [request.handle.payment_id]
    bench.pass_time(timedelta(days=7))
    assert bench.sandbox.holds() == []


def test_the_log_says_who_heard_nothing(bench: SandboxBench) -> None:
    request = bench.request(bench.card())
    bench.sandbox.script(Faults().lost_request("charge").lost_answer("charge", call=2))
    for _ in range(2):
        with pytest.raises(GatewayUnavailable):
            bench.sandbox.charge(request)
    bench.sandbox.charge(request)
    told = [(call.answer, call.fault, call.remembered) for call in bench.sandbox.calls(request.handle.payment_id)]
    assert told == [(None, "lost_request", 0), ("captured", "lost_answer", 1), ("captured", None, 0)]


def test_a_call_runs_on_the_clock_that_it_is_given(bench: SandboxBench) -> None:
    request, later = bench.request(bench.card()), Clock()
    later.at += timedelta(days=2)
    bench.sandbox.charge(request)
    bench.sandbox.for_clock(later).charge(request)
    assert len(bench.sandbox.payments()) == 2


def test_what_happened_together_is_gone_together(bench: SandboxBench) -> None:
    def half_way() -> None:
        with bench.sandbox.together():
            bench.sandbox.charge(bench.request(card))
            raise ZeroDivisionError

    card = bench.card()
    with pytest.raises(ZeroDivisionError):
        half_way()
    with bench.sandbox.together():
        bench.sandbox.charge(bench.request(card))
    assert len(bench.sandbox.payments()) == 1


def test_a_file_of_another_version_is_refused(tmp_path: Path) -> None:
    sandbox = Sandbox(tmp_path / "sandbox.sqlite", clock=Clock())
    with sandbox._file as db:
        db.execute("PRAGMA user_version = 99")
    sandbox.close()
    with pytest.raises(RuntimeError, match="another version"):
        Sandbox(tmp_path / "sandbox.sqlite", clock=Clock())


def test_every_magic_token_can_be_said(bench: SandboxBench) -> None:
    for token in MAGIC.keys() - {"tok_refused"}:
        assert bench.sandbox.store(token, owner_id=uuid4(), organization_id=uuid4()).country == "US"
