from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from adapters.payments.sandbox_faults import Faults
from domain.invoice import Invoice
from domain.payment import Payment
from domain.refusals import (
    BillingProfileRoleNeeded,
    NotAllowed,
    NotFound,
    NothingDue,
    PaymentActionRequired,
    PaymentDeclined,
    PaymentOutcomeUnknown,
)
from services.cancel_subscription import CancelSubscription
from services.command import Actor
from services.grant_profile_role import GrantProfileRole
from services.pay_invoice import PayInvoice
from services.ports import Receipt
from services.remove_payment_method import RemovePaymentMethod
from tests.scenario import event
from tests.services.contoso import Clock, Contoso
from tests.services.questions import at_once, is_done_once, saves_of, stays_done, takes_an_active_member

DECLINED = "tok_declined_insufficient_funds"


@pytest.fixture
def bought(contoso: Contoso) -> UUID:
    """A renewal of three licenses that Melissa's card did not pay: in grace since Feb 28."""
    bought = contoso.buys()
    contoso.changes_card(DECLINED)
    contoso.advances(date(2025, 2, 28))
    assert contoso.subscription(bought).life == "in_grace"
    return bought


def a_payment(contoso: Contoso, by: Actor | None = None, **content: Any) -> PayInvoice:
    """Of the newest invoice, with a good card of the payer's."""
    payer = by or contoso.buyer
    if "payment_method_id" not in content and payer.role == "purchaser":
        content["payment_method_id"] = contoso.adds_card(payer.id, "tok_amex")
    return contoso.command(PayInvoice, payer, **{"invoice_id": contoso.invoices()[-1].id, **content})


def test_who_was_in_grace_recovers(contoso: Contoso, bought: UUID) -> None:
    paying = a_payment(contoso)
    contoso.run(paying)
    renewal = contoso.invoices()[-1]
    assert (renewal.status, renewal.due_minor, renewal.retry_on) == ("paid", 0, None)
    assert contoso.subscription(bought).life == "active"
    intent, outcome = saves_of(contoso, paying)
    assert (intent.step, intent.told) == ("intent", ["CollectionStarted", "PaymentTriedAgain"])
    assert intent.events[-1] == event(
        Payment.PaymentTriedAgain, attempt=2, amount_minor=4_200, on_session=True, intent=None
    )
    assert (outcome.step, outcome.told) == ("", ["ChargeRecovered", "PaymentReceived", "PaymentCaptured"])
    assert contoso.sandbox.captured() == {"USD": 8_400}


def test_the_profiles_own_card_unless_another_is_named(contoso: Contoso, bought: UUID) -> None:
    paying = contoso.command(PayInvoice, contoso.buyer, invoice_id=contoso.invoices()[-1].id)
    with contoso.declines(PaymentDeclined, why="insufficient_funds"):
        contoso.run(paying)
    renewal = contoso.invoices()[-1]
    assert (renewal.status, renewal.collected_by) == ("past_due", None)
    assert contoso.subscription(bought).life == "in_grace"


def test_a_declined_payment_can_be_sent_again(contoso: Contoso, bought: UUID) -> None:
    """The refusal is not remembered: the same command id tries again, and is then answered for ever."""
    paying = contoso.command(PayInvoice, contoso.buyer, invoice_id=contoso.invoices()[-1].id)
    with contoso.declines(PaymentDeclined):
        contoso.run(paying)
    contoso.changes_card("tok_mastercard")  # which pays what is past due at once
    assert contoso.invoices()[-1].status == "paid"
    told = len(contoso.history())
    contoso.run(paying)
    assert len(contoso.history()) == told
    assert contoso.sandbox.captured() == {"USD": 8_400}
    assert contoso.subscription(bought).life == "active"


def test_a_repeat_is_answered_and_not_paid_again(contoso: Contoso, bought: UUID) -> None:
    paying = a_payment(contoso)
    is_done_once(contoso, paying, payment_method_id=uuid4())
    cancels = contoso.running(CancelSubscription, contoso.buyer, subscription_id=bought, when="now", reason="other")
    stays_done(contoso, paying, cancels)
    assert contoso.sandbox.captured() == {"USD": 8_400}


