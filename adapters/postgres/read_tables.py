"""The tables of a build: made, read and written in sets; a build's rows and its position move together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple, get_args, get_type_hints
from uuid import UUID

import psycopg
from psycopg.sql import SQL, Composed, Identifier, Literal

from projections.projection import Changes, Key, Projection, Table

TYPES: dict[type, tuple[str, str]] = {  # of a column, and of its value in COPY
    UUID: ("uuid", "uuid"),
    # Compared by code points: the same order in every database, and as Python has it.
    str: ('text COLLATE "C"', "text"),
    int: ("bigint", "int8"),
    bool: ("boolean", "bool"),
    date: ("date", "date"),
    datetime: ("timestamptz", "timestamptz"),
}


class Build(NamedTuple):
    """A set of tables of one version of a projection, and how far it has come."""

    projection: str
    build: int
    version: int
    state: str
    position: int
    tables: list[str]

    @property
    def id(self) -> tuple[str, int]:
        return self.projection, self.build


class Column(NamedTuple):
    """A column as PostgreSQL declares and as COPY writes it."""

    name: str
    declared: str
    copied: str


class ReadTable:
    """One table of one build."""

    def __init__(self, table: Table[Any], build: int) -> None:
        self.table = table
        self.name = Identifier("projections", table_name(table, build))
        self.staged = Identifier(f"{table_name(table, build)}_changed")
        self.columns = columns_of(table)
        self.copied = [column.copied for column in self.columns]
        copied = {column.name: column.copied for column in self.columns}
        keys = SQL(", ").join(SQL("%s::{}[]").format(SQL(copied[name])) for name in table.key)
        parts = {
            "table": self.name,
            "staged": self.staged,
            "columns": comma(table.columns),
            "found": SQL(", ").join(Identifier("t", name) for name in table.columns),
            "key": comma(table.key),
            "keys": SQL("unnest({}) AS k ({})").format(keys, comma(table.key)),
            "same": SQL(" AND ").join(
                SQL("{} = {}").format(Identifier("t", name), Identifier("k", name)) for name in table.key
            ),
            "set": SQL(", ").join(
                SQL("{0} = excluded.{0}").format(Identifier(name)) for name in table.columns if name not in table.key
            ),
        }
        self.read_sql = SQL("SELECT {found} FROM {keys} JOIN {table} AS t ON {same}").format(**parts)
        self.delete_sql = SQL("DELETE FROM {table} AS t USING {keys} WHERE {same}").format(**parts)
        self.insert_sql = SQL("COPY {table} ({columns}) FROM STDIN (FORMAT BINARY)").format(**parts)
        self.stage_sql = SQL("COPY {staged} ({columns}) FROM STDIN (FORMAT BINARY)").format(**parts)
        self.update_sql = SQL(
            "INSERT INTO {table} ({columns}) SELECT {columns} FROM {staged} ON CONFLICT ({key}) DO UPDATE SET {set}"
        ).format(**parts)
        self.all_sql = SQL("SELECT {columns} FROM {table} ORDER BY {key}").format(**parts)

    def create(self, connection: psycopg.Connection) -> None:
        """Makes the table with its indexes; the application may read it, the API one organization's rows."""
        nullable = nullable_columns(self.table)
        declared = [
            SQL("{} {}{}").format(
                Identifier(column.name),
                SQL(column.declared),
                SQL("" if column.name in nullable else " NOT NULL"),
            )
            for column in self.columns
        ]
        declared.append(SQL("PRIMARY KEY ({})").format(comma(self.table.key)))
        connection.execute(SQL("CREATE TABLE {} ({})").format(self.name, SQL(", ").join(declared)))
        for index in self.table.indexes:
            connection.execute(SQL("CREATE INDEX ON {} ({})").format(self.name, comma(index)))
        connection.execute(SQL("SELECT projections.wall({}::regclass)").format(Literal(self.name.as_string())))

    def prepare(self, connection: psycopg.Connection) -> None:
        """Makes the session's place for changed rows."""
        connection.execute(SQL("CREATE TEMP TABLE {} (LIKE {}) ON COMMIT DELETE ROWS").format(self.staged, self.name))

    def unprepare(self, connection: psycopg.Connection) -> None:
        connection.execute(SQL("DROP TABLE IF EXISTS pg_temp.{}").format(self.staged))

    def read(self, connection: psycopg.Connection, keys: Sequence[Key]) -> list[Any]:
        """The rows of these keys, in one statement."""
        found = connection.execute(self.read_sql, [list(column) for column in zip(*keys, strict=True)], binary=True)
        return [self.table.row(*row) for row in found]

    def write(self, connection: psycopg.Connection, changes: Changes) -> None:
        """Writes what a batch changed, in one statement for each kind of change."""
        if changes.deleted:
            connection.execute(self.delete_sql, [list(column) for column in zip(*changes.deleted, strict=True)])
        if changes.inserted:
            self._copy(connection, self.insert_sql, changes.inserted)
        if changes.updated:
            self._copy(connection, self.stage_sql, changes.updated)
            connection.execute(self.update_sql)

    def _copy(self, connection: psycopg.Connection, copy_sql: Composed, rows: Iterable[Any]) -> None:
        with connection.cursor() as cursor, cursor.copy(copy_sql) as copy:
            copy.set_types(self.copied)
            write_row = copy.write_row
            for row in rows:
                write_row(row)

    def all(self, connection: psycopg.Connection) -> Iterator[Any]:
        """Every row in the order of the key, a few thousand at a time; within the caller's transaction."""
        with connection.cursor(name=f"all of {self.table.name}") as cursor:
            cursor.itersize = 5_000
            for row in cursor.execute(self.all_sql, binary=True):
                yield self.table.row(*row)


def columns_of(table: Table[Any]) -> list[Column]:
    return [Column(name, *TYPES[value_type(hint)]) for name, hint in get_type_hints(table.row).items()]


def value_type(hint: Any) -> type:
    """The type of a column's values: without `| None`, and of a Literal that of its words."""
    if isinstance(hint, type):
        return hint
    inner = next(argument for argument in get_args(hint) if argument is not type(None))
    return type(inner) if isinstance(inner, str) else value_type(inner)


def nullable_columns(table: Table[Any]) -> set[str]:
    return {name for name, hint in get_type_hints(table.row).items() if type(None) in get_args(hint)}


def table_name(table: Table[Any], build: int) -> str:
    return f"{table.name}_b{build}"


def tables_of(projection: Projection, build: int) -> list[ReadTable]:
    return [ReadTable(table, build) for table in projection.tables]


def comma(names: Iterable[str]) -> Composed:
    return SQL(", ").join(map(Identifier, names))
