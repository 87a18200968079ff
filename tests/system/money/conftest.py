"""Databases in which money moves, and two processes that play stories on copies of them."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from adapters.embedded.throw_away import throw_away_postgres
from adapters.postgres.migrate import migrate
from tests.system.money.played import keep
from tests.system.money.stories import BOUGHT
from tests.system.money.world import World, import_prices, opened


@pytest.fixture(scope="session")
def drivers(money_url: str) -> Iterator[ProcessPoolExecutor]:
    """Two processes, forked from one that has read all code and opened nothing."""
    assert money_url  # they end before the server does
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.system.money.lost", "tests.system.money.raced", "tests.system.money.runs"])
    with ProcessPoolExecutor(2, mp_context=context) as pool:
        yield pool


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the files of providers lie, as long as the databases that they belong to."""
    return tmp_path_factory.mktemp("providers")


@pytest.fixture(scope="session")
def money_url(folder: Path) -> Iterator[str]:
    """The URL of databases of which `money` is migrated and has prices, with a gap for the name.

    Here processes die, and never the server: it need not wait for the disk, and is done in a third of the time.
    """
    with throw_away_postgres() as server:
        with psycopg.connect(server.url, autocommit=True) as superuser:
            superuser.execute("ALTER SYSTEM SET fsync = off")
            superuser.execute("SELECT pg_reload_conf()")
            superuser.execute("CREATE DATABASE money")
        url = server.url_as("postgres", "money")
        migrate(url)
        with opened(url, folder / "unused.sqlite", BOUGHT) as world:
            import_prices(world.ledger)
        keep(url, folder / "money")
        yield server.url_as("postgres", "{}").replace("%7B%7D", "{}")


@pytest.fixture(scope="session")
def shared_url(money_url: str) -> str:
    """A database for tests that found an organization of their own."""
    with psycopg.connect(money_url.format("postgres"), autocommit=True) as superuser:
        superuser.execute("CREATE DATABASE shared TEMPLATE money")
    return money_url.format("shared")


@pytest.fixture
def world(shared_url: str, tmp_path: Path) -> Iterator[World]:
    """An organization with a purchaser, a card and a billing profile, at BOUGHT."""
    with opened(shared_url, tmp_path / "provider.sqlite", BOUGHT, f"contoso-{uuid4().hex}") as founded:
        founded.found()
        yield founded
