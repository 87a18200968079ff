from datetime import date, timedelta

from domain.calendar import Period
from domain.subscription import Subscription
from projections.due_work import DUE_WORK, DueWork
from tests.examples import (
    A_MEMBER,
    A_PAYMENT,
    A_SUBSCRIPTION,
    A_SUBSCRIPTION_FOR_A_YEAR,
    AN_INVOICE,
    ANOTHER_INVOICE,
    BEN,
    BILLING_PROFILE,
    CHRIS,
    DAVID,
    INVOICE,
    PAYMENT,
    POWER_BI_PRO,
    PURCHASED_AT,
    SUBSCRIPTION,
    THE_NEXT_CYCLE,
    THE_SAME_DAY,
    TODAY,
    a_pool_of,
    an_id,
    candidates,
)
from tests.projections.histories import History, ReadModel

A_REFUND = an_id(701)


def due(history: History) -> dict[str, tuple[object, date]]:
    return {row.kind: (row.subject_id, row.due_on) for row in ReadModel(DueWork()).fold(history.events)[DUE_WORK]}


def cancelled(subscription: Subscription) -> Subscription:
    subscription.cancel(when="now", reason="other", feedback=None, licenses=3, credit_note_ids=(), at=THE_SAME_DAY)
    return subscription


def test_a_term_is_due_on_the_first_day_after_it() -> None:
    history = History()
    history.tell(A_SUBSCRIPTION(), a_pool_of(3)())
    assert due(history) == {"subscription": (SUBSCRIPTION, date(2025, 2, 28))}


def test_a_cycle_within_a_term_is_due_on_the_first_day_that_is_not_charged() -> None:
    history, pool = History(), a_pool_of(3)()
    history.tell(A_SUBSCRIPTION_FOR_A_YEAR(), pool)
    assert due(history) == {"subscription": (SUBSCRIPTION, date(2025, 2, 28))}
    pool.charge(invoice_id=ANOTHER_INVOICE, line=1, cycle=THE_NEXT_CYCLE)
    history.tell(pool)
    assert due(history) == {"subscription": (SUBSCRIPTION, date(2025, 3, 31))}


def test_what_ends_is_due_when_access_ends_and_when_it_is_deleted() -> None:
    history, subscription = History(), A_SUBSCRIPTION()
    subscription.turn_recurring_billing_off()
    history.tell(subscription, a_pool_of(3)())
    assert due(history)["subscription"] == (SUBSCRIPTION, date(2025, 2, 28))
    subscription.expire(licenses=3, at=PURCHASED_AT)
    history.tell(subscription)
    assert due(history)["subscription"] == (SUBSCRIPTION, date(2025, 3, 30))  # 30 days later
    subscription.disable("expired", on=date(2025, 3, 30))
    history.tell(subscription)
    assert due(history)["subscription"] == (SUBSCRIPTION, date(2025, 6, 28))  # 90 days later
    subscription.delete(on=date(2025, 6, 28))
    history.tell(subscription)
    assert due(history) == {}


def test_a_cancelled_subscription_is_due_when_it_is_deleted() -> None:
    history = History()
    history.tell(cancelled(A_SUBSCRIPTION()))
    assert due(history) == {"subscription": (SUBSCRIPTION, TODAY + timedelta(days=90))}


def test_who_has_more_licenses_than_there_are_is_due_until_they_are_back() -> None:
    history, pool, subscription = History(), a_pool_of(3)(), A_SUBSCRIPTION_FOR_A_YEAR()
    pool.assign(candidates(CHRIS, BEN, DAVID))
    year = Period(start=TODAY, end=date(2026, 1, 31))
    pool.renew(1, POWER_BI_PRO, invoice_id=ANOTHER_INVOICE, line=1, cycle=year, term=year, at=PURCHASED_AT)
    history.tell(subscription, pool)
    assert due(history)["subscription"] == (SUBSCRIPTION, TODAY + timedelta(days=90))
    pool.unassign([BEN])
    history.tell(pool)
    assert due(history)["subscription"] == (SUBSCRIPTION, TODAY + timedelta(days=90))
    pool.unassign([DAVID])
    history.tell(pool)
    assert due(history)["subscription"] == (SUBSCRIPTION, date(2026, 1, 31))


def test_an_unpaid_invoice_is_due_for_its_next_attempt_and_at_the_end_of_its_grace() -> None:
    history, invoice = History(), AN_INVOICE()
    history.tell(invoice)
    assert due(history) == {}
    on = TODAY
    for days in (3, 7, 14, 21, 30):
        invoice.start_collection(PAYMENT, 4_200)
        invoice.fail_collection(PAYMENT, "insufficient_funds", on)
        history.tell(invoice)
        on = TODAY + timedelta(days=days)
        assert due(history) == {"invoice": (INVOICE, on)}
    invoice.start_collection(PAYMENT, 4_200)
    invoice.fail_collection(PAYMENT, "insufficient_funds", on)
    history.tell(invoice)
    assert due(history) == {"invoice": (INVOICE, on)}  # no attempt is left, and grace ends
    invoice.write_off(on)
    history.tell(invoice)
    assert due(history) == {}


def test_a_paid_invoice_is_not_due() -> None:
    history, invoice = History(), AN_INVOICE()
    invoice.start_collection(PAYMENT, 4_200)
    invoice.fail_collection(PAYMENT, "insufficient_funds", TODAY)
    invoice.receive(PAYMENT, 4_200)
    history.tell(invoice)
    assert due(history) == {}


def test_a_payment_waits_until_its_outcome_is_known_and_a_refund_and_a_dispute_likewise() -> None:
    history, payment = History(), A_PAYMENT()

    def waits(*kinds: str) -> bool:
        rows = ReadModel(DueWork()).fold(history.events)[DUE_WORK]
        assert all((row.payment_id, row.billing_profile_id) == (PAYMENT, BILLING_PROFILE) for row in rows)
        return {row.kind for row in rows} == set(kinds)

    history.tell(payment)
    assert waits("payment")
    payment.lose_sight()
    history.tell(payment)
    assert waits("payment")
    payment.capture("reference")
    history.tell(payment)
    assert waits()
    payment.request_refund(A_REFUND, invoice_id=INVOICE, amount_minor=100)
    payment.dispute("dispute_1", invoice_id=INVOICE, amount_minor=200)
    history.tell(payment)
    assert waits("refund", "dispute")
    payment.succeed_refund(A_REFUND)
    payment.close_dispute("dispute_1", "lost")
    history.tell(payment)
    assert waits()


def test_a_removed_member_may_have_licenses_to_release_until_restored() -> None:
    history, member = History(), A_MEMBER()
    member.remove()
    history.tell(member, at=THE_SAME_DAY)
    assert due(history) == {"release_licenses": (CHRIS, THE_SAME_DAY.date())}
    member.restore()
    history.tell(member)
    assert due(history) == {}