def test_the_same_command_at_once_pays_once(contoso: Contoso, bought: UUID) -> None:
    paying = a_payment(contoso)
    answers = at_once(*[lambda: contoso.run(paying)] * 8)
    assert {type(answer) for answer in answers} <= {Receipt, PaymentOutcomeUnknown}
    assert contoso.run(paying) == contoso.run(paying)
    assert contoso.sandbox.captured() == {"USD": 8_400}
    assert contoso.invoices()[-1].status == "paid"
    assert contoso.subscription(bought).life == "active"


def test_different_commands_at_once_pay_once(contoso: Contoso, bought: UUID) -> None:
    payments = [a_payment(contoso) for _ in range(4)]
    answers = at_once(*(lambda paying=paying: contoso.run(paying) for paying in payments))
    assert all(
        not isinstance(answer, Exception) or isinstance(answer, (NothingDue, PaymentOutcomeUnknown))
        for answer in answers
    )
    assert contoso.sandbox.captured() == {"USD": 8_400}
    assert contoso.subscription(bought).life == "active"


def test_nothing_is_due(contoso: Contoso) -> None:
    contoso.buys()
    (invoice,) = contoso.invoices()
    with contoso.refuses(NothingDue, number=invoice.number, due_minor=0):
        contoso.run(a_payment(contoso, payment_method_id=None))


def test_also_when_access_has_ended(contoso: Contoso, clock: Clock, bought: UUID) -> None:
    """A cancelled subscription still owes what it used; an invoice that was written off can still be paid."""
    contoso.advances(date(2025, 3, 30))
    assert contoso.subscription(bought).life == "disabled"
    written_off = contoso.invoices()[-1]
    assert written_off.status == "uncollectible"
    assert written_off.due_minor > 0
    contoso.run(a_payment(contoso))
    assert (contoso.invoices()[-1].status, contoso.invoices()[-1].due_minor) == ("paid", 0)
    assert contoso.subscription(bought).life == "disabled"
    assert clock.now.date() == date(2025, 3, 30)


def test_the_payer_is_asked_to_confirm_and_the_same_command_goes_on(contoso: Contoso, bought: UUID) -> None:
    card = contoso.adds_card(contoso.melissa, "tok_action_required")
    paying = a_payment(contoso, payment_method_id=card)
    with contoso.declines(PaymentActionRequired) as refusal:
        contoso.run(paying)
    assert refusal[0].facts["url"]
    with contoso.refuses(PaymentActionRequired):
        contoso.run(paying)
    payment = contoso.payments()[-1]
    contoso.sandbox.confirm(payment.id, payment.attempt)
    contoso.run(paying)
    assert contoso.invoices()[-1].status == "paid"
    assert contoso.subscription(bought).life == "active"
    assert contoso.sandbox.captured() == {"USD": 8_400}


@pytest.mark.parametrize("fault", ["lost_request", "lost_answer"])
def test_an_answer_that_got_lost_is_found_by_the_same_command(contoso: Contoso, bought: UUID, fault: str) -> None:
    paying = a_payment(contoso)
    contoso.sandbox.script(getattr(Faults(), fault)("charge"))
    with contoso.declines(PaymentOutcomeUnknown):
        contoso.run(paying)
    contoso.run(paying)
    assert contoso.invoices()[-1].status == "paid"
    assert contoso.subscription(bought).life == "active"
    assert contoso.sandbox.captured() == {"USD": 8_400}


def test_a_command_that_the_run_has_finished_stays_done(contoso: Contoso, bought: UUID) -> None:
    """Its answer got lost, and the run saw it through: what is due later is not paid with it."""
    paying = a_payment(contoso)
    contoso.sandbox.script(Faults().lost_answer("charge"))
    with contoso.declines(PaymentOutcomeUnknown):
        contoso.run(paying)
    contoso.advances()
    answer = contoso.run(paying)
    contoso.sandbox.close_dispute(contoso.sandbox.dispute(contoso.payments()[-1].id), "lost")
    contoso.advances()
    assert contoso.invoices()[-1].due_minor == 4_200
    assert contoso.run(paying) == answer
    assert contoso.sandbox.captured() == {"USD": 8_400}
    assert contoso.subscription(bought).life == "active"


