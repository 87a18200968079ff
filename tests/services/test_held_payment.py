"""A purchase or an increase is paid for first: whatever happens on the way, money moves once or not at all."""

from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

import pytest

from adapters.payments.sandbox_faults import Faults
from domain.refusals import (
    PaymentActionRequired,
    PaymentDeclined,
    PaymentOutcomeUnknown,
    SelfServiceDisabled,
    StaleVersion,
    SubscriptionNotActive,
)
from services.buy_subscription import BuySubscription
from services.cancel_subscription import CancelSubscription
from services.change_bill_to import ChangeBillTo
from services.command import Command
from services.held_payment import Deal, paid_first
from services.ledger import offer_id_of
from services.ports import Receipt
from services.reactivate_subscription import ReactivateSubscription
from services.resize_licenses import ResizeLicenses, resize_deal
from services.set_self_service_policy import SetSelfServicePolicy
from tests.examples import POWER_BI_PRO_PRODUCT
from tests.services.contoso import MONTHLY, Clock, Contoso
from tests.services.crash import Crash
from tests.services.questions import at_once, just_before_the_save, refused_at_second_sight, saves_of

PAID_FIRST = ["purchase", "increase", "reactivation"]
CHARGE = {"purchase": 4_200, "increase": 2_800, "reactivation": 4_200}


def a_command(contoso: Contoso, what: str) -> Command:
    """One that is paid for first, on Melissa's profile."""
    contoso.can_pay(contoso.melissa)
    if what == "purchase":
        return contoso.command(BuySubscription, contoso.buyer, offer_id=offer_id_of(MONTHLY), licenses=3)
    bought = contoso.buys()
    if what == "increase":
        return contoso.command(ResizeLicenses, contoso.buyer, subscription_id=bought, total=5)
    ending = {"subscription_id": bought, "when": "now", "reason": "other"}
    contoso.run(contoso.command(CancelSubscription, contoso.buyer, **ending))
    return contoso.command(ReactivateSubscription, contoso.buyer, subscription_id=bought)


def billed(contoso: Contoso) -> int:
    """What is on invoices less what is on credit notes."""
    return sum(invoice.total_minor - invoice.credited_minor for invoice in contoso.invoices())


def moved(contoso: Contoso) -> int:
    """What has moved at the provider."""
    return contoso.sandbox.captured().get("USD", 0) - contoso.sandbox.refunded().get("USD", 0)


def all_is_settled(contoso: Contoso) -> None:
    """Nothing is held, and what was taken is what was billed."""
    assert not contoso.sandbox.holds()
    assert {invoice.due_minor for invoice in contoso.invoices()} <= {0}
    assert moved(contoso) == billed(contoso)


@pytest.mark.parametrize("what", PAID_FIRST)
def test_a_decline_changes_nothing_but_the_payment(contoso: Contoso, what: str) -> None:
    command = a_command(contoso, what)
    contoso.changes_card("tok_declined_insufficient_funds")
    before = contoso.told()
    with contoso.declines(PaymentDeclined, why="insufficient_funds"):
        contoso.run(command)
    assert [type(told).__name__ for told in contoso.told()[len(before) :]] == ["PaymentRequested", "PaymentDeclined"]
    all_is_settled(contoso)
    contoso.changes_card("tok_mastercard")
    receipt = contoso.run(command)  # a refusal is not remembered: the same command, with another card
    assert contoso.run(command) == receipt
    all_is_settled(contoso)
    assert [save.told for save in saves_of(contoso, command)][2] == ["PaymentTriedAgain"]


