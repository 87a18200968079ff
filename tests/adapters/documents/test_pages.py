"""What can be read back from a page is what the invoice says."""

from datetime import date
from itertools import pairwise

import pytest

from adapters.documents.typesetter import TypstTypesetter
from tests.adapters.documents.shown import CREDIT_NOTE, reader, shown_invoice, shown_line, text_of


def test_everything_on_an_invoice_can_be_read(typesetter: TypstTypesetter) -> None:
    text = text_of(typesetter.invoice(shown_invoice()))
    for words in (
        "Invoice PAID",
        "seatledger Beispielstraße 12 10115 Berlin",
        "Bill to Contoso GmbH Königstraße 1 Germany",
        "Invoice number INV-2026-000123",
        "Issued 24 Nov 2026",
        "Due 24 Dec 2026",
        "PO number PO-0042",
        "Your tax ID DE123456789",
        "1 Power BI Pro, renewal 24 Nov 2026 – 23 Dec 2026 12 of 30 100 14.00 1,400.00",  # noqa: RUF001
        "Net 1,400.00 VAT 19 % 266.00 Total USD 1,666.00",
        "25 Nov 2026 Visa ending in 4242 1,666.00",
        "2 Dec 2026 refund to Visa ending in 4242 −83.30",  # noqa: RUF001
        "Total 1,666.00 Credited −83.30 Paid −1,582.70 Amount due USD 0.00",  # noqa: RUF001
        "1 / 1",
    ):
        assert words in text


def test_a_credit_note_has_number_day_reason_lines_and_totals(typesetter: TypstTypesetter) -> None:
    text = text_of(typesetter.invoice(shown_invoice()))
    for words in (
        "Credit note CN-2026-000007 Issued 1 Dec 2026 for invoice INV-2026-000123",
        "Reason 5 licenses returned within seven days",
        "Power BI Pro, decrease by 5 24 Nov 2026 – 23 Dec 2026 12 of 30 100 14.00 −70.00",  # noqa: RUF001
        "Net −70.00 VAT 19 % −13.30 Total USD −83.30",  # noqa: RUF001
    ):
        assert words in text


@pytest.mark.parametrize(
    ("state", "due_minor", "words"),
    [
        ("open", 166_600, "Invoice OPEN"),
        ("open", 166_600, "Amount due due by 24 Dec 2026 USD 1,666.00"),
        ("past_due", 166_600, "Invoice PAST DUE"),
        ("past_due", 166_600, "Amount due was due on 24 Dec 2026 USD 1,666.00"),
        ("paid", 0, "Amount due USD 0.00"),
        ("uncollectible", 166_600, "Invoice UNCOLLECTIBLE"),
        ("paid", -500, "Balance in your favor USD 5.00"),
    ],
)
def test_the_state_and_what_is_due_stand_at_the_top(
    typesetter: TypstTypesetter, state: str, due_minor: int, words: str
) -> None:
    text = text_of(typesetter.invoice(shown_invoice(state=state, due_minor=due_minor)))
    assert words in text.split("Description and service period")[0].replace("seatledger", "")


@pytest.mark.parametrize(
    ("currency", "exponent", "words"),
    [
        ("JPY", 0, "Net 140,000 VAT 19 % 26,600 Total JPY 166,600"),
        ("KWD", 3, "Net 140.000 VAT 19 % 26.600 Total KWD 166.600"),
    ],
)
def test_figures_have_the_decimals_of_the_currency(
    typesetter: TypstTypesetter, currency: str, exponent: int, words: str
) -> None:
    assert words in text_of(typesetter.invoice(shown_invoice(currency=currency, currency_exponent=exponent)))


def test_where_no_tax_is_charged_the_line_says_so(typesetter: TypstTypesetter) -> None:
    text = text_of(typesetter.invoice(shown_invoice(tax_name="", tax_rate_ppm=0, tax_minor=0, credit_notes=())))
    assert "Net 1,400.00 Tax 0.00 Total USD" in text


def test_what_is_not_there_leaves_no_empty_label(typesetter: TypstTypesetter) -> None:
    bare = shown_invoice(
        po_number=None, buyer_tax_id=None, seller=(), bill_to=(), credit_notes=(), payments=(), paid_minor=0,
        credited_minor=0, due_minor=166_600, state="open",
    )  # fmt: skip
    text = text_of(typesetter.invoice(bare))
    for words in ("PO number", "tax ID", "Credit note", "Payments", "Paid"):
        assert words not in text


def test_five_hundred_lines_break_over_pages_with_the_head_repeated(typesetter: TypstTypesetter) -> None:
    lines = tuple(shown_line(number=number, what=f"Product {number}") for number in range(1, 501))
    pages = reader(typesetter.invoice(shown_invoice(lines=lines, credit_notes=()))).pages
    texts = [page.extract_text() for page in pages]
    assert len(pages) > 15
    for number, text in enumerate(texts, start=1):
        assert f"{number} / {len(pages)}" in text
        if "Product" in text:
            assert "Unit price" in text
    assert all("Invoice INV-2026-000123, continued" in text for text in texts[1:])
    whole = " ".join(texts)
    places = [whole.index(f"Product {number}\n") for number in range(1, 501)]
    assert all(before < after for before, after in pairwise(places))


def test_long_names_wrap_and_lose_nothing(typesetter: TypstTypesetter) -> None:
    long_name, long_word = " ".join(["Copilot"] * 700), "W" * 5_000
    note = CREDIT_NOTE.model_copy(update={"reason": long_word})
    lines = (shown_line(what=long_name), shown_line(number=2, what=long_word))
    pdf = typesetter.invoice(shown_invoice(lines=lines, credit_notes=(note,), po_number="x" * 200))
    text = text_of(pdf)
    assert (text.count("Copilot"), text.count("W"), text.count("x")) >= (700, 10_000, 200)
    assert "\u200b" not in text
    # A line of W at this size is full after 60: what is longer runs over the figures or off the page.
    assert max(len(row) for page in reader(pdf).pages for row in page.extract_text().splitlines() if "WW" in row) <= 60


def test_the_pdf_is_dated_by_the_invoice_not_by_the_clock(typesetter: TypstTypesetter) -> None:
    about = reader(typesetter.invoice(shown_invoice(issued_on=date(2020, 2, 29)))).metadata
    assert about is not None
    assert about.title == "Invoice INV-2026-000123"
    assert about.creation_date is not None
    assert about.creation_date.date() == date(2020, 2, 29)
