"""History as CSV: what the read models say, from events alone; nothing in it is computed by a spreadsheet."""

import csv
import io
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given, settings

from adapters.documents.audit_csv import TABLES, OrganizationTables, header_of, line_of
from domain.envelope import RecordedEvent
from projections.assignments import ASSIGNMENTS, PAST_ASSIGNMENTS, Assignments
from projections.invoice_history import CREDIT_NOTES, INVOICES, InvoiceHistory
from projections.payments import MOVEMENTS, PAYMENTS, Payments
from projections.projection import Projection, Table
from tests.examples import BEN, CHRIS, THE_SAME_DAY, WITHIN_THE_WEEK, a_pool_of, candidates
from tests.projections.billed_story import STEPS, BilledStory, Step
from tests.projections.histories import MAPPER, History, ReadModel

SHOWN: list[tuple[type[Projection], Table[Any]]] = [
    (InvoiceHistory, INVOICES),
    (InvoiceHistory, CREDIT_NOTES),
    (Payments, PAYMENTS),
    (Payments, MOVEMENTS),
]


def read(events: Iterable[RecordedEvent]) -> dict[str, list[dict[str, str]]]:
    """The tables of an organization, as a spreadsheet reads them."""
    tables, texts = OrganizationTables(MAPPER), defaultdict[str, str](str)
    for event in events:
        texts["events"] += tables.line(event)
    for name, line in tables.lines():
        texts[name] += line
    return {name: list(csv.DictReader(io.StringIO(header_of(name) + texts[name], newline=""))) for name in TABLES}


@settings(max_examples=8, deadline=None)
@given(STEPS)
def test_the_tables_say_what_the_read_models_say(steps: list[Step]) -> None:
    story = BilledStory()
    for step in steps:
        story.goes_on(step)
    history = story.history
    found = read(history)
    for projection, table in SHOWN:
        model = ReadModel(projection()).fold(history)
        told = list(
            csv.DictReader(io.StringIO(header_of(table.name) + "".join(map(line_of, model[table])), newline=""))
        )
        assert found[table.name] == told
    held = ReadModel(Assignments()).fold(history)
    assert len(found["assignments"]) == len(held[ASSIGNMENTS]) + len(held[PAST_ASSIGNMENTS])
    assert [row["chain_hash"] for row in found["events"]] == [event.chain_hash.hex() for event in history]
    assert [row["payload"] for row in found["events"]] == [event.state.decode() for event in history]


def test_when_and_why_a_license_was_held_no_more() -> None:
    history, pool = History(), a_pool_of(3)()
    pool.assign(candidates(CHRIS, BEN))
    pool.unassign([BEN], reason="member_removed")
    history.tell(pool, at=THE_SAME_DAY)
    pool.close("cancelled")
    history.tell(pool, at=WITHIN_THE_WEEK)
    held = [(row["member_id"], row["ended_at"][:10], row["end_reason"]) for row in read(history.events)["assignments"]]
    assert held == [
        (str(CHRIS), f"{WITHIN_THE_WEEK:%Y-%m-%d}", "cancelled"),
        (str(BEN), f"{THE_SAME_DAY:%Y-%m-%d}", "member_removed"),
    ]


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(1)", "\t=1", "\r=1"])
def test_what_a_spreadsheet_would_compute_is_text(cell: str) -> None:
    assert next(csv.reader(io.StringIO(line_of([cell]), newline=""))) == [f"'{cell}"]


def test_numbers_stay_numbers_and_nothing_stays_empty() -> None:
    assert line_of([-5, None, THE_SAME_DAY]) == f"-5,,{THE_SAME_DAY.isoformat().replace('+00:00', 'Z')}\r\n"
