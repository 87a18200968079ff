"""Card numbers are found in whatever text they stand, and other numbers are left alone: `services.card_number`."""

import csv
from datetime import date, datetime
from uuid import UUID

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from adapters.directory.microsoft_365 import CONTOSO
from services.card_number import has_card_number

BRANDS = {
    "Visa": (("4",), (13, 16, 19)),
    "Mastercard": (("51", "55", "2221", "2299", "2300", "2699", "2700", "2720"), (16,)),
    "American Express": (("34", "37"), (15,)),
    "Discover": (("6011", "644", "649", "65"), (16, 19)),
    "Diners Club": (("300", "305", "3095", "36", "38", "39"), (14, 16)),
    "JCB": (("3528", "3589"), (16, 19)),
    "UnionPay": (("62", "8100", "8171"), (16, 17, 18, 19)),
    "Maestro": (("5018", "5020", "5038", "5893", "6304", "6759", "6761", "6763"), (13, 16, 19)),
}
# Published by the issuers and by payment providers for tests.
KNOWN = [
    "4111111111111111", "4242424242424242", "4012888888881881", "4222222222222", "5555555555554444",
    "5105105105105100", "2223003122003222", "378282246310005", "371449635398431", "6011111111111117",
    "6011000990139424", "30569309025904", "38520000023237", "3530111333300000", "3566002020360505",
    "6200000000000005", "6205500000000000004", "6759649826438453", "5018000000000009",
]  # fmt: skip
MARKS = [
    " ",
    "-",
    ".",
    "\N{NO-BREAK SPACE}",
    "\N{NON-BREAKING HYPHEN}",
    "\N{EN DASH}",
    "\N{NARROW NO-BREAK SPACE}",
    " - ",
]
GROUPINGS = [(4,), (4, 6, 9), (1,), (2,), (5,), (8,), (19,), (6, 10, 3)]
BEFORE = ["", " ", "card ", ", ", "\N{FULLWIDTH COLON}", "Nr. 7: ", "12/27, ", "cvc 123 ", "(", "é", "\n", "pan", "x"]
AFTER = ["", " ", ",", ".", " 12/27", "/123", " ok", ")", "\n", "\N{IDEOGRAPHIC FULL STOP}"]


def with_check_digit(digits: str) -> str:
    for last in "0123456789":
        number = digits + last
        total = 0
        for place, digit in enumerate(reversed(number)):
            doubled = int(digit) * (2 if place % 2 else 1)
            total += doubled - 9 if doubled > 9 else doubled
        if total % 10 == 0:
            return number
    raise AssertionError(digits)


@st.composite
def card_numbers(draw: st.DrawFn) -> str:
    starts, lengths = BRANDS[draw(st.sampled_from(sorted(BRANDS)))]
    start, length = draw(st.sampled_from(starts)), draw(st.sampled_from(lengths))
    missing = length - len(start) - 1
    return with_check_digit(start + draw(st.text("0123456789", min_size=missing, max_size=missing)))


def grouped(number: str, sizes: tuple[int, ...], mark: str) -> str:
    groups, at, place = [], 0, 0
    while at < len(number):
        size = sizes[min(place, len(sizes) - 1)]
        groups.append(number[at : at + size])
        at, place = at + size, place + 1
    return mark.join(groups)


def written(number: str, zero: str) -> str:
    return "".join(chr(ord(zero) + int(digit)) for digit in number)


@pytest.mark.parametrize("number", KNOWN)
def test_known_numbers_are_found(number: str) -> None:
    assert has_card_number(number)
    assert has_card_number(f"please charge {number}.")


@given(
    number=card_numbers(),
    sizes=st.sampled_from(GROUPINGS),
    mark=st.sampled_from(MARKS),
    before=st.sampled_from(BEFORE),
    after=st.sampled_from(AFTER),
)
def test_every_brand_is_found_in_every_grouping(
    number: str, sizes: tuple[int, ...], mark: str, before: str, after: str
) -> None:
    assert has_card_number(before + grouped(number, sizes, mark) + after)


