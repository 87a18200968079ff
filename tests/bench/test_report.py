"""What is kept of a run, and what people read of it."""

from __future__ import annotations

import json
from pathlib import Path

from rich.console import Console

from bench.contest import Cell, Entrant, Outcome, Target
from bench.report import table, write

CELL = Cell(
    "append",
    "many organizations",
    "saves/s",
    Entrant("ledger", "a.module", {}),
    (Entrant("library", "b.module", {}), Entrant("plain INSERT", "c.module", {})),
    {},
    (Target(2.2, "library"), Target(0.45, "plain INSERT")),
)
OUTCOME = Outcome(CELL, {"ledger": [300, 240, 360], "library": [100, 100, 100], "plain INSERT": [1000, 1000, 1000]})


def test_the_table_says_plainly_what_was_not_reached() -> None:
    console = Console(width=170)
    with console.capture() as shown:
        console.print(table([OUTCOME]))
    library, insert = [line for line in shown.get().splitlines() if "≥" in line]
    assert "3.00 [2.40 to 3.60]" in library
    assert "not reached" not in library
    assert "0.30 [0.24 to 0.36]" in insert
    assert "not reached" in insert


def test_the_file_has_every_round_and_every_verdict(tmp_path: Path) -> None:
    path = tmp_path / "new" / "results.json"
    write(path, {"seed": 7}, [OUTCOME])
    found = json.loads(path.read_text("utf-8"))
    (cell,) = found["cells"]
    assert (found["format"], found["seed"]) == (1, 7)
    assert cell["entrants"]["ledger"] == {"median": 300, "lowest": 240, "highest": 360, "rounds": [300, 240, 360]}
    assert [(line["against"], line["target"], line["verdict"]) for line in cell["comparisons"]] == [
        ("library", 2.2, "reached"),
        ("plain INSERT", 0.45, "not reached"),
    ]
    assert [file.name for file in path.parent.iterdir()] == ["results.json"]
