"""What people call billing things by: a profile's prefix, an invoice's number, the start of a payment method's id."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated
from uuid import UUID

import typer

from adapters.cli.call import Call
from adapters.cli.failure import BadInput
from adapters.cli.find import some
from adapters.cli.parse import SHORTEST_PREFIX, uuid_from
from domain.refusals import NotFound
from services.buy_subscription import own_profile_id
from services.list_billing_profiles import ListBillingProfiles, list_billing_profiles
from services.list_payment_methods import ListPaymentMethods, list_payment_methods
from services.ports_reads import PAGE, BillingProfileRow, PaymentMethodRow
from services.show_billing_profile import refuse_unseen

SHORTEST_NAME = 4  # letters of a profile's prefix
HEX = set("0123456789abcdef-")

ProfileOption = Annotated[
    str | None,
    typer.Option(
        metavar="PROFILE",
        help="A billing profile: the prefix of its invoices' numbers, or its id. Default: your own.",
    ),
]
MethodArgument = Annotated[
    str,
    typer.Argument(metavar="PAYMENT_METHOD", help="The payment method's id, or the first 8 or more characters of it."),
]
InvoiceArgument = Annotated[str, typer.Argument(metavar="INVOICE", help="The invoice's number, or its id.")]


def profiles(call: Call, *, mine: bool = False) -> Iterator[BillingProfileRow]:
    """All billing profiles that the caller may see, a page at a time."""
    query = call.wish(ListBillingProfiles, mine=mine, at_least=call.house.views.head())
    while page := list_billing_profiles(call.house.ledger, call.house.billing_views, query):
        yield from page
        if len(page) < PAGE:
            return
        query = query.model_copy(update={"after": page[-1].billing_profile_id})


def payment_methods(call: Call) -> Iterator[PaymentMethodRow]:
    """All of the caller's cards, a page at a time."""
    query = call.wish(ListPaymentMethods, at_least=call.house.views.head())
    while page := list_payment_methods(call.house.ledger, call.house.billing_views, query):
        yield from page
        if len(page) < PAGE:
            return
        query = query.model_copy(update={"after": page[-1].payment_method_id})


def profile_fields(call: Call, words: str | None) -> dict[str, UUID]:
    """The field of a command that names a billing profile; without one the service takes its default."""
    return {} if words is None else {"billing_profile_id": find_profile(call, words)}


def find_profile(call: Call, words: str | None) -> UUID:
    """A billing profile by its id or the prefix of its numbers, or by the start of either; None: the caller's own."""
    if words is None:
        return own_profile_id(call.organization_id, call.actor.id)
    if billing_profile_id := uuid_from(words):
        return billing_profile_id
    start = words.strip()
    if len(start) < SHORTEST_NAME:
        raise BadInput(f"{words!r} names no billing profile; write its prefix, such as K7Q2ZD-94MXPA, or its id")
    found = [
        row.billing_profile_id
        for row in profiles(call)
        if row.prefix.startswith(start.upper())
        or (len(start) >= SHORTEST_PREFIX and str(row.billing_profile_id).startswith(start.lower()))
    ]
    return only_one(found, "billing profile", words)


def find_payment_method(call: Call, words: str) -> UUID:
    """A payment method by its id, or by the first 8 or more characters of it."""
    if payment_method_id := uuid_from(words):
        return payment_method_id
    start = words.strip().lower()
    if len(start) < SHORTEST_PREFIX or not set(start) <= HEX:
        raise BadInput(
            f"{words!r} is no payment method id; write all of it or its first {SHORTEST_PREFIX} or more characters,"
            " as `seatledger payment-method list` shows it"
        )
    found = [row.payment_method_id for row in payment_methods(call) if str(row.payment_method_id).startswith(start)]
    return only_one(found, "payment method", words)


def only_one(found: list[UUID], what: str, words: str) -> UUID:
    if not found:
        raise NotFound(what=what, key=words)
    if len(found) > 1:
        raise BadInput(f"{len(found)} {what}s begin with {words}; write more of it: {some(found)}")
    return found[0]


def find_invoice(call: Call, words: str) -> UUID:
    """An invoice by its id, by its number, or by the number of a credit note that amends it."""
    _ = call.organization, call.actor  # these are named before an unknown invoice
    if invoice_id := uuid_from(words):
        return invoice_id
    house = call.house
    row = house.invoice_views.by_number(call.organization_id, words.strip().upper(), at_least=house.views.head())
    if row is None:
        raise NotFound(what="invoice", key=words)
    profile = house.ledger.billing_profile(call.organization_id, row.billing_profile_id)
    refuse_unseen(profile, call.wish(ListBillingProfiles), what="invoice", key=words)
    return row.invoice_id
