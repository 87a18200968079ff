"""payment-method: add, list, edit, remove."""

from __future__ import annotations

import re
from typing import Annotated, Any

import typer

from adapters.cli.answer import Answer, table
from adapters.cli.billed import card_named, past_due_after
from adapters.cli.call import Call
from adapters.cli.failure import BadInput
from adapters.cli.find_billing import MethodArgument, find_payment_method
from adapters.cli.find_billing import payment_methods as payment_methods_of
from adapters.cli.groups import payment_methods
from adapters.cli.verb import verb
from domain.payment_method import PaymentMethod
from services.add_payment_method import AddPaymentMethod, add_payment_method
from services.edit_payment_method import EditPaymentMethod, edit_payment_method
from services.remove_payment_method import RemovePaymentMethod, remove_payment_method

HolderOption = Annotated[str | None, typer.Option(metavar="NAME", help="The name on the card; can be forgotten.")]
AddressOption = Annotated[
    str | None, typer.Option(metavar="TEXT", help="The address that the bank knows; can be forgotten.")
]


@verb(payment_methods, "add", role="purchaser", command=True)
def add(
    call: Call,
    token: Annotated[
        str, typer.Argument(metavar="TOKEN", help="The payment provider's token for the card; never its number.")
    ],
    *,
    holder: HolderOption = None,
    address: AddressOption = None,
) -> Answer:
    """Stores a card by the token that the payment provider gave for it; nothing charges it yet.

    The sandbox knows magic tokens, such as tok_visa and tok_declined_insufficient_funds; the README has them.

    Example: `seatledger payment-method add tok_visa --holder "Ben Andrews" --org contoso --as ben@contoso.com`
    """
    fields = {name: value for name, value in (("holder", holder), ("address", address)) if value is not None}
    command = call.wish(AddPaymentMethod, token=token, **fields)
    receipt = add_payment_method(call.house.ledger, command, call.till)
    method = call.house.ledger.payment_method(call.organization_id, command.payment_method_id)
    return call.answer(receipt, f"{described(method)}\npayment method {method.id}", payment_method_id=method.id)


@verb(payment_methods, "list", role="purchaser")
def show_all(call: Call) -> Answer:
    """Lists your stored cards; nobody sees another member's.

    Example: `seatledger payment-method list --org contoso --as ben@contoso.com`
    """
    found = list(payment_methods_of(call))
    rows = [
        (
            one.payment_method_id,
            card_named(one.brand, one.last4),
            f"{one.expiry_month:02}/{one.expiry_year}",
            one.country,
            one.charged_by,
        )
        for one in found
    ]
    columns = ("payment method", "card", "until", "country", "profiles that charge it")
    return Answer({"payment_methods": [one.model_dump() for one in found]}, table("Cards", columns, rows))


def described(method: PaymentMethod) -> str:
    """Visa ending in 4242, until 12/2029."""
    card = method.card
    return f"{card_named(card.brand, card.last4)}, until {card.expiry.month:02}/{card.expiry.year}"


@verb(payment_methods, "edit", role="purchaser", command=True)
def edit(
    call: Call,
    payment_method: MethodArgument,
    *,
    expiry: Annotated[str | None, typer.Option(metavar="MM/YYYY", help="The new last month.")] = None,
    holder: HolderOption = None,
    address: AddressOption = None,
    security_code_token: Annotated[
        str | None,
        typer.Option(metavar="TOKEN", help="The provider's one-time token for the security code; never the code."),
    ] = None,
) -> Answer:
    """Changes what may change about a card; its number never does. What is past due is charged again at once.

    Example: `seatledger payment-method edit 1c9e5a02 --expiry 12/2031 --org contoso --as ben@contoso.com`
    """
    given = {"holder": holder, "address": address, "security_code_token": security_code_token}
    fields: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    if expiry is not None:
        fields["expiry"] = expiry_from(expiry)
    command = call.wish(EditPaymentMethod, payment_method_id=find_payment_method(call, payment_method), **fields)
    receipt = edit_payment_method(call.house.ledger, command, call.till)
    method = call.house.ledger.payment_method(call.organization_id, command.payment_method_id)
    lines, past_due = past_due_after(call, method.charged_by)
    return call.answer(
        receipt,
        "\n".join([f"{described(method)}\npayment method {method.id}", *lines]),
        payment_method_id=method.id,
        past_due=past_due,
    )


def expiry_from(text: str) -> dict[str, int]:
    """12/2031, as cards say it."""
    if not re.fullmatch(r"(0?[1-9]|1[0-2])/20\d\d", text):
        raise BadInput(f"--expiry {text!r} is no month; write it like 12/2031")
    month, year = text.split("/")
    return {"month": int(month), "year": int(year)}


@verb(payment_methods, "remove", role="purchaser", command=True)
def remove(call: Call, payment_method: MethodArgument) -> Answer:
    """Forgets a card, here and at the provider; refused while a billing profile charges it.

    Example: `seatledger payment-method remove 1c9e5a02 --org contoso --as ben@contoso.com`
    """
    command = call.wish(RemovePaymentMethod, payment_method_id=find_payment_method(call, payment_method))
    receipt = remove_payment_method(call.house.ledger, command, call.till)
    return call.answer(
        receipt,
        f"payment method {command.payment_method_id} is removed",
        payment_method_id=command.payment_method_id,
    )
