"""A CSV file that is taken whole or refused: every complaint names its row, as a spreadsheet counts, and its column."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NoReturn

MAX_BYTES = 256 * 1024 * 1024
MAX_CELL = 256  # characters


class FileRefused(Exception):
    """A file that cannot be used; one line that says where and what to do about it. Nothing of it was taken."""


class Row:
    """The cells of one row by column, and where it stands."""

    def __init__(self, path: Path, number: int, cells: dict[str, str]) -> None:
        self.path, self.number, self.cells = path, number, cells

    def __getitem__(self, column: str) -> str:
        return self.cells[column]

    def required(self, column: str) -> str:
        """The cell, which must not be empty."""
        return self.cells[column] or self.refuse(column, "is empty; fill it in")

    def refuse(self, column: str, why: str) -> NoReturn:
        """Refuses the whole file because of this cell."""
        raise FileRefused(f"{self.path}: row {self.number}, column {column}: {why}")


def read_table(path: Path, columns: Sequence[str]) -> list[Row]:
    """The rows under a header of exactly these columns, in any order; blank lines are passed over."""
    records = _records(path, _text(path))
    try:
        _, header = next(records)
    except StopIteration:
        raise FileRefused(f"{path}: the file is empty; it needs the columns {', '.join(columns)}") from None
    _refuse_other_columns(path, header, columns)
    rows = []
    for number, cells in records:
        if len(cells) < len(header):
            Row(path, number, {}).refuse(header[len(cells)], f"is missing; each row has {len(header)} cells")
        if len(cells) > len(header):
            Row(path, number, {}).refuse(
                str(len(header) + 1), f"one cell too many, each row has {len(header)}; put quotes around commas"
            )
        row = Row(path, number, dict(zip(header, (cell.strip() for cell in cells), strict=True)))
        _refuse_bad_cells(row)
        rows.append(row)
    return rows


def _text(path: Path) -> str:
    """The file's text: UTF-8, with or without a byte order mark."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise FileRefused(f"{path}: cannot be read ({error.strerror}); check the name and the permissions") from None
    except ValueError:  # a NUL in the name
        raise FileRefused("the file's name is not one; check it") from None
    if len(content) > MAX_BYTES:
        raise FileRefused(f"{path}: larger than {MAX_BYTES // 1024 // 1024} MiB; split it")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        number, column = _place(path, error.object[: error.start].decode("utf-8-sig", errors="replace"))
        raise FileRefused(
            f"{path}: row {number}, column {column}: this is not UTF-8; save the file as CSV UTF-8"
        ) from None


def _place(path: Path, text: str) -> tuple[int, str]:
    """The row and column in which a text ends."""
    try:
        records = list(_records(path, text, strict=False))
    except FileRefused:
        records = []
    if not records:
        return 1, "1"
    header, (number, last) = records[0][1], records[-1]
    if text.endswith("\n"):
        number, last = number + 1, [""]
    return number, header[len(last) - 1] if number > 1 and len(last) <= len(header) else str(len(last))


def _records(path: Path, text: str, *, strict: bool = True) -> Iterator[tuple[int, list[str]]]:
    """The records that are not blank, each with its number."""
    number = 0
    try:
        for number, cells in enumerate(csv.reader(io.StringIO(text, newline=""), strict=strict), start=1):
            if any(cells):
                yield number, cells
    except csv.Error as error:
        raise FileRefused(f"{path}: row {number + 1}: {error}; check the quotes of this row") from None


def _refuse_other_columns(path: Path, header: list[str], columns: Sequence[str]) -> None:
    for place, column in enumerate(header, start=1):
        if column not in columns:
            raise FileRefused(
                f"{path}: row 1, column {place}: {column[:80]!r} is not a column of this file; remove it"
                f" (the columns are {', '.join(columns)})"
            )
        if column in header[: place - 1]:
            raise FileRefused(f"{path}: row 1, column {place}: {column} is there twice; remove one")
    for column in columns:
        if column not in header:
            raise FileRefused(f"{path}: row 1: the column {column} is missing; add it, named exactly so")


def _refuse_bad_cells(row: Row) -> None:
    for column, cell in row.cells.items():
        if "\0" in cell:
            row.refuse(column, "has a NUL character; remove it")
        if len(cell) > MAX_CELL:
            row.refuse(column, f"has {len(cell)} characters, more than {MAX_CELL}; shorten it")