@pytest.mark.parametrize("what", PAID_FIRST)
def test_the_payer_confirms_and_the_same_command_goes_on(contoso: Contoso, what: str) -> None:
    command = a_command(contoso, what)
    contoso.changes_card("tok_action_required")
    with contoso.declines(PaymentActionRequired) as answer:
        contoso.run(command)
    payment = contoso.payments()[-1]
    assert answer[0].facts["payment_id"] == str(payment.id)
    assert answer[0].facts["url"]
    with contoso.refuses(PaymentActionRequired):  # not yet confirmed
        contoso.run(command)
    contoso.sandbox.confirm(payment.id, payment.attempt)
    contoso.run(command)
    all_is_settled(contoso)


@pytest.mark.parametrize("what", PAID_FIRST)
def test_a_payer_who_does_not_agree_pays_nothing(contoso: Contoso, what: str) -> None:
    command = a_command(contoso, what)
    contoso.changes_card("tok_action_required")
    with contoso.declines(PaymentActionRequired):
        contoso.run(command)
    payment = contoso.payments()[-1]
    contoso.sandbox.confirm(payment.id, payment.attempt, agrees=False)
    with contoso.declines(PaymentDeclined, why="authentication_failed"):
        contoso.run(command)
    all_is_settled(contoso)


@pytest.mark.parametrize("fault", ["lost_request", "lost_answer"])
@pytest.mark.parametrize("what", PAID_FIRST)
def test_a_hold_whose_answer_got_lost(contoso: Contoso, what: str, fault: str) -> None:
    """Nobody knows whether it is held: the same command asks before it sends anything again."""
    command = a_command(contoso, what)
    before = moved(contoso)
    contoso.sandbox.script(getattr(Faults(), fault)("authorize"))
    with contoso.declines(PaymentOutcomeUnknown):
        contoso.run(command)
    contoso.run(command)
    all_is_settled(contoso)
    assert moved(contoso) - before == CHARGE[what]
    payment_id = contoso.payments()[-1].id
    assert [one.state for one in contoso.sandbox.payments(payment_id)] == ["captured"]


@pytest.mark.parametrize("fault", ["lost_request", "lost_answer"])
@pytest.mark.parametrize("what", PAID_FIRST)
def test_a_hold_that_is_taken_without_an_answer(contoso: Contoso, what: str, fault: str) -> None:
    """What was bought is there; whoever comes next learns that it is paid."""
    command = a_command(contoso, what)
    before = moved(contoso)
    contoso.sandbox.script(getattr(Faults(), fault)("capture"))
    receipt = contoso.run(command)
    assert contoso.run(command) == receipt
    contoso.advances()
    all_is_settled(contoso)
    assert moved(contoso) - before == CHARGE[what]


@pytest.mark.parametrize("step", ["payment:0:1", ""])
@pytest.mark.parametrize("what", PAID_FIRST)
def test_a_process_that_ends_before_a_save_is_carried_on(contoso: Contoso, what: str, step: str) -> None:
    command = a_command(contoso, what)
    before = moved(contoso)

    def ends() -> None:
        raise Crash

    with pytest.raises(Crash), just_before_the_save(contoso.ledger, ends, step=step):
        contoso.run(command)
    contoso.run(command)
    all_is_settled(contoso)
    assert moved(contoso) - before == CHARGE[what]


@pytest.mark.parametrize("what", PAID_FIRST)
def test_what_a_crash_left_open_is_carried_on_by_the_run(contoso: Contoso, clock: Clock, what: str) -> None:
    """Without the command: history says what it wanted. Its repeat is answered."""
    command = a_command(contoso, what)
    before = moved(contoso)
    contoso.sandbox.script(Faults().lost_answer("authorize"))
    with contoso.declines(PaymentOutcomeUnknown):
        contoso.run(command)
    contoso.advances()
    assert contoso.sandbox.holds()  # whoever requested it may still be at work
    clock.now += timedelta(minutes=10)
    contoso.advances()
    all_is_settled(contoso)
    assert moved(contoso) - before == CHARGE[what]
    told = contoso.history()
    contoso.run(command)
    assert contoso.history() == told


