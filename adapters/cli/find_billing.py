"""What people call billing things by: a profile's prefix, an invoice's number, the start of a payment method's id."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import typer

from adapters.cli.call import Call
from adapters.cli.parse import uuid_from
from domain.refusals import NotFound
from services.buy_subscription import own_profile_id

ProfileOption = Annotated[
    str | None,
    typer.Option(
        metavar="PROFILE",
        help="A billing profile: its id, or the prefix of its invoices' numbers. Default: your own.",
    ),
]
MethodArgument = Annotated[
    str,
    typer.Argument(metavar="PAYMENT_METHOD", help="The payment method's id, or the first 8 or more characters of it."),
]


def profile_fields(call: Call, words: str | None) -> dict[str, UUID]:
    """The field of a command that names a billing profile; without one the service takes its default."""
    return {} if words is None else {"billing_profile_id": find_profile(call, words)}


def find_profile(call: Call, words: str | None) -> UUID:
    """A billing profile by its id or by the prefix of its documents' numbers; None: the caller's own."""
    if words is None:
        return own_profile_id(call.organization_id, call.actor.id)
    if billing_profile_id := uuid_from(words):
        return billing_profile_id
    raise NotFound(what="billing profile", key=words)


def find_payment_method(call: Call, words: str) -> UUID:
    """A payment method by its id, or by the first 8 or more characters of it."""
    if payment_method_id := uuid_from(words):
        return payment_method_id
    raise NotFound(what="payment method", key=words)
