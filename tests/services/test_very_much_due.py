"""Very much that is due on one day: an event has a size, and so has a save."""

from datetime import date
from uuid import uuid4

import pytest

from domain import license_pool
from domain.kernel import PydanticJSON, PydanticMapper
from domain.license_pool import LicensePool
from services import due_steps
from services.due_steps import LINES
from services.ledger import EVENT_BYTES
from services.quote import QuoteRenewal, quote
from services.schedule_licenses import ScheduleLicenses
from services.set_recurring_billing import SetRecurringBilling
from tests.examples import a_line, issuing
from tests.services.contoso import Contoso

RENEWAL = date(2025, 2, 28)
LONGEST_NAME = "\U0001d538" * 256  # a letter of four bytes, more than any other has


def test_an_invoice_has_room_for_its_lines_however_long_the_names_of_products_are() -> None:
    line = a_line(300, kind="renewal").model_copy(
        update={"product_name": LONGEST_NAME, "product_id": LONGEST_NAME, "amount_minor": 10**12}
    )
    lines = [line.model_copy(update={"number": number, "subscription_id": uuid4()}) for number in range(1, LINES + 1)]
    told = issuing(*lines)().pending_events[0]
    assert len(PydanticMapper(PydanticJSON()).to_stored_event(told).state) < EVENT_BYTES


def test_renewals_of_one_day_that_one_invoice_has_no_room_for_are_billed_with_the_next(
    contoso: Contoso, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(due_steps, "LINES", 2)
    bought = sorted(contoso.buys(licenses=licenses) for licenses in (1, 2, 3))
    before = len(contoso.invoices())
    contoso.advances(RENEWAL)
    issued = contoso.invoices()[before:]
    assert [[line.subscription_id for line in invoice.lines] for invoice in issued] == [bought[:2], bought[2:]]
    assert [invoice.status for invoice in issued] == ["paid", "paid"]
    assert sum(invoice.total_minor for invoice in issued) == 6 * 1_400
    assert {contoso.subscription(one).term_number for one in bought} == {1}
    contoso.advances(RENEWAL)
    assert len(contoso.invoices()) == before + 2


def test_a_quote_of_a_renewal_is_of_the_invoice_that_it_will_be_on(
    contoso: Contoso, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(due_steps, "LINES", 2)
    bought = sorted(contoso.buys(licenses=licenses) for licenses in (1, 2, 3))
    asked = [contoso.command(QuoteRenewal, contoso.buyer, subscription_id=one) for one in bought]
    lines = [[line.subscription_id for line in quote(contoso.ledger, contoso.till, one).lines] for one in asked]
    assert lines == [bought[:2], bought[:2], bought[2:]]


def test_endings_of_one_day_that_one_save_has_no_room_for_are_taken_with_the_next(
    contoso: Contoso, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(due_steps, "EVENTS", 2)
    bought = [contoso.buys(licenses=1) for _ in range(3)]
    for one in bought:
        contoso.run(contoso.command(SetRecurringBilling, contoso.buyer, subscription_id=one, on=False))
    before = len(contoso.history())
    contoso.advances(RENEWAL)
    told = contoso.history()[before:]
    assert [event.envelope.count for event in told] == [2, 2, 1]
    assert {contoso.subscription(one).life for one in bought} == {"expired"}


def test_more_assignments_than_one_save_has_room_for_end_in_several(
    contoso: Contoso, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(due_steps, "EVENTS", 1)
    monkeypatch.setattr(license_pool, "EXCESS_AT_ONCE", 2)
    bought = contoso.buys(licenses=4)
    contoso.assigns(bought, contoso.ben, contoso.chris, contoso.cynthia, contoso.david)
    contoso.run(contoso.command(ScheduleLicenses, contoso.buyer, subscription_id=bought, total=1))
    contoso.advances(RENEWAL)
    assert len(contoso.holders(bought)) == 4
    before = len(contoso.history())
    contoso.advances(date(2025, 3, 31))
    ended = [event for event in contoso.history()[before:] if event.topic == LicensePool.LicenseUnassigned.TOPIC]
    assert [event.envelope.count for event in ended] == [2, 2, 1]
    assert contoso.holders(bought) == [contoso.ben]