def test_a_command_refused_at_second_sight_releases_its_hold(contoso: Contoso) -> None:
    policy = {"product_id": POWER_BI_PRO_PRODUCT.product_id, "policy": "Disabled"}
    command = a_command(contoso, "increase")
    off = contoso.running(SetSelfServicePolicy, contoso.admin, **policy)
    with refused_at_second_sight(contoso, off, SelfServiceDisabled):
        contoso.run(command)
    assert [save.told for save in saves_of(contoso, command)] == [["PaymentRequested"], ["AuthorizationReleased"]]
    all_is_settled(contoso)


def test_one_that_the_run_finds_refused_is_let_go_of(contoso: Contoso, clock: Clock) -> None:
    command = a_command(contoso, "increase")
    contoso.sandbox.script(Faults().lost_answer("authorize"))
    with contoso.declines(PaymentOutcomeUnknown):
        contoso.run(command)
    policy = {"product_id": POWER_BI_PRO_PRODUCT.product_id, "policy": "Disabled"}
    contoso.run(contoso.command(SetSelfServicePolicy, contoso.admin, **policy))
    clock.now += timedelta(minutes=10)
    contoso.advances()
    assert contoso.payments()[-1].status == "released"
    all_is_settled(contoso)


@pytest.mark.parametrize("what", PAID_FIRST)
def test_the_run_charges_no_other_amount_than_was_agreed_to(contoso: Contoso, clock: Clock, what: str) -> None:
    """Nobody is there to agree to the tax of another country: the hold is let go of, and the user may send it again."""
    command = a_command(contoso, what)
    contoso.sandbox.script(Faults().lost_answer("authorize"))
    with contoso.declines(PaymentOutcomeUnknown):
        contoso.run(command)
    abroad = {"billing_profile_id": contoso.profile().id, "country": "DE"}
    contoso.run(contoso.command(ChangeBillTo, contoso.buyer, **abroad))
    clock.now += timedelta(minutes=10)
    contoso.advances()
    assert contoso.payments()[-1].status == "released"
    all_is_settled(contoso)
    contoso.run(command)
    assert contoso.invoices()[-1].tax_minor > 0
    all_is_settled(contoso)


def test_the_run_adds_no_licenses_to_another_total(contoso: Contoso, clock: Clock) -> None:
    """From 3 to 5 was wanted, and a colleague has made it 9: the run does not take four of them away."""
    bought = contoso.buys_centrally(contoso.melissa)
    resizes = partial(contoso.command, ResizeLicenses, contoso.admin, subscription_id=bought)
    contoso.sandbox.script(Faults().lost_answer("authorize"))
    with contoso.declines(PaymentOutcomeUnknown):
        contoso.run(resizes(total=5))
    contoso.run(resizes(total=9))
    clock.now += timedelta(minutes=10)
    contoso.advances()
    assert contoso.pool(bought).total == 9
    all_is_settled(contoso)


def test_who_does_not_confirm_within_a_day_is_let_go_of(contoso: Contoso, clock: Clock) -> None:
    command = a_command(contoso, "purchase")
    contoso.changes_card("tok_action_required")
    with contoso.declines(PaymentActionRequired):
        contoso.run(command)
    clock.now += timedelta(days=1)
    contoso.advances()
    assert contoso.payments()[-1].status == "released"
    all_is_settled(contoso)


def test_a_price_of_a_day_is_kept_until_it_is_confirmed(contoso: Contoso, clock: Clock) -> None:
    """The command goes on as of the moment of its intent: what was agreed to is what is charged."""
    command = a_command(contoso, "increase")
    contoso.changes_card("tok_action_required")
    with contoso.declines(PaymentActionRequired):
        contoso.run(command)
    payment = contoso.payments()[-1]
    contoso.sandbox.confirm(payment.id, payment.attempt)
    clock.now += timedelta(hours=20)  # another day, and one day fewer to pay for
    contoso.run(command)
    assert contoso.invoices()[-1].total_minor == CHARGE["increase"]
    all_is_settled(contoso)


