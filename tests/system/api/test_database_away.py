"""The database is stopped: calls are told so, the process lives, and works again when the database does."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import httpx
import pytest

from adapters.embedded.postgres import EmbeddedPostgres
from adapters.embedded.throw_away import throw_away_postgres
from tests.adapters.http.conftest import refused
from tests.system.api.held import until
from tests.system.api.house import RunningHouse, settings_of, with_catalog
from tools.soak.api_server import api_process

TOLD_S = 5.0


@pytest.fixture
def server() -> Iterator[EmbeddedPostgres]:
    with throw_away_postgres() as server:
        yield server


@pytest.fixture
def house(server: EmbeddedPostgres, tmp_path: Path) -> Iterator[RunningHouse]:
    """A house on a server of its own."""
    with_catalog(server.url, tmp_path)
    with (
        api_process(settings_of(server.url, tmp_path), tmp_path / "api.log") as process,
        httpx.Client(base_url=process.address, timeout=60) as http,
    ):
        yield RunningHouse.at(process, server.url, tmp_path, http)


@pytest.mark.timeout(300)
def test_calls_are_told_and_nothing_has_to_be_restarted(house: RunningHouse, server: EmbeddedPostgres) -> None:
    contoso = house.contoso()
    subscription = contoso.buys(licenses=3)
    http, ben = house.anybody.http, contoso.ben
    number = house.process.process.pid
    path = f"/subscriptions/{subscription}/licenses"
    resize = partial(ben.ask, "PUT", path, json={"total": 7}, key="resize", tag="*")
    for away in (server.kill9, server.stop):
        assert http.get("/readyz").status_code == 200
        away()
        for ask in (partial(ben.ask, "GET", "/subscriptions"), resize):
            started = time.monotonic()
            answer = ask()
            assert time.monotonic() - started < TOLD_S
            refused(answer, 503, "unavailable")
            assert int(answer.headers["Retry-After"]) >= 1
        until(lambda: http.get("/readyz").status_code == 503)
        assert http.get("/readyz").json()["status"] == "not_ready"
        assert http.get("/healthz").status_code == 200
        assert "seatledger_database_up 0.0" in http.get("/metrics").text
        server.start()
        until(lambda: http.get("/readyz").status_code == 200)
        assert ben.ask("GET", "/subscriptions").status_code == 200
    assert resize().status_code == 200
    assert contoso.shown(subscription)["licenses_total"] == 7
    assert house.process.process.pid == number
    assert house.process.process.poll() is None
