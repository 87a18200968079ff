from datetime import date, timedelta
from functools import partial
from uuid import UUID

import pytest
from pydantic import ValidationError

from domain.billing_profile import BillingProfile
from domain.calendar import CHANGE_WINDOW
from domain.invoice import Invoice
from domain.license_pool import LicensePool
from domain.offer import OfferTerms
from domain.payment import Payment
from domain.refusals import CancellationWindowPassed, SubscriptionNotActive
from domain.subscription import Subscription
from services.cancel_subscription import CancelSubscription
from services.ports import Receipt
from services.resize_licenses import ResizeLicenses
from services.schedule_licenses import ScheduleLicenses
from services.set_recurring_billing import SetRecurringBilling
from services.withdraw_cancellation import WithdrawCancellation
from tests.examples import PURCHASED_AT
from tests.scenario import event
from tests.services.contoso import FOR_A_YEAR, PAID_YEARLY, Clock, Contoso
from tests.services.questions import (
    at_once,
    belongs_to_its_purchaser,
    decided_twice,
    has_one_effect,
    is_done_once,
    refused_at_second_sight,
    stays_done,
    tells,
    tells_nothing,
)

NOW_WITH_REFUND = 7  # events: six that answer, and that the refund succeeded
FEEDBACK = "We moved to another report tool."
SCRIPTS = {
    "Korean": "보고서가 너무 느려서 다른 도구로 옮겼습니다. ",
    "emoji": "👩\u200d👩\u200d👧\u200d👦🙁📉 ",
    "right to left": "انتقلنا إلى أداة أخرى \u202bلأنها أسرع\u202c ",  # noqa: RUF001 - Arabic
}


def a_cancellation(contoso: Contoso, bought: UUID, when: str = "now", **content: object) -> CancelSubscription:
    content = {"reason": "too_expensive", **content}
    return contoso.command(CancelSubscription, contoso.buyer, subscription_id=bought, when=when, **content)


def test_now_ends_the_subscription_and_closes_the_pool(contoso: Contoso, clock: Clock) -> None:
    bought = contoso.buys(licenses=100)
    contoso.assigns(bought, contoso.ben, contoso.david)
    clock.now = PURCHASED_AT + timedelta(days=2)
    pool, (invoice,) = contoso.pool(bought), contoso.invoices()
    tells(
        contoso,
        a_cancellation(contoso, bought),
        event(BillingProfile.CreditNoteNumbered, invoice_id=invoice.id, count=1),
        event(
            Subscription.SubscriptionCancelled,
            product_id="CFQ7TTC0H9MP",
            offer_id=pool.offer_id,
            pool_id=pool.id,
            purchaser_id=contoso.melissa,
            when="now",
            reason="too_expensive",
            feedback=None,
            licenses=100,
            cancelled_at=clock.now,
            ended_on=date(2025, 2, 2),
        ),
        event(
            LicensePool.LicensePoolClosed,
            subscription_id=bought,
            product_id="CFQ7TTC0H9MP",
            total=100,
            assignments_ended=2,
            reason="cancelled",
        ),
        event(
            Invoice.CreditNoteIssued,
            originator_id=invoice.id,
            reason="cancelled",
            issued_on=date(2025, 2, 2),
            total_minor=130_000,
            due_minor=-130_000,
            state="paid",
        ),
        event(Invoice.RefundCounted, amount_minor=130_000, due_minor=0),
        event(Payment.RefundRequested, invoice_id=invoice.id, amount_minor=130_000),
    )
    assert contoso.sandbox.refunded() == {"USD": 130_000}
    assert contoso.subscription(bought).life == "disabled"
    assert contoso.holders(bought) == []


@pytest.mark.parametrize(("terms", "owed"), [(FOR_A_YEAR, 11 * 3 * 1_400), (PAID_YEARLY, 0)])
def test_at_term_end_it_goes_on_and_does_not_renew(contoso: Contoso, terms: OfferTerms, owed: int) -> None:
    bought = contoso.buys(licenses=3, terms=terms)
    contoso.assigns(bought, contoso.ben)
    contoso.run(contoso.command(ScheduleLicenses, contoso.buyer, subscription_id=bought, total=2))
    tells(
        contoso,
        a_cancellation(contoso, bought, "term_end", reason="project_ended"),
        event(Subscription.LicenseChangeWithdrawn, total=2, takes_effect_on=date(2026, 1, 31), reason="cancelled"),
        event(Subscription.RecurringBillingTurnedOff, reason="cancellation_scheduled", ends_on=date(2026, 1, 30)),
        event(
            Subscription.CancellationScheduled,
            product_id="CFQ7TTC0H9MP",
            purchaser_id=contoso.melissa,
            reason="project_ended",
            feedback=None,
            ends_on=date(2026, 1, 30),
            still_owed_minor=owed,
            currency="USD",
        ),
    )
    assert contoso.subscription(bought).life == "active"
    assert contoso.holders(bought) == [contoso.ben]


