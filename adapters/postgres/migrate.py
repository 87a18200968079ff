"""Brings a database to this version's tables: ordered SQL files, each once, each in a transaction of its own."""

from __future__ import annotations

import re
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple, cast

import psycopg
from psycopg.sql import SQL, Identifier

from adapters.postgres.errors import StartRefused, unavailable_is_told
from adapters.postgres.session import API, APP, PROJECTOR, SEALER, connect, session

FOLDER = Path(__file__).parent / "migrations"
FILE_NAME = re.compile(r"\d{4}_[a-z0-9_]+\.sql")
OWNER = "seatledger_owner"
LOCK = 0x5EA71ED6E4  # one migration at a time in a database
OLDEST_VERSION = 17


class Migration(NamedTuple):
    """A file of SQL; what was applied must never change."""

    name: str
    sql: str

    @property
    def checksum(self) -> str:
        return sha256(self.sql.encode()).hexdigest()


def migrations() -> list[Migration]:
    """All migrations in their order: the ledger's are 00xx, the read tables' 01xx, the relay's 02xx, the API's 03xx,
    the sealer's 04xx.
    """
    return [Migration(path.name, path.read_text("utf-8")) for path in sorted(FOLDER.glob("[0-9]*.sql"))]


def migrate(url: str, *, app_login: str | None = None, sealer_login: str | None = None) -> list[str]:
    """Applies what is missing and answers its names; safe to run twice, and by several at once.

    The login of `url` must be able to create roles and to create in the database. `app_login` is the existing login
    of the services, which gets the application's roles; and that of the sealer's too, unless `sealer_login` is another.
    Raises StartRefused, or LedgerUnavailable.
    """
    conninfo = session(url, role=None, name="seatledger migrate", statement_timeout="0", lock_timeout="0")
    with connect(conninfo) as connection, unavailable_is_told():
        refuse_unfit(connection)
        connection.execute("SELECT pg_advisory_lock(%s)", (LOCK,))  # held until the connection ends
        prepare(connection, app_login, sealer_login)
        missing = missing_migrations(connection)
        for migration in missing:
            apply(connection, migration)
    return [migration.name for migration in missing]


def missing_migrations(connection: psycopg.Connection) -> list[Migration]:
    """What this version has and the database has not; refuses when the database has something else."""
    ours = migrations()
    applied = dict(
        cast("list[tuple[str, str]]", connection.execute("SELECT name, checksum FROM ledger.migrations").fetchall())
    )
    for migration in ours:
        if applied.get(migration.name, migration.checksum) != migration.checksum:
            raise StartRefused(
                f"migration {migration.name} was changed after it was applied: restore the file of the release"
            )
    if unknown := sorted(applied.keys() - {migration.name for migration in ours}):
        raise StartRefused(f"a newer seatledger has migrated this database ({unknown[-1]}): upgrade seatledger")
    return [migration for migration in ours if migration.name not in applied]


def refuse_unfit(connection: psycopg.Connection) -> None:
    """The tables need a server that is new enough and a database in UTF-8."""
    if (major := connection.info.server_version // 10_000) < OLDEST_VERSION:
        raise StartRefused(f"PostgreSQL {major} is too old: seatledger needs {OLDEST_VERSION} or newer")
    if (encoding := connection.info.parameter_status("server_encoding")) != "UTF8":
        raise StartRefused(f"the database is encoded in {encoding}: create one with ENCODING 'UTF8'")


def prepare(connection: psycopg.Connection, app_login: str | None, sealer_login: str | None = None) -> None:
    """Creates the roles, the schema and the table of migrations where they are not there yet."""
    for role in (OWNER, APP, PROJECTOR, API, SEALER):
        # Roles belong to the whole server: another database's migration may create the same one now.
        connection.execute(
            SQL(
                "DO $$ BEGIN CREATE ROLE {} NOLOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN END $$"
            ).format(Identifier(role))
        )
    grant(connection, OWNER, connection.info.user)
    grant(connection, PROJECTOR, OWNER)  # so that a migration may change the read tables, which the projector makes
    with connection.transaction():
        connection.execute(
            SQL("GRANT CREATE ON DATABASE {} TO {}").format(Identifier(connection.info.dbname), Identifier(OWNER))
        )
        connection.execute(SQL("SET LOCAL ROLE {}").format(Identifier(OWNER)))
        connection.execute("CREATE SCHEMA IF NOT EXISTS ledger")
        connection.execute(
            "CREATE TABLE IF NOT EXISTS ledger.migrations ("
            " name text PRIMARY KEY, checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())"
        )
    for login, roles in ((app_login, (APP, PROJECTOR, API)), (sealer_login or app_login, (SEALER,))):
        if login is None:
            continue
        if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (login,)).fetchone():
            raise StartRefused(f"there is no login {login}: create it, or leave it out")
        for role in roles:
            grant(connection, role, login)
    if app_login and sealer_login not in {None, app_login}:
        connection.execute(SQL("REVOKE {} FROM {}").format(Identifier(SEALER), Identifier(app_login)))


def grant(connection: psycopg.Connection, role: str, login: str) -> None:
    """Lets a login act as a role; a superuser may already."""
    (may,) = cast("tuple[bool]", connection.execute("SELECT pg_has_role(%s, %s, 'SET')", (login, role)).fetchone())
    if not may:
        connection.execute(SQL("GRANT {} TO {}").format(Identifier(role), Identifier(login)))


def apply(connection: psycopg.Connection, migration: Migration) -> None:
    """Runs one file as the owner, and notes that it ran in the same transaction."""
    with connection.transaction():
        connection.execute(SQL("SET LOCAL ROLE {}").format(Identifier(OWNER)))
        connection.execute(migration.sql.encode())
        connection.execute(
            "INSERT INTO ledger.migrations (name, checksum) VALUES (%s, %s)", (migration.name, migration.checksum)
        )
