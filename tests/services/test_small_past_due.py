"""What is too small to be charged alone is never past due, also where it was declined together with others."""

from services.ledger import Ledger
from services.schedule_licenses import ScheduleLicenses, schedule_licenses
from tests.services.contoso import Clock
from tests.services.world_of_bills import Bills


def test_small_amounts_that_were_declined_together_wait_for_the_next_charge(ledger: Ledger, clock: Clock) -> None:
    bills = Bills(ledger, clock).at(2026, 3, 1)
    offer = bills.sells(2)  # cents: the provider takes 50 or more
    bills.buys(20, offer)  # 0.40, too small
    bills.at(2026, 3, 2).buys(5, offer)  # 0.10, charged together with it
    third = bills.at(2026, 3, 3).buys(30, offer)
    schedule = bills.does(ScheduleLicenses, subscription_id=third, total=8)
    schedule_licenses(bills.ledger, schedule, bills.till)
    bills.changes_card("tok_declined:next")
    bills.at(2026, 4, 3).runs()  # 0.40 waits; 0.10 and 0.16 were each declined together with it
    assert [(one.due_minor, one.status) for one in bills.invoices[3:]] == [(40, "open"), (10, "open"), (16, "open")]
    assert bills.ledger.subscription(bills.organization_id, third).life == "active"

    bills.changes_card("tok_visa:good")
    bills.at(2026, 5, 1).runs()

    assert [(one.due_minor, one.status) for one in bills.invoices[3:]] == [(0, "paid")] * 4
