"""quote."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from adapters.catalog.currency import money
from adapters.cli.answer import Answer, plural
from adapters.cli.call import Call
from adapters.cli.failure import BadInput
from adapters.cli.find import find_offer, find_subscription
from adapters.cli.find_billing import ProfileOption, find_profile, profile_fields
from adapters.cli.groups import root
from adapters.cli.quote_cases import quoted_cases
from adapters.cli.quote_shown import PERIODS, price_of, quote_lines
from adapters.cli.verb import verb
from adapters.documents.invoice_json import amounts_of
from domain.billing_profile import BillingProfile
from domain.calendar import BillingPlan, Term
from services.buy_subscription import BuySubscription
from services.cancel_subscription import CancelSubscription
from services.quote import Quotable, QuoteRenewal
from services.quote import quote as quoted_of
from services.quote_offer import QuoteOffer, quote_offer
from services.reactivate_subscription import ReactivateSubscription
from services.resize_licenses import ResizeLicenses

OfferArgument = Annotated[str, typer.Argument(help="An offer by id, or a product by its name or code.")]
LicensesOption = Annotated[int, typer.Option("--licenses", "-n", help="How many licenses.")]
TermOption = Annotated[Term | None, typer.Option(help="Which offer of the product: its term.")]
PlanOption = Annotated[BillingPlan | None, typer.Option(help="Which offer of the product: how it is billed.")]
CasesOption = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Published proration cases, each under the rule of its vendor; works offline."),
]


@verb(root, "quote", role="purchaser")
def quote(
    call: Call,
    subject: Annotated[
        str | None,
        typer.Argument(metavar="OFFER|SUBSCRIPTION", help="An offer or product to buy, or a subscription to change."),
    ] = None,
    licenses: Annotated[
        int | None, typer.Option("--licenses", "-n", help="Of an offer, or of a reactivation: how many licenses.")
    ] = None,
    *,
    term: TermOption = None,
    plan: PlanOption = None,
    profile: ProfileOption = None,
    total: Annotated[int | None, typer.Option(help="Of a subscription: the new total of licenses.")] = None,
    cancel: Annotated[
        Literal["now", "term_end"] | None, typer.Option(help="Of a subscription: cancelling it, and when.")
    ] = None,
    renewal: Annotated[bool, typer.Option("--renewal", help="Of a subscription: the next charge.")] = False,
    reactivate: Annotated[bool, typer.Option("--reactivate", help="Of a subscription that ended.")] = False,
    cases: CasesOption = None,
) -> Answer:
    """Says what a purchase or a change comes to, recording nothing: the code that charges says it.

    Of an offer: its price, and what a purchase comes to on your billing profile, if you have one.

    Examples: `seatledger quote "Power BI Pro" --licenses 100`, `seatledger quote 1c9e5a02 --total 105`,
    `seatledger quote 1c9e5a02 --cancel now`, `seatledger quote 1c9e5a02 --renewal`
    """
    changes = [total is not None, cancel is not None, renewal, reactivate]
    of_offer = [term is not None, plan is not None]
    if cases is not None:
        if any([subject is not None, licenses is not None, profile is not None, *changes, *of_offer]):
            raise BadInput("--cases quotes a file alone; leave the offer and everything else out")
        return quoted_cases(cases)
    if sum(changes) > 1:
        raise BadInput("say one of --total, --cancel, --renewal and --reactivate; each is a quote of its own")
    if subject is None or (licenses is None and not any(changes)):
        raise BadInput(
            "say what to quote: SUBSCRIPTION and --total, --cancel, --renewal or --reactivate;"
            " OFFER and --licenses, or --cases FILE"
        )
    if not any(changes):
        return quoted_offer(call, subject, licenses or 0, term=term, plan=plan, profile=profile)
    if any(of_offer) or ((licenses is not None or profile is not None) and not reactivate):
        raise BadInput("--licenses and --profile go with an offer or --reactivate, --term and --plan with an offer")
    fields: dict[str, Any] = {"subscription_id": find_subscription(call, subject)}
    if reactivate:
        fields |= profile_fields(call, profile) | ({} if licenses is None else {"licenses": licenses})
        return quoted(call, call.wish(ReactivateSubscription, **fields))
    return quoted(call, change_of(call, fields, total=total, cancel=cancel))


def change_of(
    call: Call, fields: dict[str, Any], *, total: int | None, cancel: Literal["now", "term_end"] | None
) -> Quotable:
    """A new total, a cancellation, or else the next renewal."""
    if total is not None:
        return call.wish(ResizeLicenses, total=total, **fields)
    if cancel is not None:
        return call.wish(CancelSubscription, when=cancel, reason="other", **fields)
    return call.wish(QuoteRenewal, **fields)


def quoted(call: Call, command: Quotable) -> Answer:
    """What the command would come to."""
    found = quoted_of(call.house.ledger, call.till, command)
    return Answer(amounts_of(found, found.currency_exponent), "\n".join(quote_lines(found)))


def quoted_offer(
    call: Call,
    subject: str,
    licenses: int,
    *,
    term: Term | None,
    plan: BillingPlan | None,
    profile: str | None,
) -> Answer:
    """The price of an offer; with what a purchase comes to for who has a billing profile."""
    query = call.wish(QuoteOffer, offer_id=find_offer(call, subject, term=term, plan=plan), licenses=licenses)
    priced = quote_offer(call.house.ledger, query)
    price = priced.price
    amount = money(priced.amount_minor, price.currency, price.currency_exponent)
    lines = [
        f"{plural(licenses, 'license')} at {price_of(price)}",
        f"{amount} before tax for each {PERIODS[price.plan]}",
        f"first term {priced.term.start} to {priced.term.ends_on}, then renewed; offer {price.offer_id}",
    ]
    data = {**amounts_of(priced, price.currency_exponent), "ends_on": priced.term.ends_on, "purchase": None}
    if profile is not None or has_own_profile(call):
        command = call.wish(
            BuySubscription, offer_id=query.offer_id, licenses=licenses, **profile_fields(call, profile)
        )
        found = quoted_of(call.house.ledger, call.till, command)
        data["purchase"] = amounts_of(found, found.currency_exponent)
        _, *more = quote_lines(found)
        lines += more
    return Answer(data, "\n".join(lines))


def has_own_profile(call: Call) -> bool:
    """Whether the caller is a member who is billed."""
    if not call.handle or call.actor.role != "purchaser":
        return False
    own_id = find_profile(call, None)
    return call.house.ledger.find(BillingProfile, call.organization_id, own_id) is not None