def test_who_may_pay(contoso: Contoso, another: Contoso, bought: UUID) -> None:
    """Who has no role on the profile is not told that there is such an invoice."""
    invoice_id, elsewhere = contoso.invoices()[-1].id, uuid4()
    another.buys()
    ben = contoso.purchaser(contoso.ben)
    unseen = ((invoice_id, ben), (elsewhere, contoso.buyer), (another.invoices()[-1].id, contoso.buyer))
    for of, actor in unseen:
        paying = a_payment(contoso, actor, invoice_id=of)
        with contoso.refuses(NotFound, what="invoice", key=str(of)):
            contoso.run(paying)
    profile_id = contoso.profile().id
    grant = {"billing_profile_id": profile_id, "member_id": contoso.ben}
    contoso.run(contoso.command(GrantProfileRole, contoso.buyer, role="reader", **grant))
    paying = a_payment(contoso, ben)
    with contoso.refuses(BillingProfileRoleNeeded, roles=["contributor", "invoice_manager", "owner"]):
        contoso.run(paying)
    contoso.run(contoso.command(GrantProfileRole, contoso.buyer, role="invoice_manager", **grant))
    contoso.run(paying)
    assert contoso.subscription(bought).life == "active"


def test_the_roles_of_the_organization(contoso: Contoso, another: Contoso) -> None:
    contoso.buys(terms=contoso.lists(unit_price_minor=10))  # 0.30, for which nothing is charged
    invoice_id = contoso.invoices()[0].id
    for role in ("billing_reader", "auditor", "operator", "service"):
        paying = contoso.command(PayInvoice, contoso.by(role), invoice_id=invoice_id)
        with contoso.refuses(NotAllowed, action="pay invoices"):
            contoso.run(paying)
    with contoso.refuses(NotFound, what="invoice", key=str(invoice_id)):
        contoso.run(contoso.command(PayInvoice, contoso.admin, invoice_id=invoice_id))
    with contoso.refuses(NothingDue, due_minor=30):
        contoso.run(contoso.command(PayInvoice, contoso.buyer, invoice_id=invoice_id))
    takes_an_active_member(
        contoso, another, lambda actor: contoso.command(PayInvoice, actor, invoice_id=invoice_id), role="purchaser"
    )


def test_no_card_of_somebody_else_and_none_that_was_removed(contoso: Contoso, bought: UUID) -> None:
    of_ben, removed = contoso.adds_card(contoso.ben), contoso.adds_card(contoso.melissa, "tok_visa:removed")
    contoso.run(contoso.command(RemovePaymentMethod, contoso.buyer, payment_method_id=removed))
    for card in (of_ben, removed, uuid4()):
        with contoso.refuses(NotFound, what="payment method", key=str(card)):
            contoso.run(a_payment(contoso, payment_method_id=card))
    assert contoso.subscription(bought).life == "in_grace"


def test_small_amounts_go_along(contoso: Contoso, bought: UUID) -> None:
    contoso.buys(terms=contoso.lists(unit_price_minor=10))  # 0.30, which waits
    renewal = next(invoice for invoice in contoso.invoices() if invoice.status == "past_due")
    contoso.run(a_payment(contoso, invoice_id=renewal.id))
    assert {invoice.status for invoice in contoso.invoices()} == {"paid"}
    assert contoso.sandbox.captured() == {"USD": 8_430}
    assert contoso.subscription(bought).life == "active"


def test_a_retry_is_not_made_for_what_was_paid(contoso: Contoso, clock: Clock, bought: UUID) -> None:
    contoso.run(a_payment(contoso))
    before = len(contoso.history())
    clock.now += timedelta(days=20)
    contoso.advances()
    assert len(contoso.history()) == before
    assert contoso.subscription(bought).life == "active"
    assert all(invoice.status == "paid" for invoice in contoso.every(Invoice))
