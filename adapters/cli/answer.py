"""Answers: for programs one JSON document on stdout, for people text and tables."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, TextIO
from uuid import UUID

import typer
from pydantic import BaseModel
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

WIDE = 200  # columns, where the output is no terminal


@dataclass
class Answer:
    """What a verb answers: `data` with --json, else `shown`."""

    data: Any
    shown: RenderableType | Iterable[RenderableType]
    exit_code: int = 0


def tell(answer: Answer, *, as_json: bool) -> None:
    """Writes an answer to stdout, and nothing else there."""
    if as_json:
        typer.echo(as_text(answer.data, indent=2))
        return
    console = console_on(sys.stdout)
    shown = [answer.shown] if isinstance(answer.shown, str | Table | Text) else answer.shown
    for part in shown if isinstance(shown, Iterable) else [shown]:
        console.print(plain(part) if isinstance(part, str) else part)


def as_text(data: Any, *, indent: int | None = None) -> str:
    """JSON in ASCII, so that it can be written anywhere; dates in ISO 8601, times in UTC."""
    return json.dumps(data, indent=indent, default=jsonable)


def jsonable(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no form in JSON")


def console_on(file: TextIO) -> Console:
    """A console that prints what it is given: no markup in names, no guessed colours."""
    columns = None if file.isatty() else shutil.get_terminal_size((WIDE, 50)).columns
    return Console(file=file, markup=False, highlight=False, emoji=False, width=columns)


def plain(text: object) -> Text:
    """Text as it is, without what a terminal would obey: names come from outside."""
    return Text("".join(letter if letter.isprintable() or letter == "\n" else "�" for letter in str(text)))


def table(
    title: str, columns: Sequence[str], rows: Iterable[Sequence[object]], *, numbers: Sequence[str] = ()
) -> Table:
    """A table; `numbers` are the columns that stand to the right."""
    made = Table(title=title or None, title_justify="left", title_style="bold", header_style="bold")
    for column in columns:
        right = column in numbers
        made.add_column(column, justify="right" if right else "left", no_wrap=right, overflow="fold")
    for row in rows:
        made.add_row(*(plain(cell) for cell in row))
    return made


def moment(at: datetime) -> str:
    """A time as people read it."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def plural(count: int, noun: str, nouns: str | None = None) -> str:
    """One license, two licenses."""
    return f"{count:,} {noun if count == 1 else nouns or noun + 's'}"
