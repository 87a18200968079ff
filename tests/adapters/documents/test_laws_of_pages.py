"""Laws: every amount of any invoice shows, and the same content gives the same bytes."""

import hashlib
import os
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import date

from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.documents.typesetter import TypstTypesetter
from adapters.documents.words import figure
from services.ports_documents import ShownCreditNote, ShownInvoice, ShownLine, ShownPayment
from tests.adapters.documents.shown import CONTOSO, shown_invoice, text_of
from tests.tidy.source import ROOT

AMOUNTS = st.integers(-(10**13), 10**13)
WORDS = st.text("ab XYZ#$*_<>\\\"'가나다라", max_size=40)
DAYS = st.dates(date(2020, 1, 1), date(2040, 12, 31))
LINES = st.builds(
    ShownLine,
    number=st.integers(1, 999),
    what=WORDS,
    service_from=DAYS,
    service_until=DAYS,
    days=st.integers(0, 366),
    cycle_days=st.integers(1, 366),
    quantity=st.integers(-10_000, 10_000),
    unit_price_minor=AMOUNTS,
    amount_minor=AMOUNTS,
)
CREDIT_NOTES = st.builds(
    ShownCreditNote,
    number=WORDS,
    issued_on=DAYS,
    reason=WORDS,
    lines=st.lists(LINES, max_size=3).map(tuple),
    net_minor=AMOUNTS,
    tax_minor=AMOUNTS,
    total_minor=AMOUNTS,
)
INVOICES = st.fixed_dictionaries(
    {
        "state": st.sampled_from(["open", "paid", "past_due", "uncollectible"]),
        "issued_on": DAYS,
        "due_on": DAYS,
        "bill_to": st.lists(WORDS, max_size=4).map(tuple),
        "currency_exponent": st.sampled_from([0, 2, 3, 4]),
        "lines": st.lists(LINES, max_size=12).map(tuple),
        "net_minor": AMOUNTS,
        "tax_minor": AMOUNTS,
        "tax_rate_ppm": st.integers(0, 999_999),
        "total_minor": AMOUNTS,
        "credit_notes": st.lists(CREDIT_NOTES, max_size=2).map(tuple),
        "payments": st.lists(st.builds(ShownPayment, on=DAYS, what=WORDS, amount_minor=AMOUNTS), max_size=3).map(tuple),
        "paid_minor": AMOUNTS,
        "credited_minor": st.integers(0, 10**13),
        "due_minor": AMOUNTS,
    }
).map(lambda drawn: ShownInvoice(**(CONTOSO | drawn)))


def amounts_of(shown: ShownInvoice) -> Counter[str]:
    """The figures that must stand on the pages, as often as they must."""
    minor = [shown.net_minor, shown.tax_minor, shown.total_minor, abs(shown.due_minor)]
    minor += [paid.amount_minor for paid in shown.payments]
    for each in (*shown.lines, *(each for note in shown.credit_notes for each in note.lines)):
        minor += [each.unit_price_minor, each.amount_minor]
    for note in shown.credit_notes:
        minor += [note.net_minor, note.tax_minor, note.total_minor]
    if shown.payments or shown.paid_minor:
        minor.append(-shown.paid_minor)
    if shown.credited_minor:
        minor.append(-shown.credited_minor)
    return Counter(figure(amount, shown.currency_exponent) for amount in minor)


@settings(max_examples=40, deadline=None)
@given(shown=INVOICES)
def test_every_amount_shows(typesetter: TypstTypesetter, shown: ShownInvoice) -> None:
    read = Counter(text_of(typesetter.invoice(shown)).split())
    assert not amounts_of(shown) - read


SETS_A_PAGE = """
import hashlib, sys
from adapters.documents.typesetter import TypstTypesetter
from services.ports_documents import ShownInvoice
shown = ShownInvoice.model_validate_json(sys.stdin.read())
print(hashlib.sha256(TypstTypesetter().invoice(shown)).hexdigest())
"""


def test_another_process_in_another_place_makes_the_same_bytes(typesetter: TypstTypesetter) -> None:
    shown = shown_invoice(bill_to=("주식회사 콘토소", "עברית", "ไทย"))
    expected = hashlib.sha256(typesetter.invoice(shown)).hexdigest()
    for zone, seed in (("Asia/Seoul", "1"), ("America/Los_Angeles", "2")):
        done = subprocess.run(
            [sys.executable, "-c", SETS_A_PAGE],
            cwd=ROOT,
            env=os.environ | {"TZ": zone, "PYTHONHASHSEED": seed, "LC_ALL": "C", "SOURCE_DATE_EPOCH": seed},
            input=shown.model_dump_json(),
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=True,
        )
        assert done.stdout.strip() == expected


def test_other_content_between_changes_nothing(typesetter: TypstTypesetter) -> None:
    first = typesetter.invoice(shown_invoice())
    other = typesetter.invoice(shown_invoice(number="INV-2026-000124"))
    assert typesetter.invoice(shown_invoice()) == first != other


def test_threads_share_a_typesetter(typesetter: TypstTypesetter) -> None:
    invoices = [shown_invoice(number=f"INV-{number}") for number in range(24)]
    expected = [typesetter.invoice(shown) for shown in invoices]
    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(typesetter.invoice, invoices)) == expected
