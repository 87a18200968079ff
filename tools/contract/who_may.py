"""The page that says who may do what, made of what the API was seen to answer: tests/system/http/who_may.csv."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from adapters.http.app import routed
from tests.system.http.callers import CALLERS

SEEN = Path(__file__).parents[2] / "tests" / "system" / "http" / "who_may.csv"
HEAD = """\
# Who may do what

Every operation of the HTTP API as everybody was seen to be answered: a test asks each of them as each of these callers,
about things that are there, and compares the answers with the table that this page is made of. Members name the role in
which they act; the rules stand in `services/may.py`.

`yes`: it is done, or it is allowed and the state of things does not permit it (the code says why). `401`: who calls
is not known. `403`: the caller's role does not permit it. `404`: it does not exist for the caller. `gone`: the caller
is no active member any more.

`make matrix` asks again and writes the table and this page.
"""
REFUSED = {"401", "403", "404"}
GONE = "member_not_active"


def who_may() -> str:
    with SEEN.open(encoding="utf-8", newline="") as file:
        rows = {row.pop("operation"): row for row in csv.DictReader(file)}
    return "\n".join([HEAD, *callers(), "", *tables(rows), ""])


def callers() -> Iterator[str]:
    yield "| caller | who that is |"
    yield "|---|---|"
    for name, who in CALLERS.items():
        yield f"| {name} | {who} |"


def tables(rows: dict[str, dict[str, str]]) -> Iterator[str]:
    """A table for each part of the API."""
    title = ""
    for name, tag in operations():
        if tag != title:
            title = tag
            yield from ("", f"## {title.capitalize()}", "", f"| operation | {' | '.join(CALLERS)} |")
            yield "|---" * (len(CALLERS) + 1) + "|"
        for row, seen in rows.items():
            if row.partition(" ")[0] == name:
                about = row.removeprefix(name)
                yield f"| `{name}`{about} | {' | '.join(told(seen[caller]) for caller in CALLERS)} |"


def operations() -> list[tuple[str, str]]:
    """Their names, each with the part of the API that it belongs to; by part and name, in whatever order routes are."""
    found = [
        (operation["operationId"], operation["tags"][0])
        for methods in routed().openapi()["paths"].values()
        for operation in methods.values()
    ]
    return sorted(found, key=lambda each: (each[1], each[0]))


def told(cell: str) -> str:
    """What a cell says in a word: whether it is allowed, and if not, how that is told."""
    status, _, code = cell.partition(" ")
    if status in REFUSED:
        return status
    if code == GONE:
        return "gone"
    return f"yes ({code})" if code else "yes"
