"""buy, reactivate."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

import typer

from adapters.cli.amounts import ExpectedAmount, expected_fields
from adapters.cli.answer import Answer, plural
from adapters.cli.billed import Billed
from adapters.cli.call import Call
from adapters.cli.failure import BadInput
from adapters.cli.find import find_member, find_offer, find_subscription
from adapters.cli.find_billing import ProfileOption, profile_fields
from adapters.cli.groups import root
from adapters.cli.licenses import SubscriptionArgument
from adapters.cli.quote import LicensesOption, OfferArgument, PlanOption, TermOption
from adapters.cli.quote_shown import price_of
from adapters.cli.verb import verb
from domain.subscription import Channel, Subscription
from services.buy_subscription import BuySubscription, buy_subscription
from services.ports import Receipt
from services.reactivate_subscription import ReactivateSubscription, reactivate_subscription


@verb(root, "buy", role="purchaser", command=True)
def buy(
    call: Call,
    offer: OfferArgument,
    licenses: LicensesOption,
    *,
    term: TermOption = None,
    plan: PlanOption = None,
    profile: ProfileOption = None,
    expected_amount: ExpectedAmount = None,
    channel: Annotated[Channel, typer.Option(help="central: an admin or operator buys for somebody.")] = "self_service",
    purchaser: Annotated[
        str | None, typer.Option("--for", metavar="USER_NAME", help="Whom a central purchase is for.")
    ] = None,
) -> Answer:
    """Buys a subscription, paid for first; its licenses can be assigned at once, and it renews until it is cancelled.

    Example: `seatledger buy "Power BI Pro" --licenses 100 --expected-amount 1400.00 --org contoso --as ben@contoso.com`
    """
    if purchaser and channel != "central":
        raise BadInput("--for goes with --channel central; a self-service purchase is for who acts")
    if channel == "central":
        call.role = "admin"
        if purchaser is None and call.user_name == "operator":
            raise BadInput("say whom the purchase is for: --for USER_NAME")
    fields: dict[str, Any] = {"licenses": licenses, "channel": channel, **expected_fields(call, expected_amount)}
    fields["offer_id"] = find_offer(call, offer, term=term, plan=plan)
    if purchaser:
        fields["purchaser_id"] = find_member(call, purchaser)
    fields |= profile_fields(call, profile)
    command = call.wish(BuySubscription, **fields)
    return bought(call, buy_subscription(call.house.ledger, command, call.till), command.subscription_id)


@verb(root, "reactivate", role="purchaser", command=True)
def reactivate(
    call: Call,
    subscription: SubscriptionArgument,
    *,
    licenses: Annotated[
        int | None, typer.Option("--licenses", "-n", help="How many licenses. Default: as many as it had.")
    ] = None,
    profile: ProfileOption = None,
    expected_amount: ExpectedAmount = None,
) -> Answer:
    """Puts a new subscription in the place of an expired or disabled one, at today's price and with its holders.

    Example: `seatledger reactivate 1c9e5a02 --licenses 80 --org contoso --as ben@contoso.com`
    """
    fields: dict[str, Any] = {"subscription_id": find_subscription(call, subscription)}
    if licenses is not None:
        fields["licenses"] = licenses
    fields |= profile_fields(call, profile) | expected_fields(call, expected_amount)
    command = call.wish(ReactivateSubscription, **fields)
    return bought(call, reactivate_subscription(call.house.ledger, command, call.till), command.new_subscription_id)


def bought(call: Call, receipt: Receipt, subscription_id: UUID) -> Answer:
    """What was bought, at which price, and how it was paid for."""
    found = call.house.ledger.subscription(call.organization_id, subscription_id)
    told = call.house.ledger.told(call.organization_id, receipt)
    licenses = next(event.licenses for event in told if isinstance(event, Subscription.SubscriptionPurchased))
    billed = Billed(call, told)
    said = (
        f"bought {plural(licenses, 'license')} of {found.product.name} at {price_of(found.price)},"
        f" until {found.term.ends_on}"
    )
    return call.answer(
        receipt,
        "\n".join([said, *billed.lines, f"subscription {found.id}"]),
        subscription_id=found.id,
        pool_id=found.pool_id,
        **billed.data,
    )
