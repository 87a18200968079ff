"""The cards of the sandbox: what each magic token stands for. There are no numbers, and none is taken."""

import re
from datetime import datetime
from functools import cache
from hashlib import sha256
from typing import NamedTuple
from uuid import UUID

from iso3166 import countries_by_alpha2

from services.ports_payments import CardRefused


class Magic(NamedTuple):
    """What a token stands for, and how cards made of it behave."""

    brand: str = "visa"
    last4: str = "4242"
    refused: str | None = None  # storing is refused with this code
    declines: str | None = None  # every hold and charge is declined with this code
    asks: bool = False  # the bank wants the payer: action_required on session, declined off session
    refund_fails: bool = False  # refunds wait for a day, then fail
    disputed: bool = False  # every capture is disputed at once
    expires_now: bool = False  # at the end of the month in which it is stored; the others live four years and more


MAGIC = {
    "tok_visa": Magic(),
    "tok_mastercard": Magic("mastercard", "4444"),
    "tok_amex": Magic("amex", "8431"),
    "tok_declined": Magic(last4="0002", declines="card_declined"),
    "tok_declined_insufficient_funds": Magic(last4="9995", declines="insufficient_funds"),
    "tok_declined_expired_card": Magic(last4="0069", declines="expired_card"),  # until its expiry is edited
    "tok_declined_lost_card": Magic(last4="9987", declines="lost_card"),
    "tok_action_required": Magic(last4="3155", asks=True),
    "tok_refund_fails": Magic(last4="3123", refund_fails=True),
    "tok_disputed": Magic(last4="0259", disputed=True),
    "tok_expires_soon": Magic(last4="0341", expires_now=True),
    "tok_refused": Magic(refused="card_declined"),
}
"""Every token may have a country behind it, of the issuer (`tok_visa_kr`), else it is US; and, behind a colon, any word
that makes it another one-time token (`tok_visa:second`)."""

LIVES_YEARS = 4
SECURITY_CODE_OK = "cvctok_ok"  # what follows makes it another one-time token
SECURITY_CODE_WRONG = "cvctok_wrong"
_TOKEN = re.compile(r"(?P<name>tok_[a-z_]+)(:[A-Za-z0-9._-]{1,80})?")
_DIGITS = re.compile(r"\d(?:[ -]?\d){12,18}")
_INSIDE_AN_ID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")
_TEN = 10


class NewCard(NamedTuple):
    magic: str
    brand: str
    last4: str
    country: str
    expiry_month: int
    expiry_year: int


def card_token(token: str, owner_id: UUID, organization_id: UUID) -> str:
    """The lasting token: the same for the same one-time token of the same owner."""
    return "card_" + sha256(f"{organization_id}:{owner_id}:{token}".encode()).hexdigest()[:24]


def read_token(token: str, now: datetime) -> NewCard:
    """The card behind a one-time token; raises CardRefused."""
    refuse_card_number(token)
    match = _TOKEN.fullmatch(token)
    if match is None:
        raise CardRefused("no_such_token")
    name, country = _named(match["name"])
    magic = MAGIC[name]
    if magic.refused:
        raise CardRefused(magic.refused)
    month, year = (now.month, now.year) if magic.expires_now else (12, now.year + LIVES_YEARS)
    return NewCard(name, magic.brand, magic.last4, country, month, year)


@cache
def _named(name: str) -> tuple[str, str]:
    if name in MAGIC:
        return name, "US"
    plain, _, country = name.rpartition("_")
    if plain not in MAGIC or country.upper() not in countries_by_alpha2:
        raise CardRefused("no_such_token")
    return plain, country.upper()


def refuse_card_number(*texts: str | None) -> None:
    """Refuses what looks like a card number: 13 to 19 digits that satisfy Luhn's rule, outside of an id."""
    for text in texts:
        for digits in _DIGITS.findall(_INSIDE_AN_ID.sub("", text)) if text else ():
            if _luhn([int(digit) for digit in digits if digit.isdigit()]):
                raise CardRefused("card_number_given")


def _luhn(digits: list[int]) -> bool:
    doubled = [sum(divmod(2 * digit, _TEN)) for digit in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % _TEN == 0


def is_over(month: int, year: int, now: datetime) -> bool:
    """Whether a card's last month is over."""
    return (year, month) < (now.year, now.month)
