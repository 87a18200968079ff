"""An invoice as JSON: every amount twice, as minor units to calculate with and as a decimal string to read."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from services.ports_documents import ShownInvoice

_MINOR = "_minor"


def invoice_json(shown: ShownInvoice) -> dict[str, Any]:
    """The invoice as JSON values: beside each `…_minor` (a whole number) stands the same amount as a decimal string.

    `net_minor: 1400` has `net: "14.00"` beside it. Decimals are strings, since JSON numbers lose them.
    """
    told = with_decimals(shown.model_dump(mode="json"), shown.currency_exponent)
    assert isinstance(told, dict)  # noqa: S101  # a model is a dict
    return told


def with_decimals(value: object, exponent: int) -> object:
    """JSON values with a decimal string beside each amount in minor units."""
    if isinstance(value, list):
        return [with_decimals(each, exponent) for each in value]
    if not isinstance(value, dict):
        return value
    told: dict[str, object] = {}
    for name, each in value.items():
        told[name] = with_decimals(each, exponent)
        if name.endswith(_MINOR):
            told[name.removesuffix(_MINOR)] = f"{Decimal(each).scaleb(-exponent):.{exponent}f}"
    return told
