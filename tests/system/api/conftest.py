"""The API as a process of its own, over real HTTP, on a database that the tests here share."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import psycopg
import pytest

from adapters.embedded.postgres import EmbeddedPostgres
from tests.adapters.http.conftest import Api
from tests.system.api.house import Contoso, RunningHouse, settings_of, with_catalog
from tools.soak.api_server import api_process

CONNECTIONS = 64


@pytest.fixture(scope="session")
def house(postgres: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHouse]:
    with psycopg.connect(postgres.url, autocommit=True) as server:
        server.execute("CREATE DATABASE http")
    url, home = postgres.url_as("postgres", "http"), tmp_path_factory.mktemp("home")
    with_catalog(url, home)
    limits = httpx.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS)
    with (
        api_process(settings_of(url, home), home / "api.log") as process,
        httpx.Client(base_url=process.address, timeout=60, limits=limits) as http,
    ):
        yield RunningHouse.at(process, url, home, http)


@pytest.fixture
def operator(house: RunningHouse) -> Api:
    return house.operator


@pytest.fixture
def contoso(house: RunningHouse) -> Contoso:
    return house.contoso()
