"""Every amount of a history follows from the rest of it, to the cent; and one that was changed is found."""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from pydantic_core import from_json, to_json

from adapters.payments.limits import limits_of
from adapters.payments.sandbox_faults import Faults
from domain.envelope import RecordedEvent
from domain.invoice import Invoice
from domain.kernel import Aggregate, PydanticJSON, PydanticMapper
from domain.payment import Payment
from domain.refusals import PaymentActionRequired, PaymentDeclined
from projections.audit.amounts import GIVEN, PREFIX, read, without_amounts
from projections.audit.amounts_of_events import FOLLOWS, REQUESTS
from projections.audit.derive import differences
from services.ledger import Ledger
from tests.services.a_year_of_bills import AYear
from tests.services.contoso import Clock
from tests.services.world_of_bills import Bills

MAPPER = PydanticMapper(PydanticJSON())


def assert_derived(history: list[RecordedEvent]) -> None:
    assert list(differences(history, limits_of)) == []


def amounts_in(history: list[RecordedEvent]) -> Iterator[tuple[int, str, str]]:
    """The place of an event, its kind and the path of an amount: one of each sort."""
    known = set()
    for place, event in enumerate(history):
        for path in read(event, MAPPER).amounts:
            sort = event.topic, re.sub(r"\d+", "", path)
            if sort not in known:
                known.add(sort)
                yield place, event.topic.removeprefix(PREFIX), path


def changed(event: RecordedEvent, path: str) -> RecordedEvent:
    """The event with one amount that is one minor unit more."""
    state = from_json(event.state)
    *steps, last = re.findall(r"\w+", path)
    inner: Any = state
    for step in steps:
        inner = inner[int(step) if step.isdecimal() else step]
    inner[last] += 1
    return replace(event, state=to_json(state))


def assert_every_change_is_found(history: list[RecordedEvent]) -> None:
    """Exactly what was changed is named; of what comes from elsewhere, what follows from it."""
    for place, kind, path in amounts_in(history):
        event = history[place]
        altered = [*history[:place], changed(event, path), *history[place + 1 :]]
        found = list(differences(altered, limits_of))
        said = [one for one in found if f" #{event.organization_seq}: {path} is " in one.what]
        assert found, f"{kind} {path} was changed and not found"
        if path not in GIVEN.get(kind, ()):
            assert found == said, f"{kind} {path} was changed, and {found} was found"


@pytest.fixture
def story(ledger: Ledger, clock: Clock) -> Bills:
    """A German organization to which everything happens that moves money."""
    bills = Bills(ledger, clock, country="DE", currency="EUR").at(2026, 1, 31)
    monthly, small = bills.sells(1_399), bills.sells(7)
    kept = bills.buys(10, monthly)
    bills.cancels(bills.buys(2, bills.sells(999, term="P1Y")), "term_end")
    bills.at(2026, 2, 2).resizes(kept, 12)
    bills.at(2026, 2, 3).resizes(kept, 11)  # refunded
    bills.changes_card("tok_refund_fails:1")
    bills.cancels(bills.buys(1, monthly))
    bills.at(2026, 2, 6).runs()  # the refund failed
    bills.changes_card("tok_visa:2")
    bills.buys(2, monthly)  # with the credit balance
    bills.at(2026, 2, 10).buys(3, small)  # waits
    bills.at(2026, 2, 11).buys(1, monthly)  # and goes along
    bills.gateway.script(Faults().lost_answer("capture"))
    bills.at(2026, 2, 12).buys(1, monthly)
    cheap = bills.at(2026, 2, 13).buys(5, bills.sells(50))
    bills.gateway.script(Faults().lost_answer("charge"))
    bills.at(2026, 2, 28).runs()  # renewals, one with no answer at first
    bills.at(2026, 3, 1).runs()
    bills.changes_card("tok_declined:3")
    with pytest.raises(PaymentDeclined):
        bills.buys(1, monthly)
    for day in (6, 10, 11, 12, 15):  # renewals are declined, and what waits goes along
        bills.at(2026, 3, day).runs()
    bills.at(2026, 3, 17).cancels(cheap)  # what is left of it is too small to be charged alone
    bills.at(2026, 3, 18).runs()
    bills.changes_card("tok_visa:4")  # recovered
    bills.changes_card("tok_action_required:5")
    with pytest.raises(PaymentActionRequired):
        bills.resizes(kept, 14)
    bills.at(2026, 3, 20).runs()  # let go of
    first, second, *_ = bills.payment_ids
    lost, won = bills.gateway.dispute(first), bills.gateway.dispute(second, 500)
    bills.runs()
    bills.gateway.close_dispute(lost, "lost")
    bills.gateway.close_dispute(won, "won")
    bills.at(2026, 3, 21).runs()
    bills.changes_card("tok_declined:6")
    for month in (4, 5, 6):
        for day in range(1, 29, 3):
            bills.at(2026, month, day).runs()  # nobody pays until access ends
    return bills


