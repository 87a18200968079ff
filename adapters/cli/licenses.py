"""resize, assign, unassign, schedule."""

from __future__ import annotations

from typing import Annotated

import typer

from adapters.cli.amounts import ExpectedAmount, expected_fields
from adapters.cli.answer import Answer, plural
from adapters.cli.billed import Billed
from adapters.cli.call import Call
from adapters.cli.failure import BadInput
from adapters.cli.find import candidates, find_product, find_subscription, members_named, purchases
from adapters.cli.groups import root
from adapters.cli.verb import verb
from services.assign_licenses import AssignLicenses, assign_licenses
from services.ports_reads import PurchaseFilter
from services.resize_licenses import ResizeLicenses, resize_licenses
from services.schedule_licenses import ScheduleLicenses, schedule_licenses
from services.unassign_licenses import UnassignLicenses, unassign_licenses

SubscriptionArgument = Annotated[
    str, typer.Argument(metavar="SUBSCRIPTION", help="The subscription's id, or the first 8 or more characters of it.")
]


@verb(root, "resize", role="purchaser", command=True)
def resize(
    call: Call,
    subscription: SubscriptionArgument,
    total: Annotated[int, typer.Argument(help="How many licenses there shall be.")],
    expected_total: Annotated[
        int | None, typer.Option(help="How many there are, as you know; refused if another number was set since.")
    ] = None,
    expected_amount: ExpectedAmount = None,
) -> Answer:
    """Sets the new total of licenses: more are charged at once, and what was added in the last 7 days can be removed.

    The expected amount of a removal has a minus: what it gives back.

    Examples: `seatledger resize 1c9e5a02 105 --expected-total 100 --expected-amount 45.00`,
    `seatledger resize 1c9e5a02 102 --expected-amount -24.00`
    """
    fields = {"expected_total": expected_total} if expected_total is not None else {}
    fields |= expected_fields(call, expected_amount)
    subscription_id = find_subscription(call, subscription)
    command = call.wish(ResizeLicenses, subscription_id=subscription_id, total=total, **fields)
    receipt = resize_licenses(call.house.ledger, command, call.till)
    billed = Billed(call, call.house.ledger.told(call.organization_id, receipt))
    said = f"subscription {subscription_id} has {plural(total, 'license')}"
    return call.answer(receipt, "\n".join([said, *billed.lines]), subscription_id=subscription_id, **billed.data)


@verb(root, "assign", role="purchaser", command=True)
def assign(
    call: Call,
    subscription: SubscriptionArgument,
    users: Annotated[list[str], typer.Argument(metavar="USER_NAME…", help="Up to 20 members.")],
) -> Answer:
    """Gives each user a license, all or none; who holds one keeps it.

    Example: `seatledger assign 1c9e5a02 ben@contoso.com david@contoso.com --org contoso --as chris@contoso.com`
    """
    subscription_id = find_subscription(call, subscription)
    user_ids = candidates(call, users)
    command = call.wish(AssignLicenses, subscription_id=subscription_id, user_ids=user_ids)
    receipt = assign_licenses(call.house.ledger, command, call.till)
    return call.answer(
        receipt,
        f"{plural(receipt.events, 'license')} assigned to {plural(len(user_ids), 'user')}",
        subscription_id=subscription_id,
        user_ids=user_ids,
    )


@verb(root, "unassign", role="purchaser", command=True)
def unassign(
    call: Call,
    words: Annotated[
        list[str],
        typer.Argument(metavar="SUBSCRIPTION USER_NAME…", help="The subscription, and up to 20 members."),
    ],
    product: Annotated[
        str | None, typer.Option(help="Instead of a subscription: over all of yours to this product.")
    ] = None,
) -> Answer:
    """Takes the licenses of users; they are free at once. Who holds none is left alone.

    Examples: `seatledger unassign 1c9e5a02 ben@contoso.com`,
    `seatledger unassign --product "Power BI Pro" ben@contoso.com`
    """
    if product is None:
        first, *users = words
        if not users:
            raise BadInput(
                "say whose licenses: seatledger unassign SUBSCRIPTION USER_NAME…, or --product PRODUCT USER_NAME…"
            )
        subscription_ids = [find_subscription(call, first)]
    else:
        users = words
        product_id = find_product(call, product).product.product_id
        where = PurchaseFilter(product_id=product_id, purchaser_id=call.actor.id)
        subscription_ids = [row.subscription_id for row in purchases(call, where) if row.state != "deleted"]
        if not subscription_ids:
            raise BadInput(f"you have no subscription to {product}; see `seatledger purchases list --role purchaser`")
    user_ids = members_named(call, users)
    command = call.wish(UnassignLicenses, subscription_ids=subscription_ids, user_ids=user_ids)
    receipt = unassign_licenses(call.house.ledger, command, call.till)
    return call.answer(
        receipt,
        f"{plural(receipt.events, 'license')} taken back",
        subscription_ids=subscription_ids,
        user_ids=user_ids,
    )


@verb(root, "schedule", role="purchaser", command=True)
def schedule(
    call: Call,
    subscription: SubscriptionArgument,
    total: Annotated[
        int | None, typer.Argument(help="How many licenses there shall be from the next renewal on.")
    ] = None,
    withdraw: Annotated[bool, typer.Option("--withdraw", help="Withdraws the scheduled change.")] = False,
) -> Answer:
    """Sets the total of licenses from the next renewal on, also below what is assigned.

    Examples: `seatledger schedule 1c9e5a02 80`, `seatledger schedule 1c9e5a02 --withdraw`
    """
    if (total is None) != withdraw:
        raise BadInput("say the total for the next renewal, or --withdraw, and not both")
    subscription_id = find_subscription(call, subscription)
    command = call.wish(ScheduleLicenses, subscription_id=subscription_id, total=total)
    receipt = schedule_licenses(call.house.ledger, command, call.till)
    found = call.house.ledger.subscription(call.organization_id, subscription_id)
    said = "no change is scheduled" if total is None else f"{plural(total, 'license')} from {found.term.end} on"
    return call.answer(receipt, f"subscription {subscription_id}: {said}", subscription_id=subscription_id)