def test_what_is_scheduled_already_tells_nothing_and_keeps_no_second_feedback(contoso: Contoso) -> None:
    bought = contoso.buys()
    contoso.run(a_cancellation(contoso, bought, "term_end", feedback=FEEDBACK))
    again = a_cancellation(contoso, bought, "term_end", feedback="Another word.", reason="other")
    tells_nothing(contoso, again)
    assert contoso.kept(again.new_id("fact:feedback")) is None


def test_a_scheduled_one_can_still_be_cancelled_now(contoso: Contoso) -> None:
    bought = contoso.buys()
    contoso.run(a_cancellation(contoso, bought, "term_end"))
    tells(
        contoso,
        a_cancellation(contoso, bought),
        event(BillingProfile.CreditNoteNumbered),
        event(Subscription.SubscriptionCancelled, when="now"),
        event(LicensePool.LicensePoolClosed),
        event(Invoice.CreditNoteIssued),
        event(Invoice.RefundCounted),
        event(Payment.RefundRequested),
    )


def test_a_repeat_is_answered_and_not_done_again(contoso: Contoso) -> None:
    cancelling = a_cancellation(contoso, contoso.buys(), feedback=FEEDBACK)
    is_done_once(contoso, cancelling, reason="other")
    is_done_once(contoso, cancelling, when="term_end")
    is_done_once(contoso, cancelling, feedback=None)


def test_a_repeat_is_answered_after_the_cancellation_was_withdrawn(contoso: Contoso) -> None:
    bought = contoso.buys()
    withdraws = contoso.running(WithdrawCancellation, contoso.buyer, subscription_id=bought)
    stays_done(contoso, a_cancellation(contoso, bought, "term_end", feedback=FEEDBACK), withdraws)
    assert not contoso.subscription(bought).cancellation_scheduled


def test_a_repeat_is_answered_when_it_would_be_refused_now(contoso: Contoso) -> None:
    bought = contoso.buys()
    stays_done(contoso, a_cancellation(contoso, bought), partial(contoso.removes, contoso.melissa))


@pytest.mark.parametrize(("when", "events"), [("now", NOW_WITH_REFUND), ("term_end", 2)])
def test_sixteen_at_once_cancel_once(contoso: Contoso, when: str, events: int) -> None:
    bought = contoso.buys()
    has_one_effect(contoso, a_cancellation(contoso, bought, when, feedback=FEEDBACK), events=events)
    assert contoso.sandbox.refunded() == ({"USD": 4_200} if when == "now" else {})
    if when == "term_end":
        has_one_effect(contoso, a_cancellation(contoso, bought, when, feedback=FEEDBACK), events=0)


def test_different_commands_at_once_cancel_once(contoso: Contoso) -> None:
    bought = contoso.buys()
    answers = at_once(*(partial(contoso.run, a_cancellation(contoso, bought)) for _ in range(8)))
    assert sum(isinstance(answer, SubscriptionNotActive) for answer in answers) == 7
    assert len([answer for answer in answers if isinstance(answer, Receipt)]) == 1
    assert contoso.sandbox.refunded() == {"USD": 4_200}


@pytest.mark.parametrize("when", ["now", "term_end"])
def test_only_the_purchaser_or_the_administrators_of_a_central_purchase(
    contoso: Contoso, another: Contoso, when: str
) -> None:
    belongs_to_its_purchaser(
        contoso,
        another,
        lambda actor, bought: contoso.command(
            CancelSubscription, actor, subscription_id=bought, when=when, reason="other"
        ),
    )


def test_after_the_window_only_at_term_end(contoso: Contoso, clock: Clock) -> None:
    bought = contoso.buys(licenses=3)
    clock.now += CHANGE_WINDOW - timedelta(microseconds=1)
    contoso.run(contoso.command(ResizeLicenses, contoso.buyer, subscription_id=bought, total=5))
    clock.now += timedelta(microseconds=1)
    until = (PURCHASED_AT + CHANGE_WINDOW).isoformat()
    with contoso.refuses(CancellationWindowPassed, until=until, removable_now=2, ends_on="2025-02-27"):
        contoso.run(a_cancellation(contoso, bought))
    contoso.run(a_cancellation(contoso, bought, "term_end"))


