"""Every operation of the API, asked by everybody: who may do what is what who_may.csv says."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from tests.system.http.callers import CALLERS
from tests.system.http.prepared import founded, prepared
from tests.system.http.requests import TABLE, TO_ADD, operation_of, refuse_missing, send
from tests.system.http.seen import FILE, Rows, seen

if TYPE_CHECKING:
    import httpx

    from tests.adapters.http.conftest import Api

REWRITE = "SEATLEDGER_REWRITE"


@pytest.mark.timeout(600)  # more than a thousand cells, and a new organization wherever one has changed something
def test_every_operation_is_asked_by_everybody(operator: Api, told: Callable[[], int]) -> None:
    refuse_missing()
    found = dict(answers(operator, told))
    if os.environ.get(REWRITE):
        write(found)
    said = seen()
    new = [TO_ADD.format(name) for name in found.keys() - said.keys()]
    assert not new, "\n".join(new)
    assert found == said, "run `make matrix` and read what it changes: every change of a cell is one of who may do what"


def answers(operator: Api, told: Callable[[], int]) -> Iterator[tuple[str, dict[str, str]]]:
    """By operation what everybody is answered. Each is asked about things that nobody has changed before."""
    elsewhere = founded(operator)
    there = prepared(operator, elsewhere=elsewhere)
    for name in TABLE:
        row = {}
        for caller in CALLERS:
            request, api = TABLE[name](there), there.who(caller)
            before = told()
            answer = send(api, name, request, there)
            row[caller] = cell(answer)
            if told() != before:
                assert answer.is_success, f"{name} by {caller} is refused with {row[caller]}, and tells something"
                assert operation_of(name).method != "GET", f"{name} by {caller} tells something"
                there = prepared(operator, elsewhere=elsewhere)
        yield name, row


def cell(answer: httpx.Response) -> str:
    """The status, and the code of a refusal."""
    code = "" if answer.is_success else answer.json()["code"]
    return f"{answer.status_code} {code}".strip()


def write(rows: Rows) -> None:
    with FILE.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, ["operation", *CALLERS], lineterminator="\n")
        writer.writeheader()
        writer.writerows({"operation": name, **row} for name, row in sorted(rows.items()))
