"""What is past due and too small to be charged alone waits for the next charge, like any small amount."""

from services.ledger import Ledger
from services.schedule_licenses import ScheduleLicenses, schedule_licenses
from tests.services.contoso import Clock
from tests.services.world_of_bills import Bills


def test_of_two_small_amounts_past_due_on_one_day_one_is_tried_again_and_the_other_waits(
    ledger: Ledger, clock: Clock
) -> None:
    bills = Bills(ledger, clock).at(2026, 3, 1)
    offer = bills.sells(2)  # cents: the provider takes 50 or more
    bills.buys(20, offer)  # 0.40, too small
    bills.at(2026, 3, 2).buys(5, offer)  # 0.10, charged together with it
    third = bills.at(2026, 3, 3).buys(30, offer)
    schedule = bills.does(ScheduleLicenses, subscription_id=third, total=8)
    schedule_licenses(bills.ledger, schedule, bills.till)
    bills.changes_card("tok_declined:next")
    bills.at(2026, 4, 3).runs()  # 0.40 waits; 0.10 and 0.16 were each declined together with it
    assert [(one.due_minor, one.status) for one in bills.invoices[3:]] == [
        (40, "open"),
        (10, "past_due"),
        (16, "past_due"),
    ]

    bills.at(2026, 4, 6).runs()

    assert [(one.due_minor, one.status) for one in bills.invoices[3:]] == [(40, "open"), (10, "past_due"), (16, "open")]
    assert bills.ledger.subscription(bills.organization_id, third).life == "active"
