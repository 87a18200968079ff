"""The admins' view of purchases as CSV for spreadsheets, a line at a time."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from adapters.catalog.currency import in_major
from domain.personal import Purpose
from services.name_members import name_members
from services.ports import Directory
from services.ports_reads import PurchaseRow, PurchaseViews
from services.show_purchase import ShowPurchase, holders

COLUMNS = (
    "product",
    "purchaser",
    "purchaser_name",
    "subscription_id",
    "expiry_date",
    "purchase_price",
    "currency",
    "licenses_total",
    "licenses_assigned",
    "assigned_users",
    "state",
    "channel",
)
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet would compute a cell that begins so


class Line(NamedTuple):
    """A purchase with everybody who holds a license, and the names of these people."""

    row: PurchaseRow
    holder_ids: Sequence[UUID]
    names: Mapping[UUID, Mapping[Purpose, str]]


def line_of(row: PurchaseRow, wish: ShowPurchase, views: PurchaseViews, directory: Directory) -> Line:
    """A purchase with all its holders, for who asks; `wish` reads them as of where the purchase was."""
    held = holders(views, wish, row.subscription_id) if row.licenses_assigned else ()
    holder_ids = [one.member_id for one in held]
    return Line(row, holder_ids, name_members(directory, wish, [row.purchaser_id, *holder_ids]))


def csv_of(lines: Iterable[Line]) -> Iterator[str]:
    """A header and a line for each purchase; a name that a spreadsheet would compute gets an apostrophe in front."""
    yield written(COLUMNS)
    for line in lines:
        yield written([harmless(cell) for cell in cells_of(line)])


def cells_of(line: Line) -> Iterator[object]:
    row, names = line.row, line.names
    yield row.product_name
    yield name_of(names, row.purchaser_id, "user_name")
    yield name_of(names, row.purchaser_id, "display_name")
    yield row.subscription_id
    yield row.ends_on
    yield in_major(row.purchase_price_minor, row.currency_exponent).replace(",", "")
    yield row.currency
    yield row.licenses_total
    yield row.licenses_assigned
    yield ";".join(name_of(names, one, "user_name") or str(one) for one in line.holder_ids)
    yield row.state
    yield row.channel


def name_of(names: Mapping[UUID, Mapping[Purpose, str]], member_id: UUID, purpose: Purpose) -> str | None:
    """What a member is called; None where that was erased or may not be known."""
    return names.get(member_id, {}).get(purpose)


def harmless(cell: object) -> object:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA) else ("" if cell is None else cell)


def written(cells: Iterable[object]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text).writerow(cells)
    return text.getvalue()
