"""An invoice as JSON: every amount twice, as minor units to calculate with and as a decimal string to read."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from pydantic import BaseModel

from services.ports_documents import ShownInvoice

_MINOR = "_minor"


def invoice_json(shown: ShownInvoice) -> dict[str, Any]:
    """The invoice as JSON values: beside each `…_minor` (a whole number) stands the same amount as a decimal string.

    `net_minor: 1400` has `net: "14.00"` beside it. Decimals are strings, since JSON numbers lose them.
    """
    return amounts_of(shown, shown.currency_exponent)


def amounts_of(found: BaseModel, exponent: int) -> dict[str, Any]:
    """A value as JSON values, with a decimal string beside each amount in minor units."""
    return members_with_decimals(found.model_dump(mode="json"), exponent)


def members_with_decimals(members: dict[str, Any], exponent: int) -> dict[str, Any]:
    told: dict[str, Any] = {}
    for name, each in members.items():
        told[name] = with_decimals(each, exponent)
        if name.endswith(_MINOR):
            told[name.removesuffix(_MINOR)] = f"{Decimal(each).scaleb(-exponent):.{exponent}f}"
    return told


def with_decimals(value: object, exponent: int) -> object:
    match value:
        case dict():
            return members_with_decimals(value, exponent)
        case list():
            return [with_decimals(each, exponent) for each in value]
        case _:
            return value
