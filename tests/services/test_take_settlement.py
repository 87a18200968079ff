from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest

from adapters.postgres.reads import ReadModels
from adapters.postgres.reads_movements import MovementReads
from domain.invoice import Invoice
from services.reconcile_settlement import Reconciled, ReconcileSettlement, reconcile_settlement
from services.take_settlement import take_settlement
from tests.examples import TODAY
from tests.services.contoso import OPERATOR, Contoso

Found = Callable[[], Reconciled]


@pytest.fixture
def found(contoso: Contoso, read_models: ReadModels) -> Found:
    """What the provider settled within the week, compared with what is recorded by now."""

    def compared() -> Reconciled:
        query = ReconcileSettlement(
            actor=OPERATOR,
            since=TODAY,
            until=TODAY + timedelta(days=7),
            organization_id=contoso.organization_id,
            at_least=contoso.position,
        )
        return reconcile_settlement(contoso.sandbox, MovementReads(read_models), query)

    return compared


def test_a_dispute_that_nobody_told_of_opens_the_invoice_again_and_a_won_one_settles_it(
    contoso: Contoso, found: Found
) -> None:
    contoso.buys()
    (payment,) = contoso.payments()
    dispute_id = contoso.sandbox.dispute(payment.id)
    assert taken(contoso, found()) == [payment.id]
    assert standing(contoso) == ("open", 4_200)
    contoso.sandbox.close_dispute(dispute_id, "won")
    assert taken(contoso, found()) == [payment.id]
    assert standing(contoso) == ("paid", 0)


def test_what_is_known_is_not_looked_at_again(contoso: Contoso, found: Found) -> None:
    contoso.buys()
    contoso.sandbox.dispute(contoso.payments()[0].id)
    taken(contoso, found())
    told = contoso.history()
    assert taken(contoso, found()) == []
    assert contoso.history() == told


def taken(contoso: Contoso, compared: Reconciled) -> list[UUID]:
    return take_settlement(contoso.ledger, lambda _: contoso.till, compared)


def standing(contoso: Contoso) -> tuple[str, int]:
    (invoice,) = contoso.invoices()
    assert isinstance(invoice, Invoice)
    return invoice.status, invoice.due_minor
