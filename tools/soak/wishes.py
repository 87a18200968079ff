"""What the writers of a soak want: the lives of organizations, and a few organizations that all of them share."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from adapters.postgres.ledger import directory_of
from domain.offer import OfferTerms
from domain.organization import CATALOG, OrganizationFacts, organization_id_of
from domain.product import ProductFacts
from services.add_payment_method import AddPaymentMethod, add_payment_method
from services.assign_licenses import AssignLicenses, assign_licenses
from services.buy_subscription import BuySubscription, buy_subscription
from services.cancel_subscription import CancelSubscription, cancel_subscription
from services.command import Actor, Command
from services.create_organization import CreateOrganization, create_organization
from services.import_catalog import ImportCatalog, OfferRow, import_catalog
from services.import_members import ImportMembers, MemberRow, import_members
from services.ledger import Ledger, offer_id_of
from services.open_billing_profile import OpenBillingProfile, open_billing_profile
from services.ports import Receipt
from services.resize_licenses import ResizeLicenses, resize_licenses
from services.set_self_service_policy import SetSelfServicePolicy, set_self_service_policy
from services.till import Till
from services.unassign_licenses import UnassignLicenses, unassign_licenses

OPERATOR = Actor(id=UUID(int=91), role="operator")
PRODUCT = ProductFacts(
    product_id="CFQ7TTC0H9MP",
    name="Power BI Pro",
    sku_part_number="POWER_BI_PRO",
    sku_id=UUID("f8a1db68-be16-40ed-86d5-cb42ce701560"),
    self_service=True,
    policies=("Enabled", "Disabled"),
)
TERMS = OfferTerms(
    product_id=PRODUCT.product_id, term="P1M", plan="monthly", currency="USD", currency_exponent=2, maximum=1_000_000
)
MEMBERS = 40  # of an organization, beside its admin
LICENSES = 60
IN_SHARED = 0.2  # of the wishes that open no organization
IN_THE_OLDEST = 0.7  # of the others: lives are to end, and not all at the same time
SHARED_LICENSES = 12  # fewer than members, so that some want one in vain

OPERATIONS: dict[type[Command], Callable[[Ledger, Any, Till], Receipt]] = {
    AddPaymentMethod: add_payment_method,
    AssignLicenses: assign_licenses,
    BuySubscription: buy_subscription,
    CancelSubscription: cancel_subscription,
    CreateOrganization: lambda ledger, command, _: create_organization(ledger, command),
    ImportCatalog: lambda ledger, command, _: import_catalog(ledger, command),
    ImportMembers: lambda ledger, command, _: import_members(ledger, command, directory_of(ledger)),
    OpenBillingProfile: lambda ledger, command, _: open_billing_profile(ledger, command),
    ResizeLicenses: resize_licenses,
    SetSelfServicePolicy: lambda ledger, command, _: set_self_service_policy(ledger, command),
    UnassignLicenses: unassign_licenses,
}
KINDS = {kind.__name__: kind for kind in OPERATIONS}


def carry_out(ledger: Ledger, till: Till, command: Command) -> Receipt:
    return OPERATIONS[type(command)](ledger, command, till)


def parse_command(name: str, content: str) -> Command:
    return KINDS[name].model_validate_json(content)


class Organization(BaseModel):
    """Ids that the wishes of one organization are made of; they follow from its commands."""

    id: UUID
    admin_id: UUID
    member_ids: list[UUID]
    subscription_id: UUID

    @property
    def admin(self) -> Actor:
        return Actor(id=self.admin_id, role="admin")

    @property
    def buyer(self) -> Actor:
        return Actor(id=self.member_ids[0], role="purchaser")


def catalog(chance: random.Random) -> Command:
    row = OfferRow(terms=TERMS, unit_price_minor=1_400)
    return ImportCatalog(
        organization_id=CATALOG, command_id=an_id(chance), actor=OPERATOR, products=(PRODUCT,), offers=(row,)
    )


def opening(chance: random.Random, licenses: int = LICENSES) -> tuple[Organization, list[Command]]:
    """An organization that comes to be, gets members and a card, and buys: five commands."""
    handle = f"soak-{an_id(chance).hex}"
    organization_id = organization_id_of(handle)
    founding = CreateOrganization(
        organization_id=organization_id,
        command_id=an_id(chance),
        actor=OPERATOR,
        facts=OrganizationFacts(handle=handle, country="US", currency="USD", currency_exponent=2),
        first_admin=a_row(0),
    )
    admin = Actor(id=founding.first_admin_id, role="admin")
    rows = tuple(a_row(number) for number in range(1, MEMBERS + 1))
    joining = ImportMembers(organization_id=organization_id, command_id=an_id(chance), actor=admin, rows=rows)
    members = [joining.new_id(f"member:{index}") for index in range(MEMBERS)]
    buyer = Actor(id=members[0], role="purchaser")
    card = AddPaymentMethod(
        organization_id=organization_id, command_id=an_id(chance), actor=buyer, token=f"tok_visa:{organization_id.hex}"
    )
    profile = OpenBillingProfile(
        organization_id=organization_id,
        command_id=an_id(chance),
        actor=buyer,
        payment_method_id=card.payment_method_id,
    )
    buying = BuySubscription(
        organization_id=organization_id,
        command_id=an_id(chance),
        actor=buyer,
        offer_id=offer_id_of(TERMS),
        licenses=licenses,
    )
    organization = Organization(
        id=organization_id, admin_id=admin.id, member_ids=members, subscription_id=buying.subscription_id
    )
    return organization, [founding, joining, card, profile, buying]


def going_on(chance: random.Random, of: Organization) -> Iterator[Command]:
    """What happens in an organization of one's own after it has bought: nothing of it is refused."""
    first, second = of.member_ids[:20], of.member_ids[20:]
    yield wish(chance, AssignLicenses, of, of.buyer, user_ids=first)
    yield wish(chance, ResizeLicenses, of, of.buyer, total=chance.randint(LICENSES - 5, LICENSES + 50))
    yield wish(chance, AssignLicenses, of, of.buyer, user_ids=second)
    yield wish(chance, UnassignLicenses, of, of.buyer, subscription_ids=(of.subscription_id,), user_ids=first)
    yield SetSelfServicePolicy(
        organization_id=of.id,
        command_id=an_id(chance),
        actor=of.admin,
        product_id=PRODUCT.product_id,
        policy="Disabled" if chance.getrandbits(1) else "Enabled",
    )
    yield wish(chance, AssignLicenses, of, of.buyer, user_ids=chance.sample(of.member_ids, 15))
    yield wish(chance, CancelSubscription, of, of.buyer, when="now", reason="other", feedback="Generated feedback")


