"""Nothing that people type changes the page: it is shown, letter by letter."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.documents.typesetter import TypstTypesetter
from adapters.documents.words import breakable, line
from tests.adapters.documents.shown import CREDIT_NOTE, PAYMENT, reader, shown_invoice, shown_line, text_of

MARKUP = [
    '#eval("x")', '#read("/etc/passwd")', "#pagebreak()", "= Heading", "*bold* _slanted_", "$x^2$", "<b>bold</b>",
    "</script><script>alert(1)</script>", "`raw`", "@label <label>", "\\n \\u{41} \\\\", "{{ 7*7 }} ${7*7} %s {0}",
    '"); panic("', "]#[", "/* comment", "// comment", "--- ... ~ 'quoted' \"quoted\"", "https://example.com/?a=1&b=2",
]  # fmt: skip


@pytest.mark.parametrize("words", MARKUP)
def test_markup_is_shown_as_it_is(typesetter: TypstTypesetter, words: str) -> None:
    shown = shown_invoice(
        number=words,
        bill_to=(words,),
        po_number=words,
        tax_name=words,
        lines=(shown_line(what=words),),
        credit_notes=(CREDIT_NOTE.model_copy(update={"number": words, "reason": words}),),
        payments=(PAYMENT.model_copy(update={"what": words}),),
    )
    text = text_of(typesetter.invoice(shown)).replace(" ", "")
    assert text.count(words.replace(" ", "")) >= 8


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("two\nlines\tand\r\nmore", "two lines and more"),
        ("paragraph\u2029break", "paragraph break"),
        ("nul\0 bell\a", "nul bell"),
        ("USD \u202e00.1\u202c", "USD 00.1"),  # would be read as 1.00
        ("\u2066isolated\u2069", "isolated"),
        ("zero\u200bwidth", "zerowidth"),
        ("half \ud83d surrogate", "half surrogate"),
        ("\U000e0041tag", "tag"),
        ("Z" + "\u0353" * 50, "Z" + "\u0353" * 3),
        ("क्\u200dष", "क्\u200dष"),  # spelled with a joiner
        ("  wide \u3000 space ", "wide space"),
    ],
)
def test_what_turns_hides_or_piles_up_is_left_out(typed: str, shown: str) -> None:
    assert line(typed) == shown


def test_long_words_may_break_and_short_ones_stay_whole() -> None:
    assert breakable("x" * 24) == "x" * 24
    assert breakable("x" * 25) == "\u200b".join(["x" * 12, "x" * 12, "x"])
    assert breakable(("e\u0323" + "\u0302") * 20).replace("\u200b", "") == line("e\u0323\u0302" * 20)
    flag = "\U0001f468\u200d\U0001f469\u200d\U0001f467" * 10
    assert "\u200d\u200b" not in breakable(flag)
    assert "\u200b\u200d" not in breakable(flag)


@settings(max_examples=40, deadline=None)
@given(words=st.text(st.characters(codec=None), max_size=80))
def test_any_text_makes_pages_that_can_be_read(typesetter: TypstTypesetter, words: str) -> None:
    shown = shown_invoice(bill_to=(words, "below"), po_number=words, lines=(shown_line(what=words),))
    pages = reader(typesetter.invoice(shown)).pages
    text = " ".join(page.extract_text() for page in pages)
    assert "below" in text
    assert "Total USD" in text
