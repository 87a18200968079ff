"""A house with a running API, and the Contosos that live in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import httpx
import psycopg
from pydantic import SecretStr

from adapters.cli.app import run
from adapters.composition import House
from adapters.http.development_issuer import DevelopmentIssuer
from adapters.postgres.migrate import migrate
from adapters.settings import Settings
from domain.organization import organization_id_of
from tests.adapters.http.conftest import Api, can_pay, founded, the_offer
from tools.soak.api_server import ApiProcess

FINGERPRINT_KEY = "5a" * 32
HARD_TO_REACH = "1000000/minute"
TOLD = b"SELECT topic FROM ledger.events WHERE organization_id = %s ORDER BY organization_seq"


def settings_of(url: str, home: Any, **more: Any) -> dict[str, Any]:
    """What a process is told: development, and rates that no test reaches."""
    return {
        "database_url": url,
        "fingerprint_key": FINGERPRINT_KEY,
        "home": home,
        "development": True,
        "api_rate_per_key": HARD_TO_REACH,
        "api_rate_per_organization": HARD_TO_REACH,
        **more,
    }


def with_catalog(url: str, home: Any) -> None:
    """Brings a database to its tables, and the real catalog into it."""
    migrate(url)
    assert run(["catalog", "import", "--json"], in_this_process(url, home)) == 0


def in_this_process(url: str, home: Any) -> Settings:
    return Settings(database_url=SecretStr(url), fingerprint_key=SecretStr(FINGERPRINT_KEY), home=home)


def differences(url: str, home: Any) -> list[Any]:
    """What an audit of the whole database finds: chains, payloads, commands, amounts, read tables."""
    with House(in_this_process(url, home)) as house:
        return house.verify(topic=False, told=lambda _: None).differences


@dataclass(frozen=True)
class RunningHouse:
    """An API that answers, and the database behind it."""

    process: ApiProcess
    url: str
    home: Any
    anybody: Api

    @classmethod
    def at(cls, process: ApiProcess, url: str, home: Any, http: httpx.Client) -> RunningHouse:
        return cls(process, url, home, Api(http, DevelopmentIssuer(home)))

    @property
    def operator(self) -> Api:
        return self.anybody.of_the_house("operator")

    def contoso(self) -> Contoso:
        """Another Contoso: Chris is its admin, and Ben can pay."""
        chris = founded(self.operator)
        members = chris.get("/members")["items"]
        ids = {one["user_name"].partition("@")[0]: one["member_id"] for one in members}
        ben = chris.as_("ben@contoso.com")
        can_pay(ben)
        return Contoso(self, chris, ben, ids, the_offer(self.anybody))


@dataclass(frozen=True)
class Contoso:
    """An organization of a test's own."""

    house: RunningHouse
    chris: Api
    ben: Api
    members: dict[str, str]  # ids by the first part of the user name
    offer_id: str

    @property
    def order(self) -> dict[str, Any]:
        return {"offer_id": self.offer_id, "licenses": 3}

    def buys(self, licenses: int) -> str:
        """Ben's new subscription."""
        return str(self.ben.post("/subscriptions", {**self.order, "licenses": licenses})["subscription_id"])

    def imports(self, count: int) -> list[str]:
        """Colleagues, by their ids."""
        rows = [{"user_name": f"generated.{number:03}@contoso.com"} for number in range(count)]
        return [event["subject"] for event in self.chris.post("/members", {"rows": rows})["events"]]

    def told(self) -> list[str]:
        """What happened in the organization, in order, by the names of its events."""
        with psycopg.connect(self.house.url) as connection:
            rows = connection.execute(TOLD, (organization_id_of(str(self.chris.handle)),)).fetchall()
        return [topic.rpartition(".")[2] for (topic,) in rows]

    def shown(self, subscription_id: str) -> Any:
        """A purchase, with all that was told before."""
        return self.ben.get(f"/subscriptions/{subscription_id}", at_least=self.head())

    def holders(self, subscription_id: str) -> list[str]:
        path = f"/subscriptions/{subscription_id}/assignments"
        return [one["member"]["member_id"] for one in self.ben.get(path, at_least=self.head())["items"]]

    def head(self) -> int:
        """The position of the last event that anybody told."""
        with psycopg.connect(self.house.url) as connection:
            row = connection.execute(b"SELECT max(position) FROM ledger.events").fetchone()
        assert row
        return int(row[0])
