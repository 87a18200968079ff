"""How an invoice writes: days, figures, shares, and what customers typed without what turns or hides text."""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from decimal import Decimal

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MINUS = "\N{MINUS SIGN}"
_ZERO_WIDTH_SPACE = "\N{ZERO WIDTH SPACE}"
_JOINERS = "\N{ZERO WIDTH NON-JOINER}\N{ZERO WIDTH JOINER}"  # Persian, Indic scripts and emoji are spelled with them
_DROPPED = {"Cf", "Cs"}  # signs of format, among them those that turn the direction; halves of a surrogate pair
_SPACES = {"Cc", "Zl", "Zp", "Zs"}
_MARKS = {"Mn", "Me"}
_MOST_MARKS = 3  # on one letter: no script needs more, and a pile of them would cover the lines above
_LONG_WORD = re.compile(r"\S{25,}")
_PIECE = 12  # characters


def day(on: date) -> str:
    """24 Nov 2026: read the same way everywhere, whatever the locale of the machine."""
    return f"{on.day} {_MONTHS[on.month - 1]} {on.year}"


def figure(minor: int, exponent: int) -> str:
    """150000 as 1,500.00, with as many decimals as the currency has; a true minus sign."""
    text = f"{Decimal(abs(minor)).scaleb(-exponent):,.{exponent}f}"
    return f"{_MINUS}{text}" if minor < 0 else text


def count(number: int) -> str:
    """A number of things."""
    return figure(number, 0)


def percent(ppm: int) -> str:
    """190,000 ppm as 19 %, 81,000 as 8.1 %."""
    return f"{(Decimal(ppm) / 10_000).normalize():f} %"


def line(text: str) -> str:
    """A text as one printable line: nothing in it turns the direction, hides, breaks the line or piles up."""
    kept: list[str] = []
    marks = 0
    for sign in unicodedata.normalize("NFC", text):
        category = unicodedata.category(sign)
        marks = marks + 1 if category in _MARKS else 0
        if category in _SPACES:
            kept.append(" ")
        elif (category not in _DROPPED or sign in _JOINERS) and marks <= _MOST_MARKS:
            kept.append(sign)
    return " ".join("".join(kept).split())


def breakable(text: str) -> str:
    """A line with a zero-width space wherever a long word may break: a wide one would hide figures."""
    return _LONG_WORD.sub(_with_places_to_break, line(text))


def _with_places_to_break(word: re.Match[str]) -> str:
    pieces: list[str] = []
    for sign in word.group():
        if not pieces or (len(pieces[-1]) >= _PIECE and _begins_a_letter(pieces[-1][-1], sign)):
            pieces.append(sign)
        else:
            pieces[-1] += sign
    return _ZERO_WIDTH_SPACE.join(pieces)


def _begins_a_letter(before: str, sign: str) -> bool:
    joined = before in _JOINERS or sign in _JOINERS
    return not joined and not unicodedata.category(sign).startswith("M")
