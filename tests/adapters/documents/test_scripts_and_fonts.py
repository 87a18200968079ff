"""Names are shown in the scripts they are written in, with fonts that came with the project."""

import re
from collections.abc import Iterator

import pytest
import typst

from adapters.documents.fonts import families, folders
from adapters.documents.typesetter import TypstTypesetter
from tests.adapters.documents.shown import reader, shown_invoice, shown_line, text_of

KOREAN = shown_invoice(
    bill_to=("주식회사 콘토소", "서울특별시 강남구 테헤란로 152"),
    bill_to_country="KR",
    po_number="발주-2026-0042",
    lines=(shown_line(what="파워 BI 프로, 갱신"),),
)


def font_descriptors(pdf: bytes) -> Iterator[tuple[str, bool]]:
    """Each font of the pages: its name, and whether it is embedded."""
    for page in reader(pdf).pages:
        for reference in page["/Resources"]["/Font"].values():  # type: ignore[index]
            font = reference.get_object()
            descriptor = font["/DescendantFonts"][0].get_object()["/FontDescriptor"]
            yield font["/BaseFont"], bool({"/FontFile2", "/FontFile3"} & set(descriptor))


def test_korean_can_be_read_back(typesetter: TypstTypesetter) -> None:
    text = text_of(typesetter.invoice(KOREAN))
    assert "Bill to 주식회사 콘토소 서울특별시 강남구 테헤란로 152" in text
    assert "PO number 발주-2026-0042" in text
    assert "1 파워 BI 프로, 갱신 24 Nov 2026" in text


def test_korean_that_came_apart_is_put_together(typesetter: TypstTypesetter) -> None:
    apart = "\u1112\u1161\u11ab\u1100\u1173\u11af"  # as macOS writes file names
    assert "한글" in text_of(typesetter.invoice(shown_invoice(po_number=apart)))


@pytest.mark.parametrize(
    "words", ["Łódź Ελλάδα Київ", "東京都千代田区", "上海简体龙", "臺灣", "ไทย", "₩1 €5 £9 ₹7 ¥3"], ids=str
)
def test_a_glyph_is_there_for(typesetter: TypstTypesetter, words: str) -> None:
    # What no font has is read back as nothing.
    assert words in text_of(typesetter.invoice(shown_invoice(po_number=words)))


@pytest.mark.parametrize(("country", "family"), [("KR", "KR"), ("JP", "JP"), ("CN", "SC"), ("TW", "TC"), ("DE", "KR")])
def test_han_characters_have_the_shape_of_the_country(typesetter: TypstTypesetter, country: str, family: str) -> None:
    assert families(country)[1] == f"Noto Sans CJK {family}"
    pdf = typesetter.invoice(shown_invoice(bill_to=("骨直",), bill_to_country=country))
    assert any(f"NotoSansCJK{family.lower()}-Regular" in name for name, _ in font_descriptors(pdf))


def test_every_font_is_embedded_and_ours(typesetter: TypstTypesetter) -> None:
    fonts = list(font_descriptors(typesetter.invoice(KOREAN)))
    assert fonts
    for name, embedded in fonts:
        assert embedded, name
        assert re.fullmatch(r"/[A-Z]{6}\+NotoSans(CJKkr)?-(Regular|Bold)(-Identity-H)?", name)


def test_every_family_is_in_a_package_of_the_lock() -> None:
    ours = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=folders()).families()
    for country in ("KR", "JP", "CN", "TW", "HK", "US"):
        assert set(families(country)) <= set(ours)
