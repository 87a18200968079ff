"""What people call things by: a product's name or code, an offer's product, the start of a subscription's id."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from uuid import UUID, uuid5

from adapters.catalog.currency import money
from adapters.cli.call import Call
from adapters.cli.failure import BadInput
from adapters.cli.parse import SHORTEST_PREFIX, uuid_from
from domain.calendar import BillingPlan, Term, utc_date
from domain.offer import Offer
from domain.organization import CATALOG
from domain.product import ProductFacts
from domain.refusals import NotFound, UserNotInOrganization
from services.list_catalog import OfferListed, ProductListed, list_catalog
from services.list_purchases import ListPurchases, list_purchases
from services.ports_reads import PurchaseFilter, PurchaseRow

SHOWN = 5  # of those that could be meant


def catalog_of(call: Call) -> list[ProductListed]:
    """The whole catalog, as it is today."""
    return list_catalog(call.house.ledger, call.actor, utc_date(call.house.clock()))


def find_product(call: Call, words: str, *, offered: bool = False) -> ProductListed:
    """The one product with this id, code or name; refuses what is unknown or could be several.

    Of several with one name, as real lists have them, `offered` means the one that has offers.
    """
    wanted = words.strip().lower()
    catalog = catalog_of(call)
    by_code = [listed for listed in catalog if wanted in codes_of(listed.product)]
    found = by_code or [listed for listed in catalog if listed.product.name.lower() == wanted]
    if not found:
        raise NotFound(what="product", key=words)
    if offered and len(found) > 1:
        found = [listed for listed in found if listed.offers] or found
    if len(found) > 1:
        choices = [f"{one.product.product_id} ({one.product.sku_part_number})" for one in found]
        raise BadInput(f"{len(found)} products are called {words}; say which by its id: {some(choices)}")
    return found[0]


def codes_of(product: ProductFacts) -> set[str]:
    codes = {product.product_id.lower(), product.sku_part_number.lower(), str(product.sku_id)}
    return codes - {"", "none"}


def find_offer(call: Call, words: str, *, term: Term | None = None, plan: BillingPlan | None = None) -> UUID:
    """An offer by its id, or the one on sale of a product, in the organization's currency."""
    if (offer_id := uuid_from(words)) and call.house.ledger.find(Offer, CATALOG, offer_id):
        return offer_id
    listed = find_product(call, words, offered=True)
    currency = call.organization.currency if call.handle else None
    found = [
        offer
        for offer in listed.offers
        if offer.price
        and currency in {None, offer.terms.currency}
        and term in {None, offer.terms.term}
        and plan in {None, offer.terms.plan}
    ]
    if not found:
        conditions = " ".join(filter(None, [f"in {currency}" if currency else "", term, plan]))
        raise NotFound(what="offer on sale", key=f"of {listed.product.name} {conditions}".strip())
    if len(found) > 1:
        raise BadInput(
            f"{listed.product.name} has {len(found)} offers; say --term and --plan, or the id:"
            f" {some([described(offer) for offer in found])}"
        )
    return found[0].offer_id


def described(offer: OfferListed) -> str:
    terms = offer.terms
    price = money(offer.price.unit_price_minor, terms.currency, terms.currency_exponent) if offer.price else "no price"
    return f"{offer.offer_id} ({terms.term} {terms.plan}, {price})"


def find_subscription(call: Call, words: str) -> UUID:
    """A subscription by its id, or by the first 8 or more characters of it."""
    if subscription_id := uuid_from(words):
        return subscription_id
    start = words.strip().lower()
    if len(start) < SHORTEST_PREFIX or not set(start) <= set("0123456789abcdef-"):
        raise BadInput(
            f"{words!r} is no subscription id; write all of it or its first {SHORTEST_PREFIX} or more characters"
        )
    found = [row.subscription_id for row in purchases(call) if str(row.subscription_id).startswith(start)]
    if not found:
        raise NotFound(what="subscription", key=words)
    if len(found) > 1:
        raise BadInput(f"{len(found)} subscriptions begin with {words}; write more of the id: {some(found)}")
    return found[0]


def purchases(call: Call, where: PurchaseFilter | None = None) -> Iterator[PurchaseRow]:
    """All purchases that the caller may see, a page at a time."""
    views = call.house.views
    query = call.wish(ListPurchases, where=where or PurchaseFilter(), at_least=views.head())
    while True:
        page = list_purchases(call.house.ledger, views, query)
        yield from page.rows
        if page.following is None:
            return
        query = query.model_copy(update={"after": page.following})


def find_member(call: Call, user_name: str) -> UUID:
    """A member by user name."""
    found = ids_of(call, [user_name])
    if not found:
        raise NotFound(what="user", key=user_name)
    return next(iter(found.values()))


def candidates(call: Call, user_names: Sequence[str]) -> list[UUID]:
    """Ids of users, once each; an unknown one gets an id that nobody has, so that the service refuses it by name."""
    known = {name.lower(): member_id for name, member_id in ids_of(call, user_names).items()}
    ids = []
    for name in user_names:
        member_id = known.get(name.lower()) or uuid5(call.organization_id, f"unknown:{name.lower()}")
        call.known_names[member_id] = name
        ids.append(member_id)
    return list(dict.fromkeys(ids))


def members_named(call: Call, user_names: Sequence[str]) -> list[UUID]:
    """Ids of users, once each; refuses with every unknown one."""
    known = {name.lower(): member_id for name, member_id in ids_of(call, user_names).items()}
    if unknown := [name for name in user_names if name.lower() not in known]:
        raise UserNotInOrganization(reasons=dict.fromkeys(unknown, "unknown"))
    return list(dict.fromkeys(known[name.lower()] for name in user_names))


def ids_of(call: Call, user_names: Sequence[str]) -> dict[str, UUID]:
    _ = call.organization, call.actor  # an unknown organization, and who acts, are named before unknown users
    directory = call.directory if call.actor.role == "auditor" else call.house.directory
    found = dict(directory.member_ids(call.organization_id, list(dict.fromkeys(user_names))))
    call.known_names.update({member_id: name for name, member_id in found.items()})
    return found


def some(choices: Sequence[object]) -> str:
    """The first few, and how many more there are."""
    shown = ", ".join(str(choice) for choice in choices[:SHOWN])
    return shown if len(choices) <= SHOWN else f"{shown} and {len(choices) - SHOWN} more"
