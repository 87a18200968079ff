"""The wall: which organization's rows the present request may see, whatever its queries ask for.

PostgreSQL holds it, by row-level security for the role `seatledger_api`. It stands behind the queries' own conditions
and catches the one that forgets them; it is no defence against somebody who runs SQL of his own in such a session.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any
from uuid import UUID

import psycopg

SETTING = "seatledger.organization"
NONE = "none"  # what a session starts with: it sees the catalog's events and nothing else
SHOW = f"SELECT set_config('{SETTING}', %s, false)"

_visible: ContextVar[str] = ContextVar("visible", default=NONE)


@contextmanager
def within(organization_id: UUID) -> Iterator[None]:
    """Shows one organization to what runs in this context; a new thread starts outside."""
    token = _visible.set(str(organization_id))
    try:
        yield
    finally:
        _visible.reset(token)


@contextmanager
def outside() -> Iterator[None]:
    """Shows no organization."""
    token = _visible.set(NONE)
    try:
        yield
    finally:
        _visible.reset(token)


def visible() -> str:
    """The organization that this context may see, in the words of the setting."""
    return _visible.get()


def show(connection: psycopg.Connection[Any], organization: str) -> None:
    """Tells the session what it may show from now on; closes it where that fails, for nobody knows what it shows."""
    try:
        connection.execute(SHOW, (organization,), prepare=True)
    except BaseException:
        connection.close()
        raise
