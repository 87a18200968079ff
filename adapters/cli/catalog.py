"""catalog: import, list, price, withdraw."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from uuid import uuid5

import typer

from adapters.catalog.currency import minor_units, money
from adapters.catalog.prices import PRICES, read_offers
from adapters.catalog.products import PRODUCTS, SELF_SERVICE, read_products
from adapters.cli.answer import Answer, plural, table
from adapters.cli.call import OPERATOR, Call
from adapters.cli.failure import BadInput
from adapters.cli.find import catalog_of, find_offer
from adapters.cli.groups import catalog
from adapters.cli.parse import day_from
from adapters.cli.progress import told_progress
from adapters.cli.verb import verb
from domain.organization import CATALOG
from services.import_catalog import ImportCatalog, import_catalog
from services.schedule_price import SchedulePrice, schedule_price
from services.withdraw_offer import WithdrawOffer, withdraw_offer

PRODUCTS_OF_A_COMMAND = 200

FileOption = Annotated[Path, typer.Option(metavar="FILE.csv", show_default="the packaged facts")]
OfferArgument = Annotated[str, typer.Argument(help="An offer by id, or a product with one offer by its name.")]


@verb(catalog, "import", role=OPERATOR, org=False, command=True)
def import_files(
    call: Call,
    products: FileOption = PRODUCTS,
    self_service: FileOption = SELF_SERVICE,
    prices: FileOption = PRICES,
) -> Answer:
    """Imports products and offers: without files the real ones, 571 products, 17 of them self-service.

    On sale is what has a list price. An offer that exists keeps its price: see `seatledger catalog price`.

    Example: `seatledger catalog import`
    """
    rows = read_products(products, self_service)
    offers = read_offers(rows, prices)
    changed = 0
    with told_progress("imported", "products", len(rows)) as advance:
        for number, first in enumerate(range(0, max(len(rows), 1), PRODUCTS_OF_A_COMMAND)):
            part = rows[first : first + PRODUCTS_OF_A_COMMAND]
            last = first + PRODUCTS_OF_A_COMMAND >= len(rows)
            command_id = call.command_id if number == 0 else uuid5(call.command_id, f"part:{number}")
            command = call.wish(
                ImportCatalog, organization_id=CATALOG, products=part, offers=offers if last else ()
            ).model_copy(update={"command_id": command_id, "correlation_id": call.command_id})
            receipt = import_catalog(call.house.ledger, command)
            changed += receipt.events
            advance(len(part))
    data = {
        "command_id": call.command_id,
        "organization_id": CATALOG,
        "position": receipt.position,
        "products": len(rows),
        "self_service": sum(row.self_service for row in rows),
        "on_sale": len({offer.terms.product_id for offer in offers}),
        "offers": len(offers),
        "events": changed,
    }
    done = f"{plural(changed, 'event')} recorded" if changed else "nothing to change"
    return Answer(
        data,
        f"{plural(len(rows), 'product')}, {data['self_service']} of them self-service;"
        f" {plural(len(offers), 'offer')} of {plural(data['on_sale'], 'product')}; {done}",  # type: ignore[arg-type]
    )


@verb(catalog, "list", role=OPERATOR, org=True)
def show(
    call: Call,
    on_sale: Annotated[bool, typer.Option("--on-sale", help="Only what can be bought today.")] = False,
    product: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Only products whose name has this in it.")
    ] = None,
) -> Answer:
    """Lists products and their offers.

    Examples: `seatledger catalog list --on-sale`, `seatledger catalog list --product visio`
    """
    found = [
        listed
        for listed in catalog_of(call)
        if (not on_sale or any(offer.price for offer in listed.offers))
        and (product is None or product.lower() in listed.product.name.lower())
    ]
    rows: list[tuple[object, ...]] = []
    for listed in found:
        kind = "self-service" if listed.product.self_service else ""
        rows += [
            (
                listed.product.name,
                listed.product.product_id,
                kind,
                offer.offer_id,
                f"{offer.terms.term} {offer.terms.plan}",
                money(offer.price.unit_price_minor, offer.terms.currency, offer.terms.currency_exponent)
                if offer.price
                else "withdrawn",
            )
            for offer in listed.offers
        ] or [(listed.product.name, listed.product.product_id, kind, "", "", "")]
    columns = ("product", "id", "sold by", "offer", "term", "price")
    return Answer(
        {"products": [one.model_dump() for one in found]}, table("Catalog", columns, rows, numbers=("price",))
    )


@verb(catalog, "price", role=OPERATOR, org=False, command=True)
def price(
    call: Call,
    offer: OfferArgument,
    on: Annotated[str, typer.Option("--on", metavar="DATE", help="The first day of the price (UTC), after today.")],
    amount: Annotated[str | None, typer.Option(help="Of one license per billing period, such as 15.00.")] = None,
    withdraw: Annotated[
        bool, typer.Option("--withdraw", help="Withdraws the price that would start on that day.")
    ] = False,
) -> Answer:
    """Schedules a price from a day on, for terms that start then; or withdraws it before it takes effect.

    Example: `seatledger catalog price "Power BI Pro" --on 2030-01-01 --amount 15.00`
    """
    if (amount is None) != withdraw:
        raise BadInput("say --amount, or --withdraw, and not both")
    day = day_from(on, "--on")
    offer_id = find_offer(call, offer)
    terms = call.house.ledger.offer(offer_id).terms
    minor = None
    if amount is not None:
        try:
            minor = minor_units(amount, terms.currency)
        except ValueError as error:
            raise BadInput(f"--amount {error}") from None
    command = call.wish(
        SchedulePrice, organization_id=CATALOG, offer_id=offer_id, effective_on=day, unit_price_minor=minor
    )
    receipt = schedule_price(call.house.ledger, command)
    said = (
        "no price starts" if minor is None else f"{money(minor, terms.currency, terms.currency_exponent)} per license"
    )
    return call.answer(receipt, f"offer {offer_id}: {said} on {day}", organization_id=CATALOG, offer_id=offer_id)


@verb(catalog, "withdraw", role=OPERATOR, org=False, command=True)
def withdraw(
    call: Call,
    offer: OfferArgument,
    on: Annotated[
        str | None, typer.Option("--on", metavar="DATE", help="The first day without it (UTC), after today.")
    ] = None,
    revoke: Annotated[bool, typer.Option("--revoke", help="Takes the withdrawal back before it takes effect.")] = False,
) -> Answer:
    """Withdraws an offer from a day on: it is not sold and does not renew; running terms go on.

    Examples: `seatledger catalog withdraw "Visio Plan 1" --on 2030-01-01`, `seatledger catalog withdraw OFFER --revoke`
    """
    if (on is None) != revoke:
        raise BadInput("say --on, or --revoke, and not both")
    day = day_from(on, "--on") if on else None
    offer_id = find_offer(call, offer)
    command = call.wish(WithdrawOffer, organization_id=CATALOG, offer_id=offer_id, withdrawn_on=day)
    receipt = withdraw_offer(call.house.ledger, command)
    said = "stays on sale" if day is None else f"is not on sale from {day} on"
    return call.answer(receipt, f"offer {offer_id} {said}", organization_id=CATALOG, offer_id=offer_id)
