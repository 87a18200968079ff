from datetime import date
from functools import partial
from uuid import UUID

from domain.subscription import Subscription
from services.cancel_subscription import CancelSubscription
from services.set_recurring_billing import SetRecurringBilling
from services.withdraw_cancellation import WithdrawCancellation
from tests.scenario import event
from tests.services.contoso import Contoso
from tests.services.questions import (
    belongs_to_its_purchaser,
    decided_twice,
    has_one_effect,
    is_done_once,
    stays_done,
    tells,
    tells_nothing,
)


def cancelled(contoso: Contoso, when: str = "term_end") -> UUID:
    bought = contoso.buys()
    contoso.run(contoso.command(CancelSubscription, contoso.buyer, subscription_id=bought, when=when, reason="other"))
    return bought


def a_withdrawal(contoso: Contoso, bought: UUID) -> WithdrawCancellation:
    return contoso.command(WithdrawCancellation, contoso.buyer, subscription_id=bought)


def test_it_renews_again(contoso: Contoso) -> None:
    tells(
        contoso,
        a_withdrawal(contoso, cancelled(contoso)),
        event(Subscription.CancellationWithdrawn, product_id="CFQ7TTC0H9MP", purchaser_id=contoso.melissa),
        event(Subscription.RecurringBillingTurnedOn, renews_on=date(2025, 2, 28)),
    )


def test_what_would_not_have_renewed_before_does_not_renew_after(contoso: Contoso) -> None:
    bought = contoso.buys()
    contoso.run(contoso.command(SetRecurringBilling, contoso.buyer, subscription_id=bought, on=False))
    contoso.run(
        contoso.command(CancelSubscription, contoso.buyer, subscription_id=bought, when="term_end", reason="other")
    )
    tells(contoso, a_withdrawal(contoso, bought), event(Subscription.CancellationWithdrawn))
    assert not contoso.subscription(bought).recurring_billing


def test_where_nothing_is_scheduled_there_is_nothing_to_withdraw(contoso: Contoso) -> None:
    tells_nothing(contoso, a_withdrawal(contoso, contoso.buys()))
    tells_nothing(contoso, a_withdrawal(contoso, cancelled(contoso, "now")))


def test_a_repeat_is_answered_and_not_done_again(contoso: Contoso) -> None:
    bought = cancelled(contoso)
    is_done_once(contoso, a_withdrawal(contoso, bought), subscription_id=contoso.buys())
    is_done_once(contoso, a_withdrawal(contoso, bought), subscription_id=contoso.chris)  # would be refused anyway


def test_a_repeat_does_not_withdraw_a_later_cancellation(contoso: Contoso) -> None:
    bought = cancelled(contoso)
    again = contoso.running(CancelSubscription, contoso.buyer, subscription_id=bought, when="term_end", reason="other")
    stays_done(contoso, a_withdrawal(contoso, bought), again)
    assert contoso.subscription(bought).cancellation_scheduled
    nothing = a_withdrawal(contoso, contoso.buys())
    again = contoso.running(
        CancelSubscription, contoso.buyer, subscription_id=nothing.subscription_id, when="term_end", reason="other"
    )
    stays_done(contoso, nothing, again, partial(contoso.removes, contoso.melissa))
    assert contoso.subscription(nothing.subscription_id).cancellation_scheduled


def test_sixteen_at_once_withdraw_once(contoso: Contoso) -> None:
    bought = cancelled(contoso)
    has_one_effect(contoso, a_withdrawal(contoso, bought), events=2)
    has_one_effect(contoso, a_withdrawal(contoso, bought), events=0)


def test_only_the_purchaser_or_the_administrators_of_a_central_purchase(contoso: Contoso, another: Contoso) -> None:
    belongs_to_its_purchaser(
        contoso, another, lambda actor, bought: contoso.command(WithdrawCancellation, actor, subscription_id=bought)
    )


def test_a_cancellation_meanwhile_is_withdrawn(contoso: Contoso) -> None:
    bought = contoso.buys()
    cancels = contoso.running(
        CancelSubscription, contoso.buyer, subscription_id=bought, when="term_end", reason="other"
    )
    with decided_twice(contoso, cancels):
        receipt = contoso.run(a_withdrawal(contoso, bought))
    assert receipt.events == 2


def test_a_cancellation_now_meanwhile_leaves_nothing_to_withdraw(contoso: Contoso) -> None:
    bought = cancelled(contoso)
    ends = contoso.running(CancelSubscription, contoso.buyer, subscription_id=bought, when="now", reason="other")
    with decided_twice(contoso, ends):
        receipt = contoso.run(a_withdrawal(contoso, bought))
    assert receipt.events == 0