def test_everything_that_happens_to_an_organization_is_derived(story: Bills) -> None:
    history = story.history()
    kinds = {event.topic.removeprefix(PREFIX) for event in history}
    assert kinds >= FOLLOWS.keys()
    assert_derived(history)


def test_an_amount_that_was_changed_is_named_and_no_other(story: Bills) -> None:
    assert_every_change_is_found(story.history())


def test_every_event_with_an_amount_has_a_derivation() -> None:
    for aggregate in (Invoice, Payment):
        for name, kind in vars(aggregate).items():
            if isinstance(kind, type) and issubclass(kind, Aggregate.Event) and "_minor" in str(kind.model_fields):
                assert f"{aggregate.__name__}.{name}" in {*FOLLOWS, *REQUESTS, "Invoice.CollectionStarted"}


@pytest.mark.parametrize(
    ("seed", "money", "unit_price_minor"),
    [
        (0, ("US", "USD", 2), 1_400),
        (1, ("DE", "EUR", 2), 1_399),
        (12, ("JP", "JPY", 0), 1_237),
        (13, ("BH", "BHD", 3), 5_128),  # the provider moves tens
        (14, ("US", "USD", 2), 7),  # less than the provider takes
    ],
)
def test_a_year_of_an_organization_is_derived(
    ledger: Ledger, clock: Clock, seed: int, money: tuple[str, str, int], unit_price_minor: int
) -> None:
    bills = Bills(ledger, clock, *money).at(2026, 1, 31)
    AYear(bills, seed, unit_price_minor).goes_by(30)
    history = bills.history()
    assert_derived(history)
    assert_every_change_is_found(history)


def test_a_declined_purchase_is_derived_from_its_intent(ledger: Ledger, clock: Clock) -> None:
    bills = Bills(ledger, clock, country="DE", currency="EUR", card="tok_declined").at(2026, 1, 31)
    with pytest.raises(PaymentDeclined):
        bills.buys(3, bills.sells(1_399))
    [declined] = bills.told(Payment.PaymentDeclined)
    assert declined.amount_minor == 4_994
    assert not bills.invoices
    assert_derived(bills.history())


def test_what_is_derived_from_has_no_amounts(story: Bills) -> None:
    given = {kind: set(paths) for kind, paths in GIVEN.items()}
    for told in without_amounts(story.history(), MAPPER):
        assert set(amount_paths(told.facts)) <= given.get(told.kind, set())


def amount_paths(facts: Any, path: str = "") -> Iterator[str]:
    match facts:
        case dict():
            for name, value in facts.items():
                here = f"{path}.{name}" if path else name
                yield from [here] if "minor" in name else amount_paths(value, here)
        case list() | tuple():
            for place, value in enumerate(facts):
                yield from amount_paths(value, f"{path}[{place}]")
        case _:
            pass


def test_what_is_owed_and_not_given_back_is_a_difference(ledger: Ledger, clock: Clock) -> None:
    bills = Bills(ledger, clock).at(2026, 1, 31)
    bills.cancels(bills.buys(1, bills.sells(1_400)))
    history = [event for event in bills.history() if "Refund" not in event.topic]
    [found] = differences(history, limits_of)
    assert (found.key, "1400 are owed" in found.what) == (bills.invoices[0].number, True)
