"""Changes of a text by chance: bits, letters, lines, base64 and look-alikes of Unicode."""

from __future__ import annotations

import random
import re
import unicodedata
from base64 import b64decode, b64encode
from typing import Literal

FORMS: list[Literal["NFC", "NFD", "NFKC", "NFKD"]] = ["NFC", "NFD", "NFKC", "NFKD"]
STRANGE = [
    *" \t\n\r\v\f\0\x1b\x7f\x85\xa0\u2028\u2029\u200b\ufeff\u00ad",
    *"+-=/_.,:;\u2014\u2013-\u2212\u2015\u0661\u0967\uff11\u1e9e\u0130\u0131",
    *("\r\n", "\n\n", "— ", "=="),
]


def one_bit(text: str, chance: random.Random) -> str:
    changed = bytearray(text.encode(errors="surrogateescape"))
    if not changed:
        return text
    changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed).decode(errors="surrogateescape")


def one_letter(text: str, chance: random.Random) -> str:
    at = chance.randrange(len(text) + 1)
    return f"{text[:at]}{chance.choice(STRANGE)}{text[at + chance.randint(0, 1) :]}"


def cut(text: str, chance: random.Random) -> str:
    one, other = sorted(chance.choices(range(len(text) + 1), k=2))
    return chance.choice([text[:one], text[one:], text[:one] + text[other:], text[:other] + text[one:]])


def lines_mixed(text: str, chance: random.Random) -> str:
    lines = text.split("\n")
    one, other = chance.randrange(len(lines)), chance.randrange(len(lines))
    match chance.randrange(4):
        case 0:
            lines[one], lines[other] = lines[other], lines[one]
        case 1:
            lines.insert(other, lines[one])
        case 2:
            del lines[one]
        case _:
            lines = lines[::-1]
    return "\n".join(lines)


def other_base64(text: str, chance: random.Random) -> str:
    found = list(re.finditer(r"[A-Za-z0-9+/]{40,}={0,2}", text))
    if not found:
        return text
    one = chance.choice(found)
    encoded = one[0]
    spelled = [
        encoded.rstrip("="),
        f"{encoded}=",
        encoded.replace("+", "-").replace("/", "_"),
        f"{encoded[:20]}\n{encoded[20:]}",
        f"{encoded[:20]} {encoded[20:]}",
        encoded.swapcase(),
        encoded + encoded,
        trailing_bits(encoded),
        "",
        b64encode(mutated_bytes(encoded, chance)).decode(),
    ]
    return text[: one.start()] + chance.choice(spelled) + text[one.end() :]


def trailing_bits(encoded: str) -> str:
    """The bits that a lax reader drops, set."""
    body = encoded.rstrip("=")
    if body == encoded:
        return encoded
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    return body[:-1] + alphabet[alphabet.index(body[-1]) + 1] + encoded[len(body) :]


def mutated_bytes(encoded: str, chance: random.Random) -> bytes:
    try:
        found = bytearray(b64decode(encoded))
    except ValueError:
        return b""
    if not found:
        return b""
    match chance.randrange(4):
        case 0:
            found[chance.randrange(len(found))] ^= 1 << chance.randrange(8)
        case 1:
            del found[chance.randrange(len(found)) :]
        case 2:
            found += chance.randbytes(chance.choice([1, 32, 64]))
        case _:
            at = chance.randrange(len(found))
            found[at : at + 8] = chance.randbytes(8)
    return bytes(found)


def other_unicode(text: str, chance: random.Random) -> str:
    form = chance.choice(FORMS)
    return chance.choice(
        [
            unicodedata.normalize(form, text.replace("K", "\u212a", 1)),
            text.replace(
                "—", chance.choice(["\u2013", "-", "--", "\u2015", "\u2014\ufe0f", "\u2012"]), chance.choice([1, -1])
            ),
            f"\ufeff{text}",
            text.upper(),
            text.replace("\n", chance.choice(["\r\n", "\r", "\u2028", "\v", "\n ", " \n"]), chance.choice([1, 2, -1])),
            text.replace(" ", chance.choice(["\u00a0", "\t", "  ", ""]), chance.choice([1, 2, -1])),
        ]
    )
