"""An invoice is explained from its history: what it charges, credits and gave back, why, and what is due."""

from uuid import uuid4

import pytest

from domain.refusals import NotFound
from projections.audit.explain import explain
from projections.audit.explained import Explanation
from services.command import Actor
from services.explain_invoice import ExplainInvoice, explain_invoice
from services.ledger import Ledger
from tests.services.contoso import THE_OTHER_FOUR, Clock
from tests.services.world_of_bills import Bills


def explained(bills: Bills, place: int = 0) -> Explanation:
    """The invoice at a place, oldest first, as its buyer has it explained."""
    query = ExplainInvoice(
        organization_id=bills.organization_id, actor=bills.buyer, invoice_id=bills.invoices[place].id
    )
    history = explain_invoice(bills.ledger, query)
    found = explain(history.invoice_id, history.events, history.offers, bills.ledger.mapper)  # type: ignore[arg-type]
    assert found.contradictions == ()
    assert sum(term.amount_minor for term in found.sums) == found.due_minor == bills.invoices[place].due_minor
    return found


@pytest.fixture
def bills(ledger: Ledger, clock: Clock) -> Bills:
    return Bills(ledger, clock).at(2026, 1, 31)


def test_a_purchase_names_its_price_its_days_and_what_caused_it(bills: Bills) -> None:
    subscription = bills.buys(100, bills.sells(1_400))

    found = explained(bills)

    [line] = found.lines
    assert (line.days_in_words, str(line.ends_on)) == ("28 of 28 days", "2026-02-27")
    assert (line.price_version, str(line.price_effective_on)) == (1, "2026-01-31")
    assert (line.rule, line.basis, line.rounding) == (
        "daily-half-up.v1",
        "days of the cycle",
        "half up, of the magnitude",
    )
    assert line.arithmetic.text == "100 x 1400 = 140000"
    assert [cause.event for cause in line.causes] == [
        "Subscription.SubscriptionPurchased",
        "LicensePool.LicensePoolOpened",
    ]
    assert {(cause.command, cause.actor_id) for cause in line.causes} == {("buy_subscription", bills.chris)}
    assert line.causes[0].aggregate_id == subscription
    assert [step.what for step in found.movements] == ["payment requested", "amount held", "payment received"]
    assert [(term.what, term.amount_minor) for term in found.sums] == [("total", 140_000), ("payments", -140_000)]


def test_an_increase_is_charged_by_the_day_and_a_removal_credits_the_unused_days(bills: Bills) -> None:
    subscription = bills.buys(100, bills.sells(1_400))
    bills.at(2026, 2, 10).resizes(subscription, 105)
    bills.at(2026, 2, 12).resizes(subscription, 102)

    found = explained(bills, 1)

    [line], [note] = found.lines, found.credit_notes
    assert (line.days_in_words, line.arithmetic.text) == ("18 of 28 days", "5 x 1400 x 18 / 28 = 4500")
    assert [cause.event for cause in line.causes] == ["LicensePool.LicensesResized"]
    [credit] = note.lines
    assert (credit.taken, credit.quantity, credit.days) == (3, 2, 16)
    assert credit.arithmetic.text == "5 x 1400 x 16 / 28 = 4000; 2 x 1400 x 16 / 28 = 1600; 4000 - 1600 = 2400"
    assert credit.why == "by the day: 16 days from 2026-02-12 on, that day included"
    assert [cause.event for cause in note.causes] == ["LicensePool.LicensesResized"]
    assert [(term.what, term.amount_minor) for term in found.sums] == [
        ("total", 4_500),
        ("credit notes", -2_400),
        ("payments", -4_500),
        ("refunds, less those that failed", 2_400),
    ]


def test_a_cancellation_is_credited_by_the_day_after_a_day_and_in_full_before(bills: Bills) -> None:
    offer = bills.sells(1_400)
    late = bills.buys(100, offer)
    bills.at(2026, 2, 5).cancels(late)
    [by_the_day] = explained(bills).credit_notes
    assert (by_the_day.lines[0].arithmetic.text, by_the_day.total_minor) == ("100 x 1400 x 23 / 28 = 115000", 115_000)

    early = bills.buys(100, offer)
    bills.at(2026, 2, 6, 8, 30).cancels(early)  # after 23 hours
    [in_full] = explained(bills, 1).credit_notes

    assert in_full.total_minor == 140_000
    assert in_full.lines[0].why == "in full, within 24 hours: all 28 days that were charged"
    assert [cause.event for cause in in_full.causes] == [
        "Organization.FullCreditGiven",
        "Subscription.SubscriptionCancelled",
    ]


