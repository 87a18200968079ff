"""The tree of verbs."""

from __future__ import annotations

import typer


def group(help_text: str | None) -> typer.Typer:
    """A group of verbs; said alone it shows its help."""
    return typer.Typer(
        help=help_text,
        no_args_is_help=True,
        rich_markup_mode="markdown",
        add_completion=False,
        pretty_exceptions_enable=False,
    )


root = group("Licenses by self-service: buy, assign, cancel; with a history that can be audited.")
organizations = group("Organizations: create and show.")
members = group("Members: import, list, deactivate, remove.")
roles = group("Roles of members: admin, billing_reader, auditor.")
catalog = group("Products, offers and prices.")
policies = group("Which products users may buy by themselves.")
purchases = group("What was bought: the admins' read-only view.")
payment_methods = group("Cards: add by the provider's token, list, edit, remove.")
billing_profiles = group("Who is billed, by which card, and who else may buy or pay on it.")
invoices = group("Invoices: list, show, explain, pay, and as PDF.")
take_overs = group("What admins do with members' purchases: adopt, move the users, cancel.")
api_keys = group("Keys of services and operators for the HTTP API: create, list, revoke.")
sandbox = group("The sandbox provider's outer world: what payers and their banks do there.")
ledger = group("The ledger itself: what operators do with it after a restore.")
relays = group(None)  # its own verb tells it
seals = group(None)  # its own verb tells it
audit = group("History: read it, replay it, verify it.")
privacy = group("People: erase what is known of them, export it, bring a restored database to the erasures.")

for name, verbs in {
    "organization": organizations,
    "member": members,
    "role": roles,
    "catalog": catalog,
    "policy": policies,
    "purchases": purchases,
    "payment-method": payment_methods,
    "billing-profile": billing_profiles,
    "invoice": invoices,
    "take-over": take_overs,
    "api-key": api_keys,
    "sandbox": sandbox,
    "audit": audit,
    "privacy": privacy,
    "ledger": ledger,
    "relay": relays,
    "seal": seals,
}.items():
    root.add_typer(verbs, name=name)
