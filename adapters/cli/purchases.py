"""purchases list, purchases show, products."""

from __future__ import annotations

from typing import Annotated

import typer

from adapters.catalog.currency import money
from adapters.cli.answer import Answer, table
from adapters.cli.call import Call
from adapters.cli.failure import BadInput
from adapters.cli.find import find_member, find_product, find_subscription
from adapters.cli.find import purchases as all_purchases
from adapters.cli.groups import purchases, root
from adapters.cli.licenses import SubscriptionArgument
from adapters.cli.parse import day_from
from adapters.cli.purchase_shown import csv_line, named, purchase_data, shown, users_text
from adapters.cli.verb import verb
from adapters.documents.purchases_csv import csv_of
from domain.subscription import LifeState
from projections.audit.replay import history
from services.list_my_products import ListMyProducts, list_my_products
from services.may import HOUSE
from services.name_members import name_members
from services.ports_reads import PurchaseFilter
from services.show_purchase import ShowPurchase, show_purchase


@verb(purchases, "list", role="admin", otherwise="purchaser")
def show_all(
    call: Call,
    *,
    self_service: Annotated[bool, typer.Option("--self-service", help="Only what users bought by themselves.")] = False,
    product: Annotated[str | None, typer.Option(help="Only of this product.")] = None,
    purchaser: Annotated[str | None, typer.Option(metavar="USER_NAME", help="Only by this member.")] = None,
    state: Annotated[LifeState | None, typer.Option(help="Only in this state.")] = None,
    ownerless: Annotated[bool, typer.Option("--ownerless", help="Only what an admin can take over.")] = False,
    ends_before: Annotated[str | None, typer.Option(metavar="DATE", help="Only what expires before this day.")] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="Writes CSV.")] = False,
) -> Answer | None:
    """The admins' read-only view: what was bought, by whom, until when, at which price, and who holds a license.

    Examples: `seatledger purchases list --self-service --org contoso --as chris@contoso.com`,
    `seatledger purchases list --csv > purchases.csv`, `seatledger purchases list --role purchaser` (your own)
    """
    if as_csv and call.as_json:
        raise BadInput("--csv or --json, not both")
    where = PurchaseFilter(
        channel="self_service" if self_service else None,
        product_id=find_product(call, product).product.product_id if product else None,
        purchaser_id=find_member(call, purchaser) if purchaser else None,
        state=state,
        ownerless=True if ownerless else None,
        ends_before=day_from(ends_before, "--ends-before") if ends_before else None,
    )
    if as_csv:
        for line in csv_of(csv_line(call, row) for row in all_purchases(call, where)):
            typer.echo(line, nl=False)
        return None
    data = [purchase_data(call, row, in_full=call.as_json) for row in all_purchases(call, where)]
    columns = (
        "product",
        "purchaser",
        "subscription",
        "expires",
        "price",
        "licenses",
        "assigned users",
        "state",
        "channel",
    )
    rows = [
        (
            one["product"],
            one["purchaser_name"] or one["purchaser"] or one["purchaser_id"],
            one["subscription_id"],
            one["expiry_date"],
            one["price_text"],
            f"{one['licenses_assigned']} of {one['licenses_total']}",
            users_text(one),
            one["state"] + (" (cancelled at term end)" if one["cancellation_scheduled"] else ""),
            one["channel"],
        )
        for one in data
    ]
    return Answer({"purchases": data}, table("Purchases", columns, rows, numbers=("price", "licenses")))


@verb(purchases, "show", role="admin", otherwise="purchaser")
def show_one(
    call: Call,
    subscription: SubscriptionArgument,
    on: Annotated[str | None, typer.Option("--on", metavar="DATE", help="Who held a license on this UTC day.")] = None,
) -> Answer:
    """Shows one purchase: its facts, who holds a license, and its order history.

    Example: `seatledger purchases show 1c9e5a02 --org contoso --as chris@contoso.com`
    """
    query = call.wish(
        ShowPurchase,
        subscription_id=find_subscription(call, subscription),
        on=day_from(on, "--on") if on else None,
        at_least=call.house.views.head(),
    )
    found = show_purchase(call.house.ledger, call.house.views, query)
    orders = list(history(found.orders, call.house.mapper))
    acting = [one.actor_id for one in orders if one.actor_role not in HOUSE]
    people = [found.purchase.purchaser_id, *(one.member_id for one in found.assignments), *acting]
    names = name_members(call.directory, query, people)
    row = found.purchase
    data = {
        "product": row.product_name,
        "purchaser": named(names, row.purchaser_id, "user_name"),
        "purchaser_name": named(names, row.purchaser_id, "display_name"),
        "expiry_date": row.ends_on,
        "price_text": money(row.purchase_price_minor, row.currency, row.currency_exponent),
        **row.model_dump(),
        "assignments": [
            {**one.model_dump(), "user_name": named(names, one.member_id, "user_name")} for one in found.assignments
        ],
        "orders": [{**one.model_dump(), "actor": named(names, one.actor_id, "user_name")} for one in orders],
    }
    return Answer(data, list(shown(data, orders_named=[named(names, one.actor_id, "user_name") for one in orders])))


@verb(root, "products", role="purchaser")
def products(
    call: Call,
    self_service: Annotated[bool, typer.Option("--self-service", help="Only what you bought by yourself.")] = False,
) -> Answer:
    """Shows what you bought: a row per subscription, and the licenses of each product summed.

    Example: `seatledger products --org contoso --as chris@contoso.com`
    """
    channel = "self_service" if self_service else None
    head = call.house.views.head()
    query = call.wish(ListMyProducts, channel=channel, at_least=head)
    sums = list_my_products(call.house.ledger, call.house.views, query)
    where = PurchaseFilter(channel=channel, purchaser_id=call.actor.id)  # type: ignore[arg-type]
    rows = list(all_purchases(call, where))
    data = {"products": [one.model_dump() for one in sums], "subscriptions": [row.model_dump() for row in rows]}
    return Answer(
        data,
        [
            table(
                "My products",
                ("product", "subscriptions", "licenses", "assigned"),
                [(one.product_name, one.subscriptions, one.licenses_total, one.licenses_assigned) for one in sums],
                numbers=("subscriptions", "licenses", "assigned"),
            ),
            table(
                "My subscriptions",
                ("product", "subscription", "expires", "licenses", "state"),
                [
                    (
                        row.product_name,
                        row.subscription_id,
                        row.ends_on,
                        f"{row.licenses_assigned} of {row.licenses_total}",
                        row.state,
                    )
                    for row in rows
                ],
                numbers=("licenses",),
            ),
        ],
    )
