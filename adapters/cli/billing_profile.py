"""billing-profile: open, list, show, bill-to, po-number, replace-card, grant, revoke."""

from __future__ import annotations

from typing import Annotated

import typer

from adapters.catalog.currency import country_of, money
from adapters.cli.answer import Answer, table
from adapters.cli.billed import card_named, past_due_after
from adapters.cli.call import Call
from adapters.cli.failure import BadInput
from adapters.cli.find import find_member
from adapters.cli.find_billing import MethodArgument, ProfileOption, find_payment_method, find_profile, profiles
from adapters.cli.groups import billing_profiles
from adapters.cli.purchase_shown import named
from adapters.cli.verb import verb
from adapters.documents.invoice_json import amounts_of
from domain.billing_profile import BillingProfile, ProfileRole
from services.change_bill_to import ChangeBillTo, change_bill_to
from services.grant_profile_role import GrantProfileRole, grant_profile_role
from services.list_billing_profiles import ListBillingProfiles
from services.name_members import name_members
from services.open_billing_profile import OpenBillingProfile, open_billing_profile
from services.ports import Receipt
from services.replace_payment_method import ReplacePaymentMethod, replace_payment_method
from services.revoke_profile_role import RevokeProfileRole, revoke_profile_role
from services.set_po_number import SetPoNumber, set_po_number
from services.show_billing_profile import ShowBillingProfile, show_billing_profile

CountryOption = Annotated[str | None, typer.Option(help="Where the payer is, which decides the tax, such as US.")]
NameOption = Annotated[
    str | None, typer.Option("--name", metavar="NAME", help="Who invoices are made out to; can be forgotten.")
]
BillAddressOption = Annotated[str | None, typer.Option("--address", metavar="TEXT", help="Their address; likewise.")]
TaxIdOption = Annotated[str | None, typer.Option("--tax-id", metavar="ID", help="Their tax number; likewise.")]


@verb(billing_profiles, "open", role="purchaser", command=True)
def open_profile(
    call: Call,
    payment_method: MethodArgument,
    *,
    country: CountryOption = None,
    name: NameOption = None,
    address: BillAddressOption = None,
    tax_id: TaxIdOption = None,
) -> Answer:
    """Opens a billing profile that charges a card; your first one is what your purchases are billed on.

    Example: `seatledger billing-profile open 1c9e5a02 --name "Contoso Ltd" --org contoso --as ben@contoso.com`
    """
    fields = bill_to_fields(country, name, address, tax_id)
    method_id = find_payment_method(call, payment_method)
    command = call.wish(OpenBillingProfile, payment_method_id=method_id, **fields)
    receipt = open_billing_profile(call.house.ledger, command)
    told = call.house.ledger.told(call.organization_id, receipt)
    opened = next(event for event in told if isinstance(event, BillingProfile.BillingProfileOpened))
    return call.answer(
        receipt,
        f"billing profile {opened.prefix}, in {opened.currency}\nbilling profile {opened.originator_id}",
        billing_profile_id=opened.originator_id,
        prefix=opened.prefix,
    )


def bill_to_fields(country: str | None, name: str | None, address: str | None, tax_id: str | None) -> dict[str, str]:
    given = {
        "country": country and country_of(country.upper()),
        "bill_to": name,
        "address": address,
        "tax_id": tax_id,
    }
    return {field: value for field, value in given.items() if value is not None}


@verb(billing_profiles, "list", role="admin", otherwise="purchaser")
def show_all(call: Call) -> Answer:
    """Lists billing profiles: all of the organization for admins, else those on which you have a role.

    Example: `seatledger billing-profile list --org contoso --as ben@contoso.com`
    """
    found = list(profiles(call))
    names = name_members(call.directory, call.wish(ListBillingProfiles), [row.owner_id for row in found])
    data = [
        {**amounts_of(row, row.currency_exponent), "owner": named(names, row.owner_id, "user_name")} for row in found
    ]
    rows = [
        (
            one["prefix"],
            one["billing_profile_id"],
            one["owner"] or one["owner_id"],
            one["country"],
            one["po_number"] or "",
            one["subscriptions"],
            one["invoices"],
            f"{one['balance']} {one['currency']}",
        )
        for one in data
    ]
    columns = ("prefix", "profile", "owner", "country", "PO number", "subscriptions", "invoices", "credit")
    numbers = ("subscriptions", "invoices", "credit")
    return Answer({"billing_profiles": data}, table("Billing profiles", columns, rows, numbers=numbers))


@verb(billing_profiles, "show", role="admin", otherwise="purchaser")
def show_one(
    call: Call,
    profile: Annotated[
        str | None, typer.Argument(metavar="PROFILE", help="The prefix of its numbers, or its id. Default: your own.")
    ] = None,
) -> Answer:
    """Shows a billing profile: who is billed, by which card, what is kept as credit, and who has a role on it.

    Example: `seatledger billing-profile show K7Q2ZD --org contoso --as ben@contoso.com`
    """
    query = call.wish(ShowBillingProfile, billing_profile_id=find_profile(call, profile))
    found = show_billing_profile(call.house.ledger, call.directory, query)
    names = name_members(call.directory, query, [found.owner_id, *found.roles])
    people = {one: named(names, one, "user_name") for one in [found.owner_id, *found.roles]}
    card = found.card
    rows = [
        ("profile", found.billing_profile_id),
        ("owner", people[found.owner_id] or found.owner_id),
        ("billed to", "\n".join([*found.bill_to, found.country])),
        ("tax id", found.tax_id or ""),
        ("PO number", found.po_number or ""),
        ("card", f"{card_named(card.brand, card.last4)}, until {card.expiry.month:02}/{card.expiry.year}"),
        ("credit", money(found.balance_minor, found.currency, found.currency_exponent)),
        ("subscriptions", len(found.subscription_ids)),
        ("invoices", found.invoices),
        *((role.replace("_", " "), people[one] or one) for one, role in found.roles.items()),
    ]
    data = {
        **amounts_of(found, found.currency_exponent),
        "user_names": {str(one): said for one, said in people.items()},
    }
    return Answer(data, table(f"Billing profile {found.prefix}", ("", ""), rows))


