"""A migrated database for each test, and the doors to it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import psycopg
import pytest

from adapters.postgres.migrate import migrate
from services.ledger import Ledger
from tests.adapters.postgres.writers import ledger_at

if TYPE_CHECKING:
    from adapters.embedded.postgres import EmbeddedPostgres

Admin = psycopg.Connection[tuple[Any, ...]]


@pytest.fixture(scope="session")
def migrated(postgres: EmbeddedPostgres) -> str:
    """The name of a migrated database that nobody connects to: the others are copies of it."""
    name = f"migrated_{uuid4().hex}"  # for every folder that takes these fixtures there is one
    with psycopg.connect(postgres.url, autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}")
    migrate(postgres.url_as("postgres", name))
    return name


@pytest.fixture(scope="session")
def shared(postgres: EmbeddedPostgres, migrated: str) -> str:
    """The superuser's URL of a database for all who look at their own organizations only, or are refused."""
    name = f"shared_{uuid4().hex}"
    with psycopg.connect(postgres.url, autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name} TEMPLATE {migrated}")
    return postgres.url_as("postgres", name)


@pytest.fixture
def url(postgres: EmbeddedPostgres, migrated: str) -> Iterator[str]:
    """The superuser's URL of a database of the test's own."""
    name = f"test_{uuid4().hex}"
    with psycopg.connect(postgres.url, autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name} TEMPLATE {migrated}")
        yield postgres.url_as("postgres", name)
        server.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def admin(url: str) -> Iterator[Admin]:
    """The superuser, in autocommit."""
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection


@pytest.fixture
def ledger(request: pytest.FixtureRequest) -> Iterator[Ledger]:
    """A ledger on the shared database; for a test that looks behind it, on the test's own."""
    own = {"url", "admin"} & set(request.fixturenames)
    with ledger_at(request.getfixturevalue("url" if own else "shared"), pool_size=16) as ledger:
        yield ledger