@given(
    number=card_numbers(),
    zero=st.sampled_from("\N{FULLWIDTH DIGIT ZERO}\N{ARABIC-INDIC DIGIT ZERO}\N{DEVANAGARI DIGIT ZERO}"),
)
def test_digits_of_every_script_are_digits(number: str, zero: str) -> None:
    assert has_card_number(written(number, zero))
    assert has_card_number(f"karte {grouped(written(number, zero), (4,), ' ')}")


@given(number=card_numbers())
def test_a_number_with_its_expiry_and_code_behind_it_is_found(number: str) -> None:
    assert has_card_number(f"{grouped(number, (4,), ' ')} 12/27 123")
    assert has_card_number(f"{number} 1227 123")


@given(number=card_numbers(), wrong=st.integers(1, 9))
def test_without_the_right_check_digit_it_is_another_number(number: str, wrong: int) -> None:
    assert not has_card_number(f"order {number[:-1]}{(int(number[-1]) + wrong) % 10}")


@given(number=card_numbers(), before=st.text("0123456789", max_size=9), after=st.text("0123456789", max_size=9))
def test_in_a_longer_number_it_is_not_one(number: str, before: str, after: str) -> None:
    longer = before + number + after
    assert len(longer) <= 19 or not has_card_number(longer)


@given(number=card_numbers(), before=st.text("0123456789abcdef", min_size=1), after=st.text("0123456789abcdef"))
def test_in_a_hexadecimal_id_it_is_not_one(number: str, before: str, after: str) -> None:
    assert not has_card_number(f"trace {before}a{number}{after}")
    assert not has_card_number(f"{number}f{after} and {before}E{number}")


@given(st.uuids() | st.integers(0, 2**128 - 1).map(lambda number: UUID(int=number)))
@example(UUID("41111111-1111-1111-0000-000000000000"))
@example(UUID("00000000-4111-1111-1111-111100000000"))
@example(UUID(int=0))
def test_no_uuid_is_one(uuid: UUID) -> None:
    assert not has_card_number(str(uuid))
    assert not has_card_number(f"subscription {uuid}, {str(uuid).upper()}")


@given(st.datetimes(datetime(2020, 1, 1), datetime(2099, 12, 31)))  # noqa: DTZ001 - written in every way below
def test_no_time_is_one(at: datetime) -> None:
    seconds = int((at - datetime(1970, 1, 1)).total_seconds())  # noqa: DTZ001
    for text in (f"{at}", at.isoformat(), f"{at:%Y%m%d%H%M%S}", f"{at:%Y%m%d %H%M%S}", f"{at:%Y-%m-%d %H-%M-%S}"):
        assert not has_card_number(text)
    if seconds < 2_000_000_000:  # until 2033
        assert not any(has_card_number(f"{seconds * 1_000**power + 7}") for power in range(4))


@given(st.integers(0, 10**12 - 1))
def test_no_position_is_one(position: int) -> None:
    assert not has_card_number(f"{position}")
    assert not has_card_number(f"at {position:,}")


@given(st.integers(0, 99_999_999), st.dates(date(2000, 1, 1), date(2199, 12, 31)))
def test_no_order_number_is_one(number: int, day: date) -> None:
    assert not has_card_number(f"PO-{day}-{number}")
    assert not has_card_number(f"INV{number:08}/2026")


def test_no_cell_of_the_directory_is_one() -> None:
    with CONTOSO.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file))
    assert len(rows) == 6
    for row in rows:
        assert not any(map(has_card_number, row))
        assert not has_card_number(",".join(row))
        assert not has_card_number(" ".join(row))


@pytest.mark.parametrize(
    "text",
    ["", "14.00", "+4915123456789", "call +1 415 555 2671 or 123-555-1211", "0.4111111111111111", "1" * 5_000,
     "4111 1111 1111", "192.168.100.200", "Power BI Pro, 100 licenses from 2025-06-18 to 2025-07-17"],
)  # fmt: skip
def test_other_texts_are_left_alone(text: str) -> None:
    assert not has_card_number(text)
