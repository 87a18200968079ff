"""Purchases as people see them: names joined, as a row, as CSV, and in full."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any
from uuid import UUID

from adapters.catalog.currency import money
from adapters.cli.answer import moment, table
from adapters.cli.call import Call
from adapters.documents.purchases_csv import Line, line_of
from domain.personal import Purpose
from services.list_purchases import ListPurchases
from services.name_members import name_members
from services.ports_reads import PurchaseRow
from services.show_purchase import ShowPurchase, holders

SHOWN_USERS = 3  # of those who hold a license, in a table


def purchase_data(call: Call, row: PurchaseRow, *, in_full: bool) -> dict[str, Any]:
    """A purchase with the names of its people."""
    member_ids = holders_of(call, row, most=None if in_full else SHOWN_USERS)
    names = name_members(call.directory, call.wish(ListPurchases), [row.purchaser_id, *member_ids])
    return {
        "product": row.product_name,
        "purchaser": named(names, row.purchaser_id, "user_name"),
        "purchaser_name": named(names, row.purchaser_id, "display_name"),
        "expiry_date": row.ends_on,
        "price_text": money(row.purchase_price_minor, row.currency, row.currency_exponent),
        "assigned_users": [named(names, one, "user_name") or str(one) for one in member_ids],
        **row.model_dump(),
    }


def holders_of(call: Call, row: PurchaseRow, most: int | None) -> list[UUID]:
    """Who holds a license; read as of where the purchase was, for the two read models are apart."""
    if not row.licenses_assigned:
        return []
    found = holders(call.house.views, as_of_the_row(call, row), row.subscription_id)
    return [one.member_id for one in islice(found, most)]


def as_of_the_row(call: Call, row: PurchaseRow) -> ShowPurchase:
    return call.wish(ShowPurchase, subscription_id=row.subscription_id, at_least=row.last_position)


def named(names: Any, member_id: UUID, purpose: Purpose) -> str | None:
    found = names.get(member_id, {}).get(purpose)
    return str(found) if found is not None else None


def users_text(one: dict[str, Any]) -> str:
    shown = one["assigned_users"]
    more = one["licenses_assigned"] - len(shown)
    return "\n".join([*shown, *([f"and {more:,} more"] if more > 0 else [])])


def csv_line(call: Call, row: PurchaseRow) -> Line:
    """A purchase with everybody who holds a license of it."""
    return line_of(row, as_of_the_row(call, row), call.house.views, call.directory)


def shown(data: dict[str, Any], *, orders_named: list[str | None]) -> Iterator[Any]:
    yield table(
        str(data["product"]),
        ("", ""),
        [
            ("subscription", data["subscription_id"]),
            ("purchaser", data["purchaser_name"] or data["purchaser"] or data["purchaser_id"]),
            ("state", data["state"]),
            ("expires", data["expiry_date"]),
            ("recurring billing", "on" if data["recurring_billing"] else "off"),
            ("purchase price", data["price_text"]),
            ("licenses", f"{data['licenses_assigned']} of {data['licenses_total']} assigned"),
            ("from the renewal on", data["scheduled_total"] or ""),
            ("channel", data["channel"]),
        ],
    )
    if data["assignments"]:
        rows = [
            (one["user_name"] or one["member_id"], moment(one["assigned_at"]), one["unassigned_at"] or "")
            for one in data["assignments"]
        ]
        yield table("Licenses", ("user", "assigned", "until"), rows)
    orders = [
        (moment(one["recorded_at"]), one["event"], name or one["actor_role"], order_text(one["facts"]))
        for one, name in zip(data["orders"], orders_named, strict=True)
    ]
    yield table("Order history", ("recorded", "what", "by", "facts"), orders)


TOLD_OF_ORDERS = ("licenses", "total_before", "total", "reason", "ends_on", "takes_effect_on", "renews_on", "ended_on")


def order_text(facts: dict[str, Any]) -> str:
    return ", ".join(
        f"{name.replace('_', ' ')} {facts[name]}" for name in TOLD_OF_ORDERS if facts.get(name) is not None
    )
