"""Currencies and countries, as ISO 4217 and ISO 3166 list them; amounts between text and minor units."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from iso3166 import countries_by_alpha2
from iso4217 import Currency

from domain.refusals import UnknownCountry, UnknownCurrency

MAXIMUM_MINOR = 10**15  # far above any price, far below what a bigint holds


def exponent_of(currency: str) -> int:
    """How many decimals a currency has: 2 for USD, 0 for JPY, 3 for KWD; refuses what is no money (XAU, XXX)."""
    try:
        exponent = Currency(currency).exponent
    except ValueError:
        exponent = None
    if exponent is None:
        raise UnknownCurrency(currency=currency)
    return int(exponent)


def country_of(code: str) -> str:
    """The two-letter code, which exists."""
    if code not in countries_by_alpha2:
        raise UnknownCountry(country=code)
    return code


def minor_units(amount: str | Decimal, currency: str) -> int:
    """15.00 USD as 1500; raises ValueError with what to write instead."""
    exponent = exponent_of(currency)
    try:
        minor = Decimal(amount).scaleb(exponent)
    except InvalidOperation:
        raise ValueError(f"{amount!r} is no amount; write it like {in_major(1500, exponent)}") from None
    if not minor.is_finite() or minor < 0 or minor > MAXIMUM_MINOR:
        raise ValueError(f"{amount} is out of range; write an amount of 0 or more")
    if minor != int(minor):
        raise ValueError(f"{amount} has more decimals than {currency}, which has {exponent}; round it")
    return int(minor)


def in_major(minor: int, exponent: int) -> str:
    """1500 as 15.00, with as many decimals as the currency has."""
    return f"{Decimal(minor).scaleb(-exponent):,.{exponent}f}"


def money(minor: int, currency: str, exponent: int | None = None) -> str:
    """1500 USD as "15.00 USD"."""
    return f"{in_major(minor, exponent_of(currency) if exponent is None else exponent)} {currency}"