def test_a_second_decision_is_made_at_its_own_time(contoso: Contoso, clock: Clock) -> None:
    bought = contoso.buys(licenses=3)
    clock.now += CHANGE_WINDOW - timedelta(microseconds=1)

    def the_window_closes() -> None:
        contoso.assigns(bought, contoso.ben)
        clock.now += timedelta(microseconds=1)

    with refused_at_second_sight(contoso, the_window_closes, CancellationWindowPassed):
        contoso.run(a_cancellation(contoso, bought))


def test_a_refusal_is_not_remembered(contoso: Contoso, clock: Clock) -> None:
    bought = contoso.buys()
    cancelling = a_cancellation(contoso, bought, feedback=FEEDBACK)
    clock.now += CHANGE_WINDOW
    with contoso.refuses(CancellationWindowPassed):
        contoso.run(cancelling)
    assert contoso.kept(cancelling.new_id("fact:feedback")) is None
    clock.now = PURCHASED_AT  # as if the window were open again
    assert contoso.run(cancelling).events > 0


def test_licenses_added_meanwhile_are_counted(contoso: Contoso) -> None:
    bought = contoso.buys(licenses=3, terms=FOR_A_YEAR)
    adds = contoso.running(ResizeLicenses, contoso.buyer, subscription_id=bought, total=5)
    with decided_twice(contoso, adds):
        receipt = contoso.run(a_cancellation(contoso, bought, "term_end"))
    *_, told = contoso.ledger.told(contoso.organization_id, receipt)
    assert told == event(Subscription.CancellationScheduled, still_owed_minor=11 * 5 * 1_400)


def test_recurring_billing_turned_off_meanwhile_is_not_told_again(contoso: Contoso) -> None:
    bought = contoso.buys()
    off = contoso.running(SetRecurringBilling, contoso.buyer, subscription_id=bought, on=False)
    with decided_twice(contoso, off):
        receipt = contoso.run(a_cancellation(contoso, bought, "term_end"))
    assert contoso.ledger.told(contoso.organization_id, receipt) == [event(Subscription.CancellationScheduled)]


def test_another_cancellation_meanwhile_refuses_this_one_with_its_feedback(contoso: Contoso) -> None:
    bought = contoso.buys()
    cancelling = a_cancellation(contoso, bought, feedback=FEEDBACK)
    other = partial(contoso.run, a_cancellation(contoso, bought))
    with refused_at_second_sight(contoso, other, SubscriptionNotActive, state="disabled"):
        contoso.run(cancelling)
    assert contoso.kept(cancelling.new_id("fact:feedback")) is None


# The feedback.


@pytest.mark.parametrize("script", SCRIPTS)
@pytest.mark.parametrize("when", ["now", "term_end"])
def test_feedback_is_kept_beside_history(contoso: Contoso, when: str, script: str) -> None:
    feedback = (SCRIPTS[script] * 2_000)[:2_000]
    cancelling = a_cancellation(contoso, contoso.buys(), when, feedback=feedback)
    receipt = contoso.run(cancelling)
    (told,) = (told for told in contoso.ledger.told(contoso.organization_id, receipt) if hasattr(told, "feedback"))
    fact = contoso.kept(told.feedback.fact_id)
    assert fact is not None
    assert (fact.value, fact.subject_id, fact.purpose) == (feedback, contoso.melissa, "feedback")
    assert fact.ref == told.feedback  # the commitment is to what is kept
    for recorded in contoso.recorded(receipt):
        for spelled in (feedback[:9].encode(), feedback[:9].encode("unicode-escape")):
            assert spelled not in recorded.state + recorded.metadata


def test_the_same_feedback_twice_has_two_commitments(contoso: Contoso) -> None:
    """Nobody can tell from history who said the same, nor try out what was said."""
    commitments = set()
    for _ in range(2):
        cancelling = a_cancellation(contoso, contoso.buys(), feedback=FEEDBACK)
        told = contoso.ledger.told(contoso.organization_id, contoso.run(cancelling))
        commitments |= {event.feedback.commitment for event in told if hasattr(event, "feedback")}
    assert len(commitments) == 2


@pytest.mark.parametrize("feedback", ["x" * 2_001, "📉" * 2_001, "", "before\0after", "\ud800"])
def test_feedback_that_is_refused_at_the_edge(contoso: Contoso, feedback: str) -> None:
    with pytest.raises(ValidationError, match="feedback"):
        a_cancellation(contoso, contoso.organization_id, feedback=feedback)


def test_feedback_is_in_no_error_and_no_repr(contoso: Contoso) -> None:
    with pytest.raises(ValidationError) as refused:
        a_cancellation(contoso, contoso.organization_id, feedback=f"{FEEDBACK}\0")
    assert FEEDBACK not in str(refused.value)
    assert FEEDBACK not in repr(a_cancellation(contoso, contoso.organization_id, feedback=FEEDBACK))
