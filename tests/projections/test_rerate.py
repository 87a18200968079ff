"""Re-rating: the same rule changes nothing, another price changes exactly what it says; and nothing is recorded."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given, settings

from domain.proration import RULES
from projections.audit.rerate import Rerating, rerate
from projections.audit.rerating_rules import ROUNDINGS, rule_named
from services.ledger import offer_id_of
from services.resize_licenses import ResizeLicenses
from tests.projections.billed_story import STEPS, BilledStory, Step
from tests.projections.histories import MAPPER
from tests.projections.test_laws import told
from tests.services.contoso import MONTHLY, Contoso

LAWS = settings(max_examples=12, deadline=None)


@LAWS
@given(STEPS)
def test_by_the_same_rule_nothing_differs(steps: list[Step]) -> None:
    history = told(steps).history
    for rule in (None, rule_named("daily-half-up.v1"), rule_named("days of the cycle, half up")):
        found = rerate(history, MAPPER, rule=rule)
        assert all(one.charged == one.would_be and not one.difference_minor for one in found.documents)
        assert all(line.charged_minor == line.would_be_minor for one in found.documents for line in one.lines)
        assert [(one.differing, one.difference_minor) for one in found.totals] == [(0, 0)]
    topics = ("InvoiceIssued", "CreditNoteIssued")
    assert len(found.documents) == sum(event.topic.rpartition(".")[2] in topics for event in history)
    for one in found.documents:
        assert one.charged.net_minor == sum(line.charged_minor for line in one.lines)
    total = sum(one.charged.total_minor * (1 if one.kind == "invoice" else -1) for one in found.documents)
    assert [one.charged_minor for one in found.totals] == [total]


@LAWS
@given(STEPS)
def test_twice_the_price_is_twice_the_net_of_every_whole_cycle(steps: list[Step]) -> None:
    found = rerate(told(steps).history, MAPPER, prices={MONTHLY.product_id: 2_800})
    for one in found.documents:
        for line in one.lines:
            if one.kind == "invoice" and line.days == line.cycle_days:
                assert line.would_be_minor == 2_800 * line.quantity


@pytest.fixture
def worked() -> Contoso:
    """100 licenses on 31 January at 14.00, 5 more on 10 February for 18 of 28 days, 3 given back on 12 February."""
    story = BilledStory()
    contoso = story.contoso
    bought = contoso.buys(licenses=100)
    for day, total in ((10, 105), (12, 102)):
        story.clock.now = datetime(2025, 2, day, 9, 30, tzinfo=UTC)
        contoso.run(contoso.command(ResizeLicenses, contoso.buyer, subscription_id=bought, total=total))
    return contoso


def last_three(found: Rerating) -> list[tuple[str, int, int]]:
    return [(one.kind, one.charged.total_minor, one.would_be.total_minor) for one in found.documents[-3:]]


@pytest.mark.parametrize(
    ("rounding", "increase", "credit"),
    [
        # 1399 x 5 x 18 / 28 = 4496 11/14; 1399 x 5 x 16 / 28 = 3997 1/7 less 1399 x 2 x 16 / 28 = 1598 6/7
        ("half up", 4_497, 3_997 - 1_599),
        ("half even", 4_497, 3_997 - 1_599),
        ("down", 4_496, 3_997 - 1_598),
        ("up", 4_497, 3_998 - 1_599),
    ],
)
def test_a_corrected_price_gives_the_cents_of_the_worked_example(
    worked: Contoso, rounding: str, increase: int, credit: int
) -> None:
    before = len(worked.history())
    for prices in ({str(offer_id_of(MONTHLY)): 1_399, MONTHLY.product_id: 7}, {MONTHLY.product_id: 1_399}):
        found = rerate(worked.history(), MAPPER, rule=rule_named(f"days of the cycle, {rounding}"), prices=prices)
        assert last_three(found) == [
            ("invoice", 140_000, 139_900),
            ("invoice", 4_500, increase),
            ("credit note", 2_400, credit),
        ]
    note = found.documents[-1].lines[0]
    assert (note.quantity, note.days, note.unit_price_minor, note.would_be_unit_price_minor) == (3, 16, 1_400, 1_399)
    assert len(worked.history()) == before


def test_a_month_of_thirty_days(worked: Contoso) -> None:
    found = rerate(worked.history(), MAPPER, rule=rule_named("months of 30 days, half up"))
    # 1400 x 5 x 18 / 30; then 16 days: 1400 x 5 x 16 / 30 = 3733 1/3 less 1400 x 2 x 16 / 30 = 1493 1/3
    assert last_three(found) == [
        ("invoice", 140_000, 140_000),
        ("invoice", 4_500, 4_200),
        ("credit note", 2_400, 3_733 - 1_493),
    ]


def test_of_some_invoices_with_their_credit_notes(worked: Contoso) -> None:
    found = rerate(worked.history(), MAPPER, since=date(2025, 2, 1), until=date(2025, 2, 10))
    assert [(one.kind, one.charged.total_minor) for one in found.documents] == [
        ("invoice", 4_500),
        ("credit note", 2_400),
    ]
    assert rerate(worked.history(), MAPPER, since=date(2025, 3, 1)).totals == ()


def test_a_rule_is_named_or_said_in_words() -> None:
    assert rule_named("daily-half-up.v1").amount(unit_price_minor=7, quantity=1, days=1, cycle_days=2) == 4
    halves = {name: rule_named(f"days of the cycle,{name}") for name in ROUNDINGS}
    amounts = {name: rule.amount(unit_price_minor=5, quantity=1, days=1, cycle_days=2) for name, rule in halves.items()}
    assert amounts == {"half up": 3, "half even": 2, "down": 2, "up": 3}
    for words in ("", "daily", "days of the cycle", "days of the cycle, sideways", "half up, days of the cycle"):
        with pytest.raises(ValueError, match=next(iter(RULES))):
            rule_named(words)