def in_shared(chance: random.Random, of: Organization) -> Command:
    """What many writers want of one pool at the same time; some of it is refused."""
    users = chance.sample(of.member_ids, chance.randint(1, 4))
    match chance.randrange(5):
        case 0 | 1:
            return wish(chance, AssignLicenses, of, of.buyer, user_ids=users)
        case 2 | 3:
            return wish(chance, UnassignLicenses, of, of.buyer, subscription_ids=(of.subscription_id,), user_ids=users)
        case _:
            total = SHARED_LICENSES + chance.randint(0, 10)
            return wish(chance, ResizeLicenses, of, of.buyer, total=total)


def wishes(chance: random.Random, shared: Sequence[Organization]) -> Iterator[Command]:
    """Commands without end: every other one opens a new organization."""
    lives: list[Iterator[Command]] = []
    while True:
        organization, (founding, *rest) = opening(chance)
        yield founding
        lives.append(_one_after_the_other(rest, going_on(chance, organization)))
        if shared and chance.random() < IN_SHARED:
            yield in_shared(chance, chance.choice(shared))
        else:
            life = lives[0] if chance.random() < IN_THE_OLDEST else chance.choice(lives)
            if (command := next(life, None)) is not None:
                yield command
            else:
                lives.remove(life)


def _one_after_the_other(first: Sequence[Command], then: Iterator[Command]) -> Iterator[Command]:
    yield from first
    yield from then


def wish(chance: random.Random, kind: type[Command], of: Organization, by: Actor, **content: Any) -> Command:
    named = {} if kind is UnassignLicenses else {"subscription_id": of.subscription_id}
    return kind.model_validate({"organization_id": of.id, "command_id": an_id(chance), "actor": by, **named, **content})


def a_row(number: int) -> MemberRow:
    user_name = f"generated.{number:04}@contoso.example"
    return MemberRow(user_name=user_name, display_name=f"Generated Member {number:04}")


def an_id(chance: random.Random) -> UUID:
    """An id that a run with the same seed gives again."""
    return UUID(int=chance.getrandbits(128), version=4)
