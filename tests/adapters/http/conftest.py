"""The API on a real database, over real HTTP: one server for all tests, an organization for each."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import count
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import httpx
import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from psycopg.sql import SQL, Identifier
from pydantic import SecretStr

from adapters.cli.app import run
from adapters.composition import House
from adapters.directory.microsoft_365 import CONTOSO, read_members
from adapters.http.development_issuer import DevelopmentIssuer
from adapters.http.serve import app_of, listening, server_of
from adapters.postgres.migrate import migrate
from adapters.settings import Settings
from adapters.settings_http import address_of

if TYPE_CHECKING:
    from pathlib import Path

    from adapters.embedded.postgres import EmbeddedPostgres

ADMIN, PURCHASER, OTHER = "chris@contoso.com", "ben@contoso.com", "david@contoso.com"
NUMBERS = count(1)


@dataclass(frozen=True)
class Api:
    """Calls the API as somebody, in an organization."""

    http: httpx.Client
    issuer: DevelopmentIssuer
    handle: str | None = None
    user_name: str | None = None
    house_role: Any = None
    role: str | None = None
    token: str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    known: dict[str, int] = field(default_factory=lambda: {"position": 0})  # of the last command of all who share it

    def as_(self, user_name: str, role: str | None = None) -> Api:
        return replace(self, user_name=user_name, role=role, house_role=None, token=None)

    def in_role(self, role: str) -> Api:
        return replace(self, role=role)

    def of_the_house(self, role: str) -> Api:
        return replace(self, user_name=None, role=None, house_role=role, token=None)

    def within(self, handle: str) -> Api:
        """The same caller on another organization's paths."""
        return replace(self, token=self.bearer, handle=handle)

    @property
    def bearer(self) -> str:
        if self.token is not None:
            return self.token
        organization = None if self.house_role else self.handle
        return self.issuer.issue(organization, self.user_name, self.house_role, 1)

    def path(self, path: str) -> str:
        return path if path.startswith("/v1/") else f"/v1/organizations/{self.handle}{path}"

    def ask(
        self, method: str, path: str, *, key: str | None = None, tag: str | None = None, **more: Any
    ) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.bearer}", **self.headers, **more.pop("headers", {})}
        if self.role:
            headers["Seatledger-Role"] = self.role
        if method != "GET":
            headers.setdefault("Idempotency-Key", key or str(uuid4()))
        if tag is not None:
            headers["If-Match"] = tag
        if method == "GET" and not path.startswith("/v1/"):  # no projector runs: a query is told how far to fold
            more["params"] = {"at_least": self.known["position"], **(more.get("params") or {})}
        answer = self.http.request(method, self.path(path), headers=headers, **more)
        if method != "GET" and (position := answer.headers.get("Seatledger-Position")):
            self.known["position"] = max(self.known["position"], int(position))
        return answer

    def get(self, path: str, **query: Any) -> Any:
        """The document of a query that succeeds."""
        answer = self.ask("GET", path, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def tag(self, path: str) -> str:
        answer = self.ask("GET", path)
        assert answer.status_code == 200, answer.text
        return answer.headers["ETag"]

    def post(self, path: str, body: Any = None, **more: Any) -> Any:
        return self.done("POST", path, body, **more)

    def put(self, path: str, body: Any = None, *, tag: str = "*", **more: Any) -> Any:
        return self.done("PUT", path, body, tag=tag, **more)

    def done(self, method: str, path: str, body: Any = None, **more: Any) -> Any:
        """The document of a command that succeeds."""
        answer = self.ask(method, path, json=body, **more) if body is not None else self.ask(method, path, **more)
        assert answer.status_code in {200, 201}, answer.text
        return answer.json()


def refused(answer: httpx.Response, status: int, code: str) -> Any:
    """The problem of an answer."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    found = answer.json()
    assert (answer.status_code, found["code"], found["status"]) == (status, code, status), answer.text
    assert found["type"] == f"/problems/{code}"
    assert found["request_id"] == answer.headers["Request-Id"]
    return found


@contextmanager
def serving(settings: Settings) -> Iterator[str]:
    """The API on a free port, in threads of this process; its address."""
    with listening("127.0.0.1", 0) as door, House(settings, walled=True) as house:
        server = server_of(app_of(house))
        thread = threading.Thread(target=server.run, args=([door],), name="api")
        thread.start()
        try:
            deadline = time.monotonic() + 20
            while not server.started:
                assert thread.is_alive()
                assert time.monotonic() < deadline
                time.sleep(0.01)
            yield address_of(*door.getsockname())
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture(scope="session")
def api_settings(postgres: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return settings_for(postgres, "api", tmp_path_factory.mktemp("home"))


def settings_for(postgres: EmbeddedPostgres, database: str, home: Path) -> Settings:
    """A migrated database with the real catalog, in development: tokens are made by the tests."""
    with psycopg.connect(postgres.url, autocommit=True) as admin:
        admin.execute(SQL("CREATE DATABASE {}").format(Identifier(database)))
    url = make_conninfo(postgres.url, dbname=database)
    migrate(url)
    settings = Settings(
        database_url=SecretStr(url),
        fingerprint_key=SecretStr("5a" * 32),
        home=home,
        development=True,
        api_rate_per_key="1000000/minute",
        api_rate_per_organization="1000000/minute",
    )
    assert run(["catalog", "import", "--json"], settings) == 0
    return settings


@pytest.fixture(scope="session")
def api_address(api_settings: Settings) -> Iterator[str]:
    with serving(api_settings) as address:
        yield address


@pytest.fixture(scope="session")
def anybody(api_settings: Settings, api_address: str) -> Iterator[Api]:
    """A client without an organization."""
    with httpx.Client(base_url=api_address, timeout=30) as client:
        yield Api(client, DevelopmentIssuer(api_settings.home))


@pytest.fixture
def operator(anybody: Api) -> Api:
    return anybody.of_the_house("operator")


@pytest.fixture
def chris(operator: Api) -> Api:
    """The admin of an organization of this test's own, with the five of Contoso."""
    return founded(operator)


def founded(operator: Api, **facts: Any) -> Api:
    handle = f"contoso-{next(NUMBERS)}"
    admin = {"user_name": ADMIN, "display_name": "Chris Green"}
    path = f"/v1/organizations/{handle}"
    operator.post(path, {"country": "US", "currency": "USD", "first_admin": admin, **facts})
    chris = replace(operator.as_(ADMIN, "admin"), handle=handle)
    rows = [row.model_dump(mode="json", exclude_defaults=True) for row in read_members(CONTOSO)]
    chris.post("/members", {"rows": rows})
    return chris


def can_pay(member: Api, card_of_the_sandbox: str = "tok_visa") -> str:
    """The member has a card and a billing profile; the profile's id."""
    card = member.post("/payment-methods", {"token": card_of_the_sandbox})["payment_method_id"]
    return str(member.post("/billing-profiles", {"payment_method_id": card, "country": "US"})["billing_profile_id"])


@pytest.fixture
def ben(chris: Api) -> Api:
    """A member without roles, who can pay."""
    ben = chris.as_(PURCHASER)
    can_pay(ben)
    return ben


@pytest.fixture
def offer_id(anybody: Api) -> str:
    """Power BI Pro, monthly, in USD."""
    return the_offer(anybody)


def the_offer(anybody: Api) -> str:
    products = anybody.of_the_house("operator").get("/v1/catalog/products", on_sale=True, name="Power BI Pro")["items"]
    offers = [one for product in products if product["name"] == "Power BI Pro" for one in product["offers"]]
    return str(next(one["offer_id"] for one in offers if one["price"] and one["terms"]["currency"] == "USD"))


@pytest.fixture
def bought(ben: Api, offer_id: str) -> str:
    """Ben's subscription to Power BI Pro, with 100 licenses."""
    return str(ben.post("/subscriptions", {"offer_id": offer_id, "licenses": 100})["subscription_id"])
