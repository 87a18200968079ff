"""What compose.yaml starts, started without containers: it sells, publishes, counts, and ends in good order."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import httpx
import psycopg
import pytest
import yaml

from adapters.embedded.throw_away import throw_away_kafka, throw_away_postgres
from adapters.http.development_issuer import DevelopmentIssuer
from adapters.kafka.topic import read_topic
from adapters.kafka.topic_settings import Topics
from adapters.proof.checkpoints import Checkpoint
from adapters.proof.notes import VerifyingKey, open_note
from tests.adapters.http.conftest import ADMIN, PURCHASER, Api, can_pay, founded, the_offer
from tests.adapters.http.issuer import Issuer, an_issuer
from tests.adapters.kafka.conftest import until
from tests.system.composed import ROOT, Composed
from tests.system.composed_postgres import enter, made_secrets

pytestmark = pytest.mark.kafka
PURCHASED = "seatledger.subscription.subscription_purchased.v1"


@dataclass(frozen=True)
class House:
    """Everything that compose.yaml starts, up and healthy."""

    composed: Composed
    secrets: dict[str, str]
    bootstrap: str
    issuer: Issuer

    def secret(self, name: str) -> str:
        return Path(self.secrets[f"/run/secrets/{name}"]).read_text(encoding="utf-8")

    def port(self, service: str, within: int) -> list[int]:
        return [replica.port(within) for replica in self.composed.replicas[service]]


@dataclass(frozen=True)
class Tokens:
    """Stands for the development's issuer: members get tokens of the one that compose.yaml was told of."""

    issuer: Issuer

    def issue(self, organization: str | None, user_name: str | None, role: str | None, _: float) -> str:
        roles = [f"seatledger.{role}"] if role else None
        return self.issuer.token(organization=organization, preferred_username=user_name, roles=roles)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with ExitStack() as servers:
        postgres = servers.enter_context(throw_away_postgres())
        kafka = servers.enter_context(throw_away_kafka())
        issuer = servers.enter_context(an_issuer())
        secrets = made_secrets(tmp_path, postgres)
        enter(postgres, secrets, tmp_path)
        for name in ("tmp", "home", "seal"):
            (tmp_path / name).mkdir()
        here = {
            "/var/lib/seatledger": str(tmp_path / "home"),
            "/var/lib/seatledger-seal": str(tmp_path / "seal"),
            "/tmp/": f"{tmp_path / 'tmp'}/",  # noqa: S108 - of the container
            "/opt/examples": str(ROOT),
            "kafka:19092": kafka.bootstrap,
            "0.0.0.0": "127.0.0.1",  # noqa: S104 - nobody listens to the world here
        }
        text = (ROOT / "compose.yaml").read_text(encoding="utf-8")
        assert all(place in text for place in here), "a place that stands nowhere is a mistake"
        composed = Composed(
            tmp_path, {**secrets, **here}, {"SEATLEDGER_OIDC_ISSUER": issuer.url, "SEATLEDGER_OIDC_AUDIENCE": ""}
        )
        servers.callback(composed.end)
        composed.up()
        yield House(composed, secrets, kafka.bootstrap, issuer)


def test_what_compose_starts_sells_publishes_counts_and_ends_in_good_order(house: House) -> None:
    composed = house.composed
    composed.run("seatledger", "catalog", "import")
    made = composed.run("seatledger", "api-key", "create", "--label", "tests", "--role", "operator", "--json")
    with httpx.Client(base_url=f"http://127.0.0.1:{house.port('api', 8080)[0]}", timeout=30) as http:
        tokens = cast("DevelopmentIssuer", Tokens(house.issuer))
        subscription = buys(Api(http, tokens, token=json.loads(made)["key"]))
    until(lambda: purchased(house.bootstrap) == [subscription["subscription_id"]])
    until(lambda: reported(composed) == [14_00 * 3])
    assert_prometheus_finds_everybody(house)
    assert_the_logins_are_apart(house)
    assert_the_sealer_has_signed(house)
    composed.run("seatledger", "audit", "verify", "--as", "operator")
    codes = composed.stop()
    assert codes == dict.fromkeys(codes, 0), [replica.said() for replica in composed.every() if codes.get(replica.name)]
    assert codes.keys() >= {
        "api-1",
        "relay-1",
        "relay-2",
        "projector-1",
        "sealer-1",
        "advance-1",
        "monthly-recurring-revenue-1",
    }