def test_a_removal_in_a_later_cycle_is_credited_on_its_line(bills: Bills) -> None:
    subscription = bills.buys(100, bills.sells(1_400, term="P1Y"))
    bills.at(2026, 2, 25).resizes(subscription, 105)
    bills.at(2026, 2, 28).runs()
    bills.at(2026, 3, 2).resizes(subscription, 100)
    assert explained(bills, 1).lines[0].arithmetic.text == "5 x 1400 x 3 / 28 = 750"

    cycle = explained(bills, 2)

    assert (cycle.lines[0].kind, cycle.lines[0].arithmetic.text) == ("cycle", "105 x 1400 = 147000")
    assert [cause.event for cause in cycle.lines[0].causes] == ["LicensePool.LicensesCharged"]
    [credit] = cycle.credit_notes[0].lines
    assert credit.amount_minor == 6_548
    assert "105 x 1400 x 29 / 31 = 137516 4/31, half up 137516" in credit.arithmetic.text


def test_an_unpaid_renewal_that_is_cancelled_leaves_the_days_that_were_used(bills: Bills) -> None:
    subscription = bills.buys(102, bills.sells(1_400))
    bills.changes_card("tok_declined:next")
    bills.at(2026, 2, 28).runs()
    bills.at(2026, 3, 5).cancels(subscription)

    found = explained(bills, 1)

    assert found.credit_notes[0].total_minor == 119_768
    assert [(term.what, term.amount_minor) for term in found.sums] == [("total", 142_800), ("credit notes", -119_768)]
    assert found.due_minor == 23_032
    assert next(step.code for step in found.movements if step.what == "charge failed") == "card_declined"


def test_tax_is_rounded_once_for_a_document_and_credited_by_what_is_left(ledger: Ledger, clock: Clock) -> None:
    bills = Bills(ledger, clock, country="AE", currency="AED").at(2026, 2, 1)
    subscription = bills.buys(3, bills.sells(10))
    for total in (2, 1):
        bills.at(2026, 2, 1, 10).resizes(subscription, total)
    bills.cancels(subscription)

    found = explained(bills)

    assert (found.tax.arithmetic.text, found.total_minor) == ("5 % of 30 = 1 1/2, half up 2", 32)
    assert [note.tax.amount_minor for note in found.credit_notes] == [1, 0, 1]
    assert found.credit_notes[0].tax.arithmetic.text == ("5 % of 30 = 1 1/2, half up 2; 5 % of 20 = 1; 2 - 1 = 1")


def test_a_refund_that_failed_went_to_the_credit_balance_and_the_next_invoice_used_it(bills: Bills) -> None:
    bills.changes_card("tok_refund_fails:next")
    offer = bills.sells(1_400)
    bills.cancels(bills.buys(1, offer))
    bills.at(2026, 2, 3).runs()
    bills.buys(2, offer)

    first, second = explained(bills), explained(bills, 1)

    assert [step.what for step in first.movements][-4:] == [
        "credit note",
        "refund requested",
        "refund failed",
        "moved to the credit balance",
    ]
    assert ("credit balance used", -1_400) in [(term.what, term.amount_minor) for term in second.sums]


def test_a_dispute_is_told_until_it_is_decided(bills: Bills) -> None:
    bills.buys(1, bills.sells(1_400))
    dispute_id = bills.gateway.dispute(bills.payment_ids[0])
    bills.runs()
    assert explained(bills).due_minor == 1_400
    bills.gateway.close_dispute(dispute_id, "won")
    bills.runs()
    assert [step.what for step in explained(bills).movements][-2:] == ["disputed", "dispute won"]
    assert explained(bills).due_minor == 0


def test_the_price_of_a_renewal_is_a_later_version(bills: Bills) -> None:
    offer = bills.sells(1_400)
    bills.buys(2, offer)
    bills.reprices(offer, 1_500, "2026-02-20")
    bills.at(2026, 2, 28).runs()

    [line] = explained(bills, 1).lines

    assert (line.unit_price_minor, line.price_version, str(line.price_effective_on)) == (1_500, 2, "2026-02-20")


def test_an_admin_has_any_invoice_of_the_organization_explained(bills: Bills) -> None:
    bills.buys(1, bills.sells(1_400))
    query = ExplainInvoice(
        organization_id=bills.organization_id,
        actor=Actor(id=bills.chris, role="admin"),
        invoice_id=bills.invoices[0].id,
    )
    assert explain_invoice(bills.ledger, query).events[-1].originator_id == bills.payment_ids[0]


def test_who_has_no_role_on_the_profile_finds_no_invoice(bills: Bills) -> None:
    bills.buys(1, bills.sells(1_400))
    stranger = Actor(id=bills.imports(THE_OTHER_FOUR[0]), role="purchaser")
    query = ExplainInvoice(organization_id=bills.organization_id, actor=stranger, invoice_id=bills.invoices[0].id)
    with pytest.raises(NotFound):
        explain_invoice(bills.ledger, query)
    with pytest.raises(NotFound):
        explain_invoice(bills.ledger, query.model_copy(update={"actor": bills.buyer, "invoice_id": uuid4()}))
    with pytest.raises(NotFound):  # what is no invoice is none
        explain_invoice(bills.ledger, query.model_copy(update={"actor": bills.buyer, "invoice_id": bills.profile_id}))
