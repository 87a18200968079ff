"""Opens the ledger on a database that keeps its promises, and refuses any other."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime
from typing import Any, LiteralString, cast

import psycopg
from eventsourcing.persistence import BaseInfrastructureFactory
from eventsourcing.postgres import PostgresFactory
from eventsourcing.utils import Environment, EnvType
from psycopg.sql import SQL, Identifier

from adapters.postgres.datastore import LedgerDatastore
from adapters.postgres.directory import PersonalDirectory
from adapters.postgres.errors import StartRefused, unavailable_is_told
from adapters.postgres.migrate import missing_migrations, refuse_unfit
from adapters.postgres.recorder import LedgerRecorder
from adapters.postgres.session import API, APP, connect, session
from services.ledger import Ledger

URL, POOL_SIZE, SESSION_NAME, WALLED = "LEDGER_URL", "LEDGER_POOL_SIZE", "LEDGER_SESSION_NAME", "LEDGER_WALLED"
UNMIGRATED = "the database does not have this version's tables: run `seatledger migrate`"


class LedgerFactory(PostgresFactory):
    """Builds what the library's `Application` asks for, on a connection URL."""

    def __init__(self, env: Environment | EnvType | None) -> None:
        BaseInfrastructureFactory.__init__(self, env)
        self.datastore: LedgerDatastore = LedgerDatastore(
            cast("str", self.env.get(URL)),
            pool_size=int(self.env.get(POOL_SIZE, "8")),
            name=self.env.get(SESSION_NAME, "seatledger"),
            walled=self.env.get(WALLED) == "yes",
        )

    def application_recorder(self) -> LedgerRecorder:
        return LedgerRecorder(self.datastore)


def open_ledger(
    url: str,
    *,
    pool_size: int,
    clock: Callable[[], datetime],
    fingerprint_key: bytes,
    session_name: str = "seatledger",
    walled: bool = False,
) -> Ledger:
    """The ledger of this database; raises StartRefused where it would lose events, LedgerUnavailable where it is down.

    `session_name` is what the database's administrator sees of this process. A `walled` ledger sees and writes the
    organization of `wall.within(…)` alone, and sees the catalog's events.
    """
    refuse_unsafe(url, role=API if walled else APP)
    env = {
        "PERSISTENCE_MODULE": "adapters.postgres.ledger:LedgerFactory",
        "MAPPER_TOPIC": "domain.kernel:PydanticMapper",
        "TRANSCODER_TOPIC": "domain.kernel:PydanticJSON",
        URL: url,
        POOL_SIZE: str(pool_size),
        SESSION_NAME: session_name,
        WALLED: "yes" if walled else "no",
    }
    return Ledger(env, clock=clock, fingerprint_key=fingerprint_key)


def directory_of(ledger: Ledger) -> PersonalDirectory:
    """The personal facts beside this ledger, on the same connections."""
    return PersonalDirectory(cast("LedgerFactory", ledger.factory).datastore)


def refuse_unsafe(url: str, *, role: str = APP) -> None:
    """Looks once at what the guarantees rest on, and that the login may act as `role`, before anything is written."""
    if os.environ.get("POSTGRES_ENABLE_DB_FUNCTIONS"):
        raise StartRefused("POSTGRES_ENABLE_DB_FUNCTIONS is set: unset it, with it followers miss events")
    with connect(session(url, role=None)) as connection, unavailable_is_told():
        refuse_unfit(connection)
        try:
            connection.execute(SQL("SET ROLE {}").format(Identifier(role)))
        except psycopg.errors.InvalidParameterValue:
            raise StartRefused(UNMIGRATED) from None
        except psycopg.errors.InsufficientPrivilege:
            raise StartRefused(
                f"{connection.info.user} may not act as {role}: tell `seatledger migrate` that it is the services'"
                " login"
            ) from None
        if one(connection, "SELECT to_regclass('ledger.migrations')") is None or missing_migrations(connection):
            raise StartRefused(UNMIGRATED)
        refuse_settings(connection)


def refuse_settings(connection: psycopg.Connection[Any]) -> None:
    if (cache := one(connection, "SELECT seqcache FROM pg_sequence WHERE seqrelid = 'ledger.position'::regclass")) != 1:
        raise StartRefused(f"the sequence ledger.position has CACHE {cache}: set it to 1, or followers miss events")
    if (prepared := one(connection, "SHOW max_prepared_transactions")) != "0":
        raise StartRefused(f"max_prepared_transactions is {prepared}: set it to 0, a forgotten one stops all followers")
    if one(connection, "SHOW synchronous_commit") == "off":
        raise StartRefused("synchronous_commit is off: turn it on, a crash would lose what was acknowledged")


def one(connection: psycopg.Connection[Any], query: LiteralString) -> Any:
    return cast("tuple[Any]", connection.execute(query).fetchone())[0]
