"""quote, buy."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from adapters.catalog.currency import money
from adapters.cli.answer import Answer, plural
from adapters.cli.call import Call
from adapters.cli.failure import BadInput
from adapters.cli.find import find_member, find_offer
from adapters.cli.groups import root
from adapters.cli.quote_cases import quoted_cases
from adapters.cli.verb import verb
from domain.calendar import BillingPlan, Term
from domain.offer import PriceFacts
from domain.subscription import Channel
from services.buy_subscription import BuySubscription, buy_subscription
from services.quote_offer import QuoteOffer, quote_offer

OfferArgument = Annotated[str, typer.Argument(help="An offer by id, or a product by its name or code.")]
LicensesOption = Annotated[int, typer.Option("--licenses", "-n", help="How many licenses.")]
TermOption = Annotated[Term | None, typer.Option(help="Which offer of the product: its term.")]
PlanOption = Annotated[BillingPlan | None, typer.Option(help="Which offer of the product: how it is billed.")]
CasesOption = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Published proration cases, each under the rule of its vendor; works offline."),
]

PERIODS: dict[BillingPlan, str] = {"monthly": "month", "annual": "year"}


@verb(root, "quote", role="purchaser")
def quote(
    call: Call,
    offer: Annotated[str | None, typer.Argument(help="An offer by id, or a product by its name or code.")] = None,
    licenses: Annotated[int | None, typer.Option("--licenses", "-n", help="How many licenses.")] = None,
    *,
    term: TermOption = None,
    plan: PlanOption = None,
    cases: CasesOption = None,
) -> Answer:
    """Says what an offer costs today, recording nothing.

    Example: `seatledger quote "Power BI Pro" --licenses 100 --org contoso --as chris@contoso.com`
    """
    if cases is not None:
        if (offer, licenses, term, plan) != (None, None, None, None):
            raise BadInput("--cases quotes a file alone; leave the offer, --licenses, --term and --plan out")
        return quoted_cases(cases)
    if offer is None or licenses is None:
        raise BadInput("say what to quote: OFFER and --licenses, or --cases FILE")
    query = call.wish(QuoteOffer, offer_id=find_offer(call, offer, term=term, plan=plan), licenses=licenses)
    quoted = quote_offer(call.house.ledger, query)
    price = quoted.price
    lines = [
        f"{plural(licenses, 'license')} at {price_of(price)}",
        f"{amount(quoted.amount_minor, price)} before tax for each {PERIODS[price.plan]}",
        f"first term {quoted.term.start} to {quoted.term.ends_on}, then renewed; offer {price.offer_id}",
    ]
    return Answer({**quoted.model_dump(), "ends_on": quoted.term.ends_on}, "\n".join(lines))


@verb(root, "buy", role="purchaser", command=True)
def buy(
    call: Call,
    offer: OfferArgument,
    licenses: LicensesOption,
    *,
    term: TermOption = None,
    plan: PlanOption = None,
    channel: Annotated[Channel, typer.Option(help="central: an admin or operator buys for somebody.")] = "self_service",
    purchaser: Annotated[
        str | None, typer.Option("--for", metavar="USER_NAME", help="Whom a central purchase is for.")
    ] = None,
) -> Answer:
    """Buys a subscription; its licenses can be assigned at once, and it renews until it is cancelled.

    Example: `seatledger buy "Power BI Pro" --licenses 100 --org contoso --as chris@contoso.com`
    """
    if purchaser and channel != "central":
        raise BadInput("--for goes with --channel central; a self-service purchase is for who acts")
    if channel == "central":
        call.role = "admin"
        if purchaser is None and call.user_name == "operator":
            raise BadInput("say whom the purchase is for: --for USER_NAME")
    fields = {"offer_id": find_offer(call, offer, term=term, plan=plan), "licenses": licenses, "channel": channel}
    if purchaser:
        fields["purchaser_id"] = find_member(call, purchaser)
    command = call.wish(BuySubscription, **fields)
    receipt = buy_subscription(call.house.ledger, command)
    bought = call.house.ledger.subscription(call.organization_id, command.subscription_id)
    return call.answer(
        receipt,
        f"bought {plural(licenses, 'license')} of {bought.product.name} at {price_of(bought.price)},"
        f" until {bought.term.ends_on}\nsubscription {bought.id}",
        subscription_id=bought.id,
        pool_id=bought.pool_id,
    )


def price_of(price: PriceFacts) -> str:
    """14.00 USD per license and month."""
    return f"{amount(price.unit_price_minor, price)} per license and {PERIODS[price.plan]}"


def amount(minor: int, price: PriceFacts) -> str:
    return money(minor, price.currency, price.currency_exponent)
