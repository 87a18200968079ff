from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from pydantic import ValidationError

from adapters.postgres.reads import ReadModels
from adapters.postgres.reads_movements import MovementReads
from domain.refusals import NotAllowed
from services.cancel_subscription import CancelSubscription
from services.ports_payments import SettlementRow
from services.reconcile_settlement import Reconciled, ReconcileSettlement, reconcile_settlement
from tests.examples import A_STRANGER, TODAY, TOMORROW
from tests.services.contoso import OPERATOR, Clock, Contoso

WEEK = timedelta(days=7)


class Settled:
    """A provider whose report says something else."""

    def __init__(self, *rows: SettlementRow) -> None:
        self.rows = rows

    def settlement(self, since: date, until: date) -> list[SettlementRow]:
        return [row for row in self.rows if since <= row.settled_on <= until]


@pytest.fixture
def movements(read_models: ReadModels) -> MovementReads:
    return MovementReads(read_models)


def reconciled(contoso: Contoso, movements: MovementReads, gateway: Any = None, **asked: Any) -> Reconciled:
    query = {"actor": OPERATOR, "since": TODAY, "until": TODAY + WEEK, "organization_id": contoso.organization_id}
    command = ReconcileSettlement.model_validate({**query, "at_least": contoso.position, **asked})
    return reconcile_settlement(gateway or contoso.sandbox, movements, command)


def differences(found: Reconciled) -> list[tuple[str, str, int | None, int | None]]:
    return [(one.what, one.kind, one.there_minor, one.here_minor) for one in found.differences]


def rows(contoso: Contoso) -> list[SettlementRow]:
    return list(contoso.sandbox.settlement(TODAY, TODAY + WEEK))


def test_what_moved_on_both_sides_has_no_difference(contoso: Contoso, movements: MovementReads) -> None:
    bought = contoso.buys()
    contoso.run(contoso.command(CancelSubscription, contoso.buyer, subscription_id=bought, when="now", reason="other"))
    contoso.buys()
    dispute_id = contoso.sandbox.dispute(contoso.payments()[1].id)
    contoso.advances()
    contoso.sandbox.close_dispute(dispute_id, "won")
    contoso.advances()
    found = reconciled(contoso, movements)
    assert (found.settled, found.recorded, found.differences) == (5, 5, ())


def test_what_the_bank_took_back_and_nobody_has_heard_of_is_missing_here_until_the_payment_is_looked_at(
    contoso: Contoso, movements: MovementReads
) -> None:
    contoso.buys()
    (payment,) = contoso.payments()
    contoso.sandbox.dispute(payment.id, 1_000)
    found = reconciled(contoso, movements)
    assert differences(found) == [("missing_here", "dispute", 1_000, None)]
    assert found.payment_ids == (payment.id,)
    contoso.advances()  # looks at all payments
    assert reconciled(contoso, movements).differences == ()


def test_a_refund_that_came_back_is_missing_here_until_it_is_known(contoso: Contoso, movements: MovementReads) -> None:
    bought = contoso.buys()
    contoso.run(contoso.command(CancelSubscription, contoso.buyer, subscription_id=bought, when="now", reason="other"))
    (payment,) = contoso.payments()
    [refund_id] = payment.refunds
    contoso.sandbox.fail_refund(refund_id)
    assert differences(reconciled(contoso, movements)) == [("missing_here", "refund_reversal", 4_200, None)]
    contoso.advances()
    assert reconciled(contoso, movements).differences == ()


def test_another_amount_and_what_was_never_settled_are_named(contoso: Contoso, movements: MovementReads) -> None:
    contoso.buys()
    (row,) = rows(contoso)
    other = reconciled(contoso, movements, Settled(row._replace(amount_minor=4_100)))
    assert differences(other) == [("other_amount", "capture", 4_100, 4_200)]
    assert differences(reconciled(contoso, movements, Settled())) == [("missing_there", "capture", None, 4_200)]
    twice = reconciled(contoso, movements, Settled(row, row))
    assert differences(twice) == [("missing_here", "capture", 4_200, None)]


def test_what_is_recorded_a_day_after_it_was_settled_is_no_difference(
    contoso: Contoso, clock: Clock, movements: MovementReads
) -> None:
    contoso.buys()
    (payment,) = contoso.payments()
    contoso.sandbox.dispute(payment.id, 1_000)
    clock.now += timedelta(days=1)
    contoso.advances()
    for day in (TODAY, TOMORROW):
        assert reconciled(contoso, movements, since=day, until=day).differences == ()


def test_a_payment_of_nobody_is_named_where_everything_is_compared(contoso: Contoso, movements: MovementReads) -> None:
    contoso.buys()
    (row,) = rows(contoso)
    stray = row._replace(payment_id=A_STRANGER)
    assert reconciled(contoso, movements, Settled(row, stray)).differences == ()

    def of_nobody(payment_id: UUID) -> list[UUID | None]:
        found = reconciled(contoso, movements, Settled(row, stray), organization_id=None)
        return [one.organization_id for one in found.differences if one.payment_id == payment_id]

    assert of_nobody(A_STRANGER) == [None]
    assert of_nobody(row.payment_id) == []


def test_days_are_in_order_and_it_is_the_operators(contoso: Contoso, movements: MovementReads) -> None:
    with pytest.raises(ValidationError, match="the first day is after the last"):
        reconciled(contoso, movements, since=TOMORROW, until=TODAY)
    with pytest.raises(NotAllowed):
        reconciled(contoso, movements, actor=contoso.admin)