def test_what_was_changed_meanwhile_is_paid_for_anew(contoso: Contoso) -> None:
    """From 3 to 5 was 28.00 and is 14.00 once a colleague has made it 4: the first hold is let go of."""
    bought = contoso.buys_centrally(contoso.melissa)
    resizes = partial(contoso.command, ResizeLicenses, contoso.admin, subscription_id=bought)
    command = resizes(total=5)
    with just_before_the_save(
        contoso.ledger, contoso.running(ResizeLicenses, contoso.admin, subscription_id=bought, total=4)
    ):
        contoso.run(command)
    assert contoso.pool(bought).total == 5
    assert [payment.status for payment in contoso.payments()] == ["captured", "released", "captured", "captured"]
    assert [invoice.total_minor for invoice in contoso.invoices()] == [4_200, 1_400, 1_400]
    all_is_settled(contoso)


@pytest.mark.parametrize("expected", [None, 3])
def test_a_hold_is_not_let_go_of_while_somebody_else_takes_it(contoso: Contoso, expected: int | None) -> None:
    """The same command, sent twice: while one decides, the other one has recorded it."""
    bought = contoso.buys()
    content: dict[str, Any] = {"expected_total": expected} if expected else {}
    command = contoso.command(ResizeLicenses, contoso.buyer, subscription_id=bought, total=5, **content)
    contoso.sandbox.script(Faults().lost_request("authorize"))
    with contoso.declines(PaymentOutcomeUnknown):
        contoso.run(command)
    recorded: list[Receipt] = []

    def decide(at: datetime | None) -> Deal:
        if not recorded:
            contoso.sandbox.script(Faults().lost_request("capture"))  # not yet taken
            recorded.append(contoso.run(command))
            contoso.sandbox.script(Faults().lost_request("find"))  # nor by who decides now
        return resize_deal(contoso.ledger, contoso.till, command, at)

    assert paid_first(contoso.ledger, contoso.till, command, decide) == recorded[0]
    contoso.advances()
    assert contoso.subscription(bought).life == "active"
    all_is_settled(contoso)


def test_eight_at_once_leave_no_hold(contoso: Contoso) -> None:
    """Concurrent increases and decreases of one pool: what is taken less what is given back is what is billed."""
    bought = contoso.buys_centrally(contoso.melissa, licenses=10)
    totals = [12, 8, 15, 11, 9, 14, 10, 13]
    at_once(*(contoso.running(ResizeLicenses, contoso.admin, subscription_id=bought, total=total) for total in totals))
    contoso.advances()
    assert contoso.pool(bought).total in totals
    all_is_settled(contoso)


def test_eight_who_expect_the_same_total_leave_one_charge(contoso: Contoso) -> None:
    bought = contoso.buys_centrally(contoso.melissa, licenses=10)
    content = {"subscription_id": bought, "expected_total": 10}
    answers = at_once(
        *(contoso.running(ResizeLicenses, contoso.admin, total=11 + number, **content) for number in range(8))
    )
    assert sum(isinstance(answer, StaleVersion) for answer in answers) == 7
    contoso.advances()
    all_is_settled(contoso)


def test_eight_who_cancel_while_eight_increase(contoso: Contoso) -> None:
    bought: UUID = contoso.buys_centrally(contoso.melissa, licenses=10)
    ending = {"subscription_id": bought, "when": "now", "reason": "other"}
    increases = [contoso.running(ResizeLicenses, contoso.admin, subscription_id=bought, total=11 + n) for n in range(4)]
    cancels = [contoso.running(CancelSubscription, contoso.admin, **ending) for _ in range(4)]
    answers = at_once(*increases, *cancels)
    assert sum(not isinstance(answer, SubscriptionNotActive) for answer in answers[4:]) == 1
    contoso.advances()
    all_is_settled(contoso)
    assert billed(contoso) == 0  # on the day of the purchase all comes back
