"""A ledger of their own for the races, and a Contoso for each round of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import psycopg
import pytest

from adapters.embedded.postgres import EmbeddedPostgres
from adapters.postgres.ledger import directory_of, open_ledger
from adapters.postgres.migrate import migrate
from services.ledger import Ledger
from tests.examples import PURCHASED_AT
from tests.services.contoso import Clock, Contoso
from tests.services.on_sale import import_power_bi


@pytest.fixture(scope="session")
def system_url(postgres: EmbeddedPostgres) -> str:
    """The superuser's URL of a migrated database that the tests here share."""
    with psycopg.connect(postgres.url, autocommit=True) as server:
        server.execute("CREATE DATABASE system")
    url = postgres.url_as("postgres", "system")
    migrate(url)
    return url


@pytest.fixture(scope="session")
def system_ledger(system_url: str) -> Iterator[Ledger]:
    with open_ledger(system_url, pool_size=16, clock=Clock(PURCHASED_AT), fingerprint_key=b"of the tests") as ledger:
        import_power_bi(ledger)
        yield ledger


@pytest.fixture
def found(system_ledger: Ledger) -> Callable[[], Contoso]:
    """Founds another Contoso."""
    return lambda: Contoso.founded(system_ledger, directory_of(system_ledger), Clock(PURCHASED_AT))


@pytest.fixture
def contoso(found: Callable[[], Contoso]) -> Contoso:
    return found()
