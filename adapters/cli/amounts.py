"""Amounts as people type and read them, beside the exact minor units that programs get."""

from __future__ import annotations

from typing import Annotated

import typer

from adapters.catalog.currency import minor_units
from adapters.cli.call import Call
from adapters.cli.failure import BadInput

ExpectedAmount = Annotated[
    str | None,
    typer.Option(
        metavar="AMOUNT",
        help="What it comes to, tax included, as a quote said, such as 1400.00; refused if it comes to another amount.",
    ),
]


def amount_from(call: Call, text: str, option: str) -> int:
    """1,400.00 or -24.00, in the organization's currency, as minor units."""
    currency = call.organization.currency
    digits = text.strip().removesuffix(currency).strip().replace(",", "")
    try:
        minor = minor_units(digits.removeprefix("-"), currency)
    except ValueError as error:
        raise BadInput(f"{option} {error}") from None
    return -minor if digits.startswith("-") else minor


def expected_fields(call: Call, expected_amount: str | None) -> dict[str, int]:
    """The field of a command that says what its caller agreed to."""
    if expected_amount is None:
        return {}
    return {"expected_amount_minor": amount_from(call, expected_amount, "--expected-amount")}
