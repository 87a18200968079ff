"""Parity: names every row by which a read table differs from its rebuild."""

from collections.abc import Iterable, Iterator
from typing import Any

from projections.audit.verify import Difference
from projections.projection import Table


def differences(
    projection: str, table: Table[Any], read: Iterable[Any], rebuilt: Iterable[Any]
) -> Iterator[Difference]:
    """Compares rows with their rebuild, both in the order of the key; one difference for each row."""
    mine, theirs = iter(read), iter(rebuilt)
    row, truth = next(mine, None), next(theirs, None)
    while row is not None or truth is not None:
        if truth is None or (row is not None and table.key_of(row) < table.key_of(truth)):
            yield difference(projection, table, row, "history does not give this row")
            row = next(mine, None)
        elif row is None or table.key_of(truth) < table.key_of(row):
            yield difference(projection, table, truth, "the row is missing")
            truth = next(theirs, None)
        else:
            if row != truth:
                yield difference(projection, table, truth, differing(table, row, truth))
            row, truth = next(mine, None), next(theirs, None)


def difference(projection: str, table: Table[Any], row: Any, what: str) -> Difference:
    key = " ".join(str(value) for value in table.key_of(row))
    return Difference(check="read tables", key=f"{projection} {table.name} {key}", what=what)


def differing(table: Table[Any], row: Any, truth: Any) -> str:
    """The columns that differ, with both values; read tables hold no names."""
    return ", ".join(
        f"{column} is {value} and history gives {given}"
        for column, value, given in zip(table.columns, row, truth, strict=True)
        if value != given
    )
