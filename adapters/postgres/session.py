"""How seatledger connects to PostgreSQL: the role it acts in and the time limits of its sessions."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from adapters.postgres import wall
from adapters.postgres.errors import StartRefused
from services.ports import LedgerUnavailable

APP = "seatledger_app"
PROJECTOR = "seatledger_projector"
API = "seatledger_api"  # sees one organization at a time: see `wall`
SEALER = "seatledger_sealer"  # writes the tree, and only reads history

CONNECT_TIMEOUT_S = 5
LIMITS = {
    # A waiter for a busy organization gives its connection back; a forgotten transaction cannot hold up followers.
    "lock_timeout": "10s",
    "statement_timeout": "60s",
    "idle_in_transaction_session_timeout": "60s",
    # What the guarantees rest on, whatever the login's or database's own setting is.
    "default_transaction_isolation": "read\\ committed",
}


def session(url: str, *, role: str | None, name: str = "seatledger", **limits: str) -> str:
    """The connection string of a session that acts as `role`, also when the login is a superuser."""
    try:
        parts = conninfo_to_dict(url)
    except ProgrammingError:
        raise StartRefused("the database URL is not one: write postgresql://user@host:5432/database") from None
    settings = {**LIMITS, **limits, **({"role": role} if role else {})}
    if role == API:
        settings[wall.SETTING] = wall.NONE
    options = " ".join([str(parts.get("options") or ""), *(f"-c {key}={value}" for key, value in settings.items())])
    return make_conninfo(
        "",
        **{"connect_timeout": CONNECT_TIMEOUT_S, "application_name": name, **parts, "options": options.strip()},
    )


def login_of(url: str) -> str | None:
    """The login that a connection URL names."""
    user = conninfo_to_dict(url).get("user")
    return str(user) if user else None


def connect(conninfo: str) -> psycopg.Connection[tuple[Any, ...]]:
    """A connection of one's own, in autocommit; raises LedgerUnavailable with the server's reason."""
    try:
        return psycopg.connect(conninfo, autocommit=True)
    except psycopg.OperationalError as error:
        reason = str(error).splitlines()[0].rpartition("failed: ")[2].removeprefix("FATAL:").strip()
        raise LedgerUnavailable(
            f"the database cannot be reached ({reason}): see that it runs and that its URL is right"
        ) from None
