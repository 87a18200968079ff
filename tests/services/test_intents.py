"""An intent to pay says what its amount rests on, and asks for nothing that was not due when it was recorded."""

import pytest

from adapters.payments.limits import limits_of
from domain.payment import IncreaseIntent, Payment, PurchaseIntent
from projections.audit.derive import differences
from services.held_payment import PaidAttempt
from services.ledger import Ledger
from tests.services.contoso import Clock
from tests.services.world_of_bills import Bills


def test_an_intent_says_price_days_and_tax_rate(ledger: Ledger, clock: Clock) -> None:
    bills = Bills(ledger, clock, country="DE", currency="EUR").at(2026, 1, 31)
    bought = bills.buys(100, bills.sells(1_400))
    bills.at(2026, 2, 10).resizes(bought, 105)
    first, second = (event.intent for event in bills.told(Payment.PaymentRequested))
    assert isinstance(first, PurchaseIntent)
    assert (first.price.unit_price_minor, first.period.days, first.cycle_days) == (1_400, 28, 28)
    assert isinstance(second, IncreaseIntent)
    assert (second.price, second.period.days, second.cycle_days) == (first.price, 18, 28)
    assert second.tax_rate.rate_ppm == 190_000


def test_what_waited_and_was_collected_meanwhile_is_not_asked_for_again(
    ledger: Ledger, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    bills = Bills(ledger, clock).at(2026, 1, 31)
    offer = bills.sells(7)
    bills.buys(3, offer)  # 0.21 waits for the next charge
    requested, others = PaidAttempt.requested, iter([10])

    def overtaken(attempt: PaidAttempt, *decided: object) -> Payment:
        for licenses in others:  # another purchase comes between the decision and its record
            bills.buys(licenses, offer)
        return requested(attempt, *decided)  # type: ignore[arg-type]

    monkeypatch.setattr(PaidAttempt, "requested", overtaken)
    bills.buys(20, offer)

    assert [event.amount_minor for event in bills.told(Payment.PaymentCaptured)] == [91, 140]
    assert [event.amount_minor for event in bills.told(Payment.PaymentRequested)] == [91, 140]
    assert list(differences(bills.history(), limits_of)) == []
