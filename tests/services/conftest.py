"""A migrated ledger with a clock that tests set, the catalog with Power BI Pro, and a Contoso for each test."""

from collections.abc import Iterator
from typing import cast

import psycopg
import pytest

from adapters.embedded.postgres import EmbeddedPostgres
from adapters.postgres.directory import PersonalDirectory
from adapters.postgres.ledger import open_ledger
from adapters.postgres.migrate import migrate
from adapters.postgres.reads import ReadModels
from adapters.postgres.reads_purchases import PurchaseReads
from adapters.postgres.recorder import LedgerRecorder
from domain.organization import CATALOG
from services.ledger import Ledger
from tests.examples import PURCHASED_AT
from tests.services.contoso import Clock, Contoso, HoldingsOfHistory
from tests.services.on_sale import import_power_bi


@pytest.fixture(scope="session")
def database_url(postgres: EmbeddedPostgres) -> str:
    """A database apart from those of other tests; organizations keep these tests apart from one another."""
    with psycopg.connect(postgres.url, autocommit=True) as server:
        server.execute("CREATE DATABASE services")
    return postgres.url_as("postgres", "services")


@pytest.fixture(scope="session")
def opened_ledger(database_url: str) -> Iterator[Ledger]:
    migrate(database_url)
    ledger = open_ledger(database_url, pool_size=8, clock=Clock(PURCHASED_AT), fingerprint_key=b"of the tests")
    import_power_bi(ledger)
    yield ledger
    ledger.close()


@pytest.fixture
def clock() -> Clock:
    """Stands at the time of the purchase until the test sets it."""
    return Clock(PURCHASED_AT)


@pytest.fixture
def ledger(opened_ledger: Ledger, clock: Clock) -> Ledger:
    opened_ledger.clock = clock
    return opened_ledger


@pytest.fixture
def directory(ledger: Ledger) -> PersonalDirectory:
    return PersonalDirectory(cast("LedgerRecorder", ledger.recorder).datastore)


@pytest.fixture(scope="session")
def read_models(database_url: str) -> Iterator[ReadModels]:
    with ReadModels(database_url, wait_s=30) as models:
        yield models


@pytest.fixture
def views(read_models: ReadModels) -> PurchaseReads:
    """The read tables, which a query that asks for a position brings there."""
    return PurchaseReads(read_models)


@pytest.fixture
def contoso(ledger: Ledger, directory: PersonalDirectory, clock: Clock) -> Contoso:
    return Contoso.founded(ledger, directory, clock)


@pytest.fixture
def catalog(ledger: Ledger, directory: PersonalDirectory, clock: Clock) -> Contoso:
    """The catalog, for tests that look at its history; products are under codes of their own."""
    return Contoso(ledger, clock, directory, CATALOG, HoldingsOfHistory(ledger), "catalog")


@pytest.fixture
def another(ledger: Ledger, directory: PersonalDirectory, clock: Clock) -> Contoso:
    """A second organization, whose things do not exist for the first."""
    return Contoso.founded(ledger, directory, clock)
