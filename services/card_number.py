"""The number of a payment card, found anywhere in a text: by issuer, length, check digit and grouping."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise

SHORTEST, LONGEST = 13, 19  # digits
LONGEST_PHONE = 15  # digits after the +

BRAND = re.compile(
    r"4\d{12}(?:\d{3}){0,2}"  # Visa
    r"|(?:5[1-5]\d\d|222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720)\d{12}"  # Mastercard
    r"|3[47]\d{13}"  # American Express
    r"|3(?:095|0[0-5]\d|[689]\d\d)\d{10,15}"  # Diners Club
    r"|35(?:2[89]|[3-8]\d)\d{12,15}"  # JCB
    r"|(?:6011|64[4-9]\d|65\d\d|62\d\d|81[0-7]\d)\d{12,15}"  # Discover, UnionPay
    r"|(?:50|5[6-8]|6\d)\d{11,17}",  # Maestro
    re.ASCII,
)
BETWEEN = r"\s.\-\u00ad\u200b\u2010-\u2015\u2060\u2212\ufeff"  # spaces, dashes, dots, and what is not seen
RUN = re.compile(rf"\d(?:[{BETWEEN}]{{0,3}}\d){{{SHORTEST - 1},}}")
RUN_IN_ASCII = re.compile(rf"[0-9](?:[ \t-\r\x1c-\x1f.\-]{{0,3}}[0-9]){{{SHORTEST - 1}}}")  # the same, and faster
GROUP = re.compile(r"\d+")
UUID_TEXT = re.compile(r"(?<![0-9a-z])[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?![0-9a-z])", re.IGNORECASE)
A_UUID = "00000000-0000-0000-0000-000000000000"
WORD = re.compile(r"[0-9A-Za-z]+")
HEX_ID = re.compile(r"[0-9a-f]*[a-f][0-9a-f]*", re.IGNORECASE)
CARD_GROUP = 4  # digits that are written together at least; phone numbers have fewer


def has_card_number(text: str) -> bool:
    """Whether the text holds what is a card number and part of nothing else.

    Not the digits of a UUID or of another hexadecimal id, of a longer number, of a fraction, or of a phone number
    after its +.
    """
    if len(text) < SHORTEST or (len(text) == len(A_UUID) and text[8] == "-" and UUID_TEXT.fullmatch(text)):
        return False
    if text.isascii():
        if RUN_IN_ASCII.search(text) is None:
            return False
    else:
        text = with_plain_digits(text)
    text = UUID_TEXT.sub("uuid", text)
    return any(holds_card_number(text, run) for run in RUN.finditer(text))


def with_plain_digits(text: str) -> str:
    """The text with every decimal digit, full-width, Arabic or circled, written as 0 to 9."""
    folded = unicodedata.normalize("NFKC", text)
    return "".join(
        str(unicodedata.decimal(letter)) if letter.isdecimal() and not letter.isascii() else letter for letter in folded
    )


def holds_card_number(text: str, run: re.Match[str]) -> bool:
    """Whether some neighbouring groups in a run of digits are a card number."""
    groups = [group.span() for group in GROUP.finditer(text, run.start(), run.end())]
    digits = "".join(text[start:end] for start, end in groups)
    offsets = [0, *accumulate(end - start for start, end in groups)]  # of each group, and of the end
    return any(
        BRAND.fullmatch(digits, offsets[first], offsets[after])
        and has_check_digit(digits[offsets[first] : offsets[after]])
        and stands_alone(text, groups, first, after - 1)
        for first, after in windows(offsets)
    )


def windows(offsets: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Neighbouring groups that have as many digits as a card: the first one, and the one after the last."""
    for first in range(len(offsets) - 1):
        for after in range(first + 1, len(offsets)):
            length = offsets[after] - offsets[first]
            if length > LONGEST:
                break
            if length >= SHORTEST:
                yield first, after


def has_check_digit(digits: str) -> bool:
    """The check of ISO/IEC 7812 (Luhn)."""
    doubled = [sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2]]
    return (sum(doubled) + sum(int(digit) for digit in digits[-1::-2])) % 10 == 0


def stands_alone(text: str, groups: Sequence[tuple[int, int]], first: int, last: int) -> bool:
    """Whether the groups belong together and to nothing longer."""
    start = groups[first][0]
    if is_in_hex_id(text, *groups[first]) or is_in_hex_id(text, *groups[last]):
        return False
    before = text[max(0, start - 2) : start]
    if before.endswith("+") and sum(b - a for a, b in groups[first : last + 1]) <= LONGEST_PHONE:
        return False
    if first == last:
        return not (before.endswith(".") and before[:1].isdigit())  # a fraction
    sizes = tuple(b - a for a, b in groups[first : last + 1])
    if min(sizes[:-1]) >= CARD_GROUP or (len(set(sizes[:-1])) == 1 and sizes[-1] <= sizes[0]):
        return True
    # Else, then nothing may be grouped with them in the same way: that would be a list of small numbers.
    marks = [text[a[1] : b[0]] for a, b in pairwise(groups)]
    inside = set(marks[first:last])
    outside = {*marks[max(0, first - 1) : first], *marks[last : last + 1]}
    return (first == 0 and last == len(groups) - 1) or (len(inside) == 1 and not inside & outside)


def is_in_hex_id(text: str, start: int, end: int) -> bool:
    """Whether the digits are part of a word of hexadecimal digits, letters among them."""
    left = start
    while left and text[left - 1].isascii() and text[left - 1].isalnum():
        left -= 1
    word = WORD.match(text, left)
    return word is not None and word.end() >= end and bool(HEX_ID.fullmatch(word[0]))
