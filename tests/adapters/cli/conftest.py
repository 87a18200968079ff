"""A console on a real database: one database for all tests, an organization for each."""

from __future__ import annotations

import io
import json
from contextlib import redirect_stderr, redirect_stdout
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from pydantic import SecretStr

from adapters.cli.app import run
from adapters.directory.microsoft_365 import CONTOSO
from adapters.postgres.migrate import migrate
from adapters.settings import Settings

if TYPE_CHECKING:
    from adapters.embedded.postgres import EmbeddedPostgres

ADMIN, PURCHASER = "chris@contoso.com", "ben@contoso.com"
NUMBERS = count(1)


class Said(NamedTuple):
    """What a verb answered."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        return json.loads(self.out)

    @property
    def refused(self) -> str:
        """The code of the refusal; told in one line, with exit code 1."""
        assert self.code == 1, self
        assert one_line_of(self)
        return str(self.data["error"]["code"])


def one_line_of(said: Said) -> str:
    """What stderr says: exactly one line, and no traceback."""
    assert "Traceback" not in said.err + said.out
    lines = said.err.splitlines()
    assert len(lines) == 1, said.err
    assert lines[0].startswith("seatledger: ")
    assert "a defect of seatledger" not in lines[0]
    return lines[0].removeprefix("seatledger: ")


class Console:
    """Types verbs; with an organization it says for whom, and who acts."""

    def __init__(self, settings: Settings, handle: str | None = None, user_name: str | None = None) -> None:
        self.settings, self.handle, self.user_name = settings, handle, user_name

    def plain(self, *words: str) -> Said:
        """As typed, nothing added."""
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            code = run(words, self.settings)
        return Said(code, out.getvalue(), err.getvalue())

    def said(self, *words: str) -> Said:
        """For people."""
        who = (("--org", self.handle) if self.handle else ()) + (("--as", self.user_name) if self.user_name else ())
        return self.plain(*words, *who)

    def __call__(self, *words: str) -> Said:
        """With --json."""
        return self.said(*words, "--json")

    def done(self, *words: str) -> Any:
        """The document of a verb that succeeds."""
        said = self(*words)
        assert said.code == 0, said
        return said.data

    def as_(self, user_name: str) -> Console:
        return Console(self.settings, self.handle, user_name)


@pytest.fixture(scope="session")
def cli_settings(postgres: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A migrated database with the real catalog."""
    with psycopg.connect(postgres.url, autocommit=True) as admin:
        admin.execute("CREATE DATABASE cli")
    url = make_conninfo(postgres.url, dbname="cli")
    migrate(url)
    settings = Settings(
        database_url=SecretStr(url), fingerprint_key=SecretStr("5a" * 32), home=tmp_path_factory.mktemp("home")
    )
    Console(settings).done("catalog", "import")
    return settings


@pytest.fixture(autouse=True)
def _nobody_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("SEATLEDGER_ORG", "SEATLEDGER_AS"):
        monkeypatch.delenv(variable, raising=False)


@pytest.fixture
def operator(cli_settings: Settings) -> Console:
    """Without an organization."""
    return Console(cli_settings)


@pytest.fixture
def admin(operator: Console) -> Console:
    """Chris, of an organization of this test's own, with the five of Contoso."""
    return contoso(operator)


@pytest.fixture(scope="session")
def anybody(cli_settings: Settings) -> Console:
    """Chris, for tests that change nothing: they share an organization."""
    return contoso(Console(cli_settings))


def contoso(operator: Console, *more: str, country: str = "US", currency: str = "USD") -> Console:
    handle = f"contoso-{next(NUMBERS)}"
    words = ("--country", country, "--currency", currency, "--admin", ADMIN, "--admin-name", "Chris Green")
    operator.done("organization", "create", handle, *words, *more)
    chris = Console(operator.settings, handle, ADMIN)
    chris.done("member", "import", str(CONTOSO))
    return chris


def can_pay(member: Console, card_of_the_sandbox: str = "tok_visa") -> str:
    """The member has a card and a billing profile; the profile's id."""
    card = member.done("payment-method", "add", card_of_the_sandbox)["payment_method_id"]
    return str(member.done("billing-profile", "open", card)["billing_profile_id"])


@pytest.fixture
def ben(admin: Console) -> Console:
    """A member without roles, who can pay."""
    ben = admin.as_(PURCHASER)
    can_pay(ben)
    return ben


@pytest.fixture
def bought(ben: Console) -> str:
    """Ben's subscription to Power BI Pro, with 100 licenses."""
    return str(ben.done("buy", "Power BI Pro", "--licenses", "100")["subscription_id"])


@pytest.fixture
def members_file(tmp_path: Path) -> Path:
    """1,200 generated members, which are three commands."""
    header = CONTOSO.read_text("utf-8-sig").splitlines()[0]
    rows = [f"generated.{n:04}@contoso.example,,,Generated Member {n:04}" + "," * 12 for n in range(1, 1_201)]
    path = tmp_path / "generated.csv"
    path.write_text("\n".join([header, *rows]) + "\n", "utf-8")
    return path
