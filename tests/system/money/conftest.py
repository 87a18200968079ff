"""Databases in which money moves, and two processes that play stories on copies of them."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor

import psycopg
import pytest

from adapters.embedded.postgres import EmbeddedPostgres
from adapters.postgres.migrate import migrate
from tests.system.money.stories import BOUGHT
from tests.system.money.world import import_prices, opened


@pytest.fixture(scope="session")
def drivers() -> Iterator[ProcessPoolExecutor]:
    """Two processes, forked from one that has read all code and opened nothing."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.system.money.played"])
    with ProcessPoolExecutor(2, mp_context=context) as pool:
        yield pool


@pytest.fixture(scope="session")
def money_url(postgres: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The URL of databases of which `money` is migrated and has prices, with a gap for the name."""
    with psycopg.connect(postgres.url, autocommit=True) as server:
        server.execute("CREATE DATABASE money")
    url = postgres.url_as("postgres", "money")
    migrate(url)
    with opened(url, tmp_path_factory.mktemp("money") / "unused.sqlite", BOUGHT) as world:
        import_prices(world.ledger)
    return postgres.url_as("postgres", "{}").replace("%7B%7D", "{}")
