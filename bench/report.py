"""What a run found: a table for people, and everything of it as data."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.table import Table

from bench.contest import Cell, Line, Outcome, Spread, Target

FORMAT = 1


def table(outcomes: Sequence[Outcome]) -> Table:
    """A line for each opponent of each cell."""
    lines = Table(
        title="Medians of the rounds, with the lowest to highest in brackets", title_justify="left", header_style="bold"
    )
    lines.add_column("What", overflow="fold")
    lines.add_column("Ours", justify="right", no_wrap=True)
    lines.add_column("Against", overflow="fold")
    lines.add_column("Theirs", justify="right", no_wrap=True)
    lines.add_column("Ratio", justify="right", no_wrap=True)
    lines.add_column("Target", justify="right", no_wrap=True)
    lines.add_column("", no_wrap=True)
    for outcome in outcomes:
        for number, line in enumerate(outcome.lines()):
            lines.add_row(*row(outcome, line, first=number == 0), end_section=number == len(outcome.lines()) - 1)
    return lines


def row(outcome: Outcome, line: Line, *, first: bool) -> list[str]:
    cell = outcome.cell
    ours = f"{amount(outcome.figure.median)} {cell.unit}"
    if line.opponent is None:
        ours = f"{ours} [{amount(outcome.figure.lowest)} to {amount(outcome.figure.highest)}]"
    return [
        cell.name if first else "",
        ours if first else "",
        line.opponent or "",
        amount(line.figure.median) if line.figure else "",
        ratio(line.ratio) if line.ratio else "",
        promise(cell, line.target) if line.target else "",
        f"[bold red]{line.verdict}[/]" if line.verdict == "not reached" else line.verdict,
    ]


def amount(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:,.2f}"


def ratio(spread: Spread) -> str:
    digits = 1 if spread.median >= 10 else 2
    return f"{spread.median:.{digits}f} [{spread.lowest:.{digits}f} to {spread.highest:.{digits}f}]"


def promise(cell: Cell, target: Target) -> str:
    sign = "≥" if cell.better == "higher" else "≤"
    return f"{sign} {target.value:g}" + ("" if target.against else f" {cell.unit.split()[0]}")


def as_data(outcome: Outcome) -> dict[str, Any]:
    """A cell with every round of every entrant."""
    cell = outcome.cell
    return {
        "section": cell.section,
        "name": cell.name,
        "unit": cell.unit,
        "better": cell.better,
        "ours": cell.ours.name,
        "entrants": {
            name: {**Spread.of(rounds)._asdict(), "rounds": list(rounds)} for name, rounds in outcome.rounds.items()
        },
        "comparisons": [
            {
                "against": line.opponent,
                "ratio": line.ratio._asdict() if line.ratio else None,
                "target": line.target.value if line.target else None,
                "verdict": line.verdict or None,
            }
            for line in outcome.lines()
        ],
    }


def write(path: Path, run: dict[str, Any], outcomes: Sequence[Outcome]) -> None:
    """Writes the whole file or none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {"format": FORMAT, **run, "cells": [as_data(outcome) for outcome in outcomes]}
    unfinished = path.with_suffix(".unfinished")
    unfinished.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    unfinished.replace(path)
