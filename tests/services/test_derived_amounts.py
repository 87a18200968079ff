"""Every amount of a history follows from the rest of it, to the cent; and one that was changed is found."""

import pytest

from adapters.payments.limits import limits_of
from domain.refusals import PaymentDeclined
from projections.audit.derive import differences
from services.ledger import Ledger
from tests.services.contoso import Clock
from tests.services.world_of_bills import Bills


def assert_derived(bills: Bills) -> None:
    assert list(differences(bills.history(), limits_of)) == []


def test_a_purchase_an_increase_and_a_removal_are_derived(ledger: Ledger, clock: Clock) -> None:
    clock.now = clock.now.replace(year=2026)
    bills = Bills(ledger, clock).at(2026, 1, 31)
    pro = bills.sells(1_400)
    subscription = bills.buys(100, pro)
    bills.at(2026, 2, 10).resizes(subscription, 105)
    bills.at(2026, 2, 12).resizes(subscription, 102)
    first, added = bills.invoices
    assert (first.total_minor, added.total_minor, added.credited_minor) == (140_000, 4_500, 2_400)
    assert_derived(bills)


def test_a_declined_purchase_is_derived_from_its_intent(ledger: Ledger, clock: Clock) -> None:
    bills = Bills(ledger, clock, country="DE", currency="EUR", card="tok_declined").at(2026, 1, 31)
    with pytest.raises(PaymentDeclined):
        bills.buys(3, bills.sells(1_399))
    assert not bills.invoices
    assert_derived(bills)