@verb(billing_profiles, "bill-to", role="purchaser", command=True)
def bill_to(
    call: Call,
    *,
    profile: ProfileOption = None,
    country: CountryOption = None,
    name: NameOption = None,
    address: BillAddressOption = None,
    tax_id: TaxIdOption = None,
) -> Answer:
    """Changes who the invoices to come are made out to; issued ones stay as they are.

    Example: `seatledger billing-profile bill-to --country DE --name "Contoso GmbH" --org contoso --as ben@contoso.com`
    """
    fields = bill_to_fields(country, name, address, tax_id)
    if not fields:
        raise BadInput("say what changes: --country, --name, --address or --tax-id")
    command = call.wish(ChangeBillTo, billing_profile_id=find_profile(call, profile), **fields)
    receipt = change_bill_to(call.house.ledger, command, call.till)
    return answered(call, receipt, command, "the invoices to come are made out as you said")


@verb(billing_profiles, "po-number", role="purchaser", command=True)
def po_number(
    call: Call,
    number: Annotated[str | None, typer.Argument(metavar="NUMBER", help="The purchase order's number.")] = None,
    *,
    profile: ProfileOption = None,
    none: Annotated[bool, typer.Option("--none", help="The invoices to come carry none.")] = False,
) -> Answer:
    """Sets the PO number that the invoices to come carry; it never appears on issued ones.

    Examples: `seatledger billing-profile po-number PO-2026-17`, `seatledger billing-profile po-number --none`
    """
    if (number is None) != none:
        raise BadInput("say the PO number, or --none, and not both")
    command = call.wish(SetPoNumber, billing_profile_id=find_profile(call, profile), po_number=number)
    receipt = set_po_number(call.house.ledger, command, call.till)
    return answered(call, receipt, command, f"PO number {number}" if number else "no PO number")


@verb(billing_profiles, "replace-card", role="purchaser", command=True)
def replace_card(call: Call, payment_method: MethodArgument, *, profile: ProfileOption = None) -> Answer:
    """Charges another card from now on, and what is past due at once; the replaced card stays stored.

    Example: `seatledger billing-profile replace-card 1c9e5a02 --org contoso --as ben@contoso.com`
    """
    method_id = find_payment_method(call, payment_method)
    command = call.wish(
        ReplacePaymentMethod, billing_profile_id=find_profile(call, profile), payment_method_id=method_id
    )
    receipt = replace_payment_method(call.house.ledger, command, call.till)
    lines, past_due = past_due_after(call, [command.billing_profile_id])
    said = "\n".join([f"charges payment method {method_id}", *lines])
    return call.answer(
        receipt, said, billing_profile_id=command.billing_profile_id, payment_method_id=method_id, past_due=past_due
    )


@verb(billing_profiles, "grant", role="purchaser", command=True)
def grant(
    call: Call,
    user_name: Annotated[str, typer.Argument(metavar="USER_NAME", help="An active member.")],
    profile_role: Annotated[
        ProfileRole,
        typer.Argument(
            metavar="ROLE", help="contributor: buys on it; invoice_manager: pays; reader: sees its invoices."
        ),
    ],
    *,
    profile: ProfileOption = None,
) -> Answer:
    """Gives a member a role on a billing profile, in place of the one that they had; its owner decides.

    Example: `seatledger billing-profile grant david@contoso.com reader --org contoso --as ben@contoso.com`
    """
    profile_id, member_id = find_profile(call, profile), find_member(call, user_name)
    command = call.wish(GrantProfileRole, billing_profile_id=profile_id, member_id=member_id, role=profile_role)
    receipt = grant_profile_role(call.house.ledger, command, call.till)
    return answered(call, receipt, command, f"{user_name} is {profile_role.replace('_', ' ')}")


@verb(billing_profiles, "revoke", role="purchaser", command=True)
def revoke(
    call: Call,
    user_name: Annotated[str, typer.Argument(metavar="USER_NAME", help="Who has a role on it.")],
    *,
    profile: ProfileOption = None,
) -> Answer:
    """Takes a member's role on a billing profile away; its owner stays.

    Example: `seatledger billing-profile revoke david@contoso.com --org contoso --as ben@contoso.com`
    """
    profile_id, member_id = find_profile(call, profile), find_member(call, user_name)
    command = call.wish(RevokeProfileRole, billing_profile_id=profile_id, member_id=member_id)
    receipt = revoke_profile_role(call.house.ledger, command, call.till)
    return answered(call, receipt, command, f"{user_name} has no role")


ProfileChange = ChangeBillTo | SetPoNumber | GrantProfileRole | RevokeProfileRole


def answered(call: Call, receipt: Receipt, command: ProfileChange, said: str) -> Answer:
    """What was changed about a profile, by the prefix that people see on its invoices."""
    profile = call.house.ledger.billing_profile(call.organization_id, command.billing_profile_id)
    return call.answer(
        receipt, f"billing profile {profile.prefix}: {said}", billing_profile_id=profile.id, prefix=profile.prefix
    )
