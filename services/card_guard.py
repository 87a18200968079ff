"""Card data that must not come in: numbers of cards in any text, and security codes under their names.

A card is handed to the payment provider, which answers with a token; the token is what we take.
"""

import functools
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from pydantic import BaseModel, SecretBytes, SecretStr

from domain.refusals import CardDataNotAccepted
from services.card_number import LONGEST, SHORTEST, has_card_number

SMALLEST, TOO_LARGE = 10 ** (SHORTEST - 1), 10**LONGEST
DEEPEST = 16  # levels of an input; no command has half as many

CODE_NAME = re.compile(
    r".*(?:cvc|cvv|cvn)2?(?:code|number|value)?|(?:card|payment)?(?:cid|csc|cav2?)|.*securitycode|.*cardcode"
    r"|.*cardverification(?:code|number|value)"
)
CODE = re.compile(r"\s*\d{3,4}\s*")
HIGHEST_CODE = 9_999
LONGEST_NAME = 64

HARMLESS = frozenset({UUID, type(None), bool})


def refuse_card_data(given: Any) -> None:
    """Raises CardDataNotAccepted with the place of what looks like card data; the value is told to nobody.

    An input that is nested too deeply to be looked through raises a ValueError.
    """
    place = place_of_card_data(given, "", DEEPEST)
    if place is not None:
        raise CardDataNotAccepted(field=place)


def refuse_card_data_in_words(words: Sequence[str]) -> None:
    """Looks through the words of a command line: `--cvc 123` and `--cvc=123` are a name with a value."""
    for number, word in enumerate(words):
        name, given, value = word.partition("=")
        if not given and number + 1 < len(words):
            value = words[number + 1]
        if is_card_data(word, "") or (name.startswith("-") and is_card_data(value, name)):
            raise CardDataNotAccepted(field=f"/arguments/{number}")
    if has_card_number(" ".join(words)):
        raise CardDataNotAccepted(field="/arguments")


def place_of_card_data(value: Any, name: str, levels: int) -> str | None:
    """A JSON pointer to card data within the value; `name` is that of the field that it stands in."""
    if type(value) is str:  # before the kinds that take longer to tell
        found = has_card_number(value) if len(value) >= SHORTEST else is_code(value, name)
        return "" if found else None
    if isinstance(value, BaseModel):
        return place_within(value.__dict__.items(), name, levels)
    if isinstance(value, list | tuple | set | frozenset):
        return place_within(enumerate(value), name, levels)
    if isinstance(value, Mapping):
        return place_within(value.items(), name, levels)
    return "" if is_card_data(value, name) else None


def place_within(items: Iterable[tuple[Any, Any]], name: str, levels: int) -> str | None:
    """As above, for what a field holds: its own fields, or its parts, which are called as it is."""
    if not levels:
        raise ValueError(f"nested deeper than {DEEPEST} levels; send it flat")
    for key, item in items:
        inner = name
        if type(key) is not int:
            inner = str(key)
            if len(inner) >= SHORTEST and is_card_number(inner):
                return ""  # the name itself must not be told
        if type(item) in HARMLESS:
            continue
        place = place_of_card_data(item, inner, levels - 1)
        if place is not None:
            return f"/{str(key).replace('~', '~0').replace('/', '~1')}{place}"
    return None


def is_card_number(name: str) -> bool:
    """Whether what should be the name of a field holds a card number."""
    return not name.replace("_", "").isalpha() and has_card_number(name)


def is_card_data(value: Any, name: str) -> bool:
    """Whether a single value is the number of a card, or a security code by its name."""
    if isinstance(value, SecretStr | SecretBytes):
        value = value.get_secret_value()
    if isinstance(value, bytes | bytearray):
        value = value.decode("utf-8", "replace")
    if isinstance(value, str):
        return has_card_number(value) if len(value) >= SHORTEST else is_code(value, name)
    if isinstance(value, int | float | Decimal) and 0 <= value < TOO_LARGE:
        number = int(value)
        return has_card_number(str(number)) if number >= SMALLEST else number <= HIGHEST_CODE and is_code_name(name)
    return False


def is_code(text: str, name: str) -> bool:
    """Whether the text is a security code by its form and its name."""
    return CODE.fullmatch(text) is not None and is_code_name(name)


def is_code_name(name: str) -> bool:
    """Whether a field is called like a security code; a token of one is none."""
    return bool(name) and len(name) <= LONGEST_NAME and _is_code_name(name)


@functools.lru_cache(maxsize=1024)
def _is_code_name(name: str) -> bool:
    letters = unicodedata.normalize("NFKC", name).lower()
    return bool(CODE_NAME.fullmatch("".join(letter for letter in letters if letter.isalnum())))