def buys(operator: Api) -> dict[str, Any]:
    """An operator founds Contoso by API key; Ben buys by a token of the issuer; the admin sees it in the read model."""
    chris = founded(operator)
    ben = chris.as_(PURCHASER)
    can_pay(ben)
    bought = ben.post("/subscriptions", {"offer_id": the_offer(ben), "licenses": 3})
    (seen,) = chris.as_(ADMIN, "admin").get("/subscriptions")["items"]
    assert seen["subscription_id"] == bought["subscription_id"]
    return cast("dict[str, Any]", seen)


def purchased(bootstrap: str) -> list[str]:
    """Subscriptions that the topic says were bought."""
    messages = read_topic(bootstrap, Topics().events)
    return [json.loads(one.value)["subscription_id"] for one in messages if one.type == PURCHASED]


def reported(composed: Composed) -> list[int]:
    """What recurs this month by the example, in cents."""
    month = f"{datetime.now(UTC):%Y-%m}"
    said = composed.run("monthly-recurring-revenue", "report", "--month", month, "--json")
    return [line["closing"]["minor"] for line in json.loads(said)["lines"]]


def assert_prometheus_finds_everybody(house: House) -> None:
    """What its configuration names answers; of the relays one leads, and one stands by."""
    settings = yaml.safe_load((ROOT / "tools" / "compose" / "prometheus.yml").read_text(encoding="utf-8"))
    told: dict[str, list[str]] = {}
    for job in settings["scrape_configs"]:
        static = [one.split(":") for each in job.get("static_configs", ()) for one in each["targets"]]
        found = [(each["names"][0], each["port"]) for each in job.get("dns_sd_configs", ())]
        for service, within in [*static, *found]:
            ports = house.port(service, int(within))
            told[service] = [httpx.get(f"http://127.0.0.1:{port}/metrics").text for port in ports]
    assert all("# TYPE " in one for each in told.values() for one in each)
    leads = re.compile(r"^seatledger_relay_leads\{.*\} (.+)$", re.MULTILINE)
    assert sorted(leads.findall(one)[0] for one in told["relay"]) == ["0.0", "1.0"]


def assert_the_sealer_has_signed(house: House) -> None:
    """Everything up to now, by the key that it shows; the topic has it."""
    until(lambda: json.loads(house.composed.run("seatledger", "seal", "status", "--json"))["unsealed"] == 0)
    (keys,) = json.loads(house.composed.run("sealer", "seal", "key", "--json"))["keys"]
    until(lambda: json.loads(house.composed.run("seatledger", "seal", "status", "--json"))["unpublished"] == 0)
    *_, newest = read_topic(house.bootstrap, Topics().checkpoints)
    opened = open_note(newest.value.decode(), [VerifyingKey.parse(keys["log"])])
    assert Checkpoint.parse(opened.text).size > 0


def assert_the_logins_are_apart(house: House) -> None:
    """Each has its password, the services' cannot change tables, and the example's cannot come to ours."""
    app, example = house.secret("database_url"), house.secret("mrr_database_url")
    for url, password in ((app, house.secret("app_password")), (example, house.secret("mrr_password"))):
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(url.replace(password, "another"))
    with (
        psycopg.connect(app) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege, match="permission denied"),
    ):
        connection.execute("CREATE TABLE ledger.mine (id integer)")
    for url, database in ((example, "seatledger"), (app, "mrr")):
        with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
            psycopg.connect(re.sub(r"/\w+\?", f"/{database}?", url))
