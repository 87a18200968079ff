from datetime import date

from projections.due_work import DUE_WORK, DueWork
from tests.examples import A_MEMBER, A_SUBSCRIPTION, CHRIS, SUBSCRIPTION, THE_SAME_DAY
from tests.projections.histories import History, ReadModel


def due(history: History) -> dict[str, tuple[object, date]]:
    return {row.kind: (row.subject_id, row.due_on) for row in ReadModel(DueWork()).fold(history.events)[DUE_WORK]}


def test_a_term_is_due_on_the_first_day_after_it() -> None:
    history = History()
    history.tell(A_SUBSCRIPTION())
    assert due(history) == {"term_end": (SUBSCRIPTION, date(2025, 2, 28))}


def test_a_scheduled_change_is_due_until_it_is_withdrawn() -> None:
    history, subscription = History(), A_SUBSCRIPTION()
    subscription.schedule_licenses(2)
    history.tell(subscription)
    assert due(history)["scheduled_change"] == (SUBSCRIPTION, date(2025, 2, 28))
    subscription.withdraw_scheduled_licenses()
    history.tell(subscription)
    assert due(history).keys() == {"term_end"}


def test_a_cancelled_subscription_has_nothing_due() -> None:
    history, subscription = History(), A_SUBSCRIPTION()
    subscription.schedule_licenses(2)
    subscription.cancel_now(reason="other", feedback=None, licenses=3, removable_now=3, at=THE_SAME_DAY)
    history.tell(subscription)
    assert due(history) == {}


def test_a_removed_member_may_have_licenses_to_release_until_restored() -> None:
    history, member = History(), A_MEMBER()
    member.remove()
    history.tell(member, at=THE_SAME_DAY)
    assert due(history) == {"release_licenses": (CHRIS, THE_SAME_DAY.date())}
    member.restore()
    history.tell(member)
    assert due(history) == {}
