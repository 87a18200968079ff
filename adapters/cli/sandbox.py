"""sandbox: confirm, dispute."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated
from uuid import UUID

import typer

from adapters.cli.answer import Answer
from adapters.cli.call import OPERATOR, Call
from adapters.cli.failure import BadInput
from adapters.cli.groups import sandbox
from adapters.cli.parse import uuid_from
from adapters.cli.verb import verb
from adapters.payments.sandbox import Sandbox
from domain.payment import Payment

PaymentArgument = Annotated[str, typer.Argument(metavar="PAYMENT", help="The payment's id, as the refusal names it.")]


@verb(sandbox, "confirm", role=OPERATOR)
def confirm(
    call: Call,
    payment: PaymentArgument,
    refuse: Annotated[bool, typer.Option("--refuse", help="The payer does not agree.")] = False,
) -> Answer:
    """Does what the payer does on their bank's page: agrees to a payment that waits for it, or not.

    Then the same command with the same id continues.

    Example: `seatledger sandbox confirm PAYMENT --org contoso --as operator`
    """
    provider, found = at_hand(call, payment)
    if found.status != "action_required":
        raise BadInput(f"payment {found.id} is {found.status.replace('_', ' ')}; nobody is asked to confirm it")
    with told_plainly():
        provider.confirm(found.id, found.attempt, agrees=not refuse)
    said = "the payer does not agree" if refuse else "the payer agrees"
    return Answer({"payment_id": found.id, "agrees": not refuse}, f"payment {found.id}: {said}; send the command again")


@verb(sandbox, "dispute", role=OPERATOR)
def dispute(call: Call, payment: PaymentArgument) -> Answer:
    """Lets the payer's bank take a captured payment back; `seatledger invoice reconcile --learn` records it.

    Example: `seatledger sandbox dispute PAYMENT --org contoso --as operator`
    """
    provider, found = at_hand(call, payment)
    if found.status != "captured" or not found.refundable_minor:
        raise BadInput(f"payment {found.id} is {found.status.replace('_', ' ')}; there is nothing to take back")
    with told_plainly():
        dispute_id = provider.dispute(found.id)
    return Answer({"payment_id": found.id, "dispute_id": dispute_id}, f"payment {found.id} is disputed: {dispute_id}")


@contextmanager
def told_plainly() -> Iterator[None]:
    """What the sandbox refuses, as input that cannot be."""
    try:
        yield
    except LookupError as error:
        raise BadInput(f"the sandbox says: {error}") from None


def at_hand(call: Call, words: str) -> tuple[Sandbox, Payment]:
    """The sandbox, and a payment that it was asked for."""
    call.refuse_members()
    organization_id = call.organization_id
    _ = call.organization
    payment_id: UUID | None = uuid_from(words)
    if payment_id is None:
        raise BadInput(
            f"{words!r} is no payment id; write the whole UUID, as `seatledger invoice explain --json` shows it"
        )
    found = call.house.ledger.payment(organization_id, payment_id)
    gateway = call.till.gateway
    if not isinstance(gateway, Sandbox):
        raise BadInput(f"payments go to {gateway.name}, which is no sandbox; this is for trying things out only")
    return gateway, found
