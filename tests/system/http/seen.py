"""What was seen of the API, as who_may.csv has it: by operation, and by caller."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

FILE = Path(__file__).with_name("who_may.csv")
NOTHING_DUE = "409 nothing_due"
Rows = Mapping[str, Mapping[str, str]]


def seen() -> Rows:
    with FILE.open(encoding="utf-8", newline="") as file:
        return {row.pop("operation"): dict(row) for row in csv.DictReader(file)}


def who_may(name: str, *callers: str) -> list[str]:
    """Those of the callers who may do it, also where there is nothing to do."""
    row = seen()[name]
    may = [one for one in callers if row[one].startswith("2") or row[one] == NOTHING_DUE]
    return may or [one for one in callers if row[one].startswith("404")]
