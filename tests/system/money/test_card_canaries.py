"""Card data that people put everywhere is found nowhere, and what is kept is found in the same places."""

from __future__ import annotations

import json
import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest

from adapters.embedded.kafka import EmbeddedKafka
from adapters.embedded.throw_away import throw_away_home, throw_away_postgres
from adapters.postgres.migrate import migrate
from tests.adapters.documents.shown import text_of
from tests.adapters.kafka.conftest import Relayed

ROOT = Path(__file__).parents[3]
DIGITS = "4929123456789015"  # no real card: it passes the checksum, and stands nowhere else
FORMS = (DIGITS, "4929 1234 5678 9015", "4929-1234-5678-9015")
SMUGGLED = (*FORMS, DIGITS[4:])
CODE = "7391"
ALONE = re.compile(rf"(?<![0-9A-Za-z.-]){CODE}(?![0-9A-Za-z.-])")  # not within an id, a hash or an instant
KEPT = "benign-canary"
COUNTING = {".index", ".timeindex"}  # of offsets and times: 10 MB for each partition of each topic that a test has used
HEADER = "User Name,First Name,Last Name,Display Name,Job Title,Department,Office Number,Office Phone,Mobile Phone,Fax,"
ROW_REST = "Alternate email address,Address,City,State or Province,ZIP or Postal Code,Country or Region"


@dataclass
class Shop:
    """The command line on servers whose files can be looked through; everything that it says is kept."""

    url: str
    home: Path
    said: list[str] = field(default_factory=list)
    codes: list[int] = field(default_factory=list)

    def types(self, *words: str, by: str = "chris@contoso.com") -> Any:
        """A verb in a process of its own; its document."""
        env = {name: value for name, value in os.environ.items() if not name.startswith("SEATLEDGER_")}
        env |= {
            "PYTHONPATH": str(ROOT),
            "SEATLEDGER_HOME": str(self.home),
            "SEATLEDGER_DATABASE_URL": self.url,
            "SEATLEDGER_FINGERPRINT_KEY": "5a" * 32,
            "SEATLEDGER_AS": by,
        }
        if by != "operator":
            env["SEATLEDGER_ORG"] = "contoso"
        program = [sys.executable, "-m", "adapters.cli.app", *words, "--json"]
        done = subprocess.run(program, env=env, capture_output=True, text=True, check=False, cwd=self.home)
        self.said.append(done.stdout + done.stderr)
        self.codes.append(done.returncode)
        return json.loads(done.stdout) if done.stdout.startswith("{") else done.stderr

    def tells(self, *words: str, by: str = "chris@contoso.com") -> Any:
        """A verb that is carried out."""
        told = self.types(*words, by=by)
        assert self.codes[-1] == 0, (words, told)
        return told

    def smuggles(self, *words: str, by: str = "chris@contoso.com") -> None:
        """A verb with `CARD` in it, in each form: refused."""
        for form in FORMS[: 1 + len(words) % 3]:
            told = self.types(*(word.replace("CARD", form) for word in words), by=by)
            assert told["error"]["code"] == "card_data_not_accepted", (words, told)


@pytest.fixture
def home() -> Iterator[Path]:
    with throw_away_home() as folder:
        inner = folder / "shop"
        inner.mkdir(mode=0o711)
        yield inner


def members(file: Path, display_name: str) -> str:
    row = ["dora@contoso.com", "Dora", "Dean", display_name, *[""] * 12]
    file.write_text(f"{HEADER}{ROW_REST}\n{','.join(row)}\n", "utf-8")
    return str(file)


def lives(shop: Shop) -> bytes:
    """A purchase with everything that is kept, and with card data put wherever there is room; the invoice as PDF."""
    shop.tells("catalog", "import", by="operator")
    founding = ("--country", "US", "--currency", "USD", "--admin", "chris@contoso.com")
    shop.smuggles("organization", "create", "CARD", *founding, by="operator")
    shop.smuggles("organization", "create", "contoso", *founding, "--admin-name", "Chris CARD", by="operator")
    shop.tells("organization", "create", "contoso", *founding, "--admin-name", f"Chris {KEPT}", by="operator")
    shop.smuggles("member", "import", members(shop.home / "smuggled.csv", f"Dora {DIGITS}"))
    shop.tells("member", "import", members(shop.home / "kept.csv", f"Dora {KEPT}"))
    shop.smuggles("payment-method", "add", "CARD")
    shop.smuggles("payment-method", "add", "tok_visa", "--holder", "CARD")
    shop.smuggles("payment-method", "add", "tok_visa", "--address", "1 Way, CARD")
    shop.smuggles("payment-method", "add", "tok_visa", "--cvc", "7391")
    added = shop.tells("payment-method", "add", f"tok_visa:{KEPT}", "--holder", f"Chris {KEPT}")
    card = added["payment_method_id"]
    shop.smuggles("payment-method", "edit", card, "--holder", "CARD")
    shop.smuggles("payment-method", "edit", card, "--security-code-token", "7391")
    shop.smuggles("billing-profile", "open", card, "--name", "CARD")
    shop.tells("billing-profile", "open", card, "--name", f"Contoso {KEPT}", "--tax-id", KEPT)
    shop.smuggles("billing-profile", "bill-to", "--address", "CARD")
    shop.smuggles("billing-profile", "po-number", "CARD")
    shop.tells("billing-profile", "po-number", f"PO {KEPT}")
    bought = shop.tells("buy", "Power BI Pro", "--licenses", "3")
    cancelling = ("cancel", bought["subscription_id"], "--when", "now", "--reason", "other", "--feedback")
    shop.smuggles(*cancelling, "my card is CARD")
    shop.tells(*cancelling, KEPT)
    [invoice] = shop.tells("invoice", "list")["invoices"]
    file = shop.home / "invoice.pdf"
    shop.tells("invoice", "pdf", invoice["number"], "--output", str(file))
    (shop.home / "smuggled.csv").unlink()  # theirs, not ours
    return file.read_bytes()


def files_with(folder: Path, text: str) -> list[str]:
    """The files in which the text stands, in any letter case; but for those of a broker that only count."""
    wanted = text.encode().lower()
    files = [path for path in folder.resolve().rglob("*") if path.is_file() and path.suffix not in COUNTING]
    return [str(path.relative_to(folder.resolve())) for path in files if wanted in path.read_bytes().lower()]


def recorded(url: str) -> str:
    """All text that the ledger has: of events with their envelopes, and personal facts."""
    query = """
        SELECT convert_from(state, 'UTF8') || ' ' || convert_from(metadata, 'UTF8') FROM ledger.events
        UNION ALL SELECT value FROM ledger.personal_facts
    """
    with psycopg.connect(url) as superuser:
        rows = superuser.execute(query).fetchall()
    return "\n".join(text for (text,) in rows)


def dumped(file: Path) -> str:
    """All text that the provider has."""
    with closing(sqlite3.connect(file)) as provider:
        return "\n".join(provider.iterdump())


@pytest.mark.timeout(400)
def test_card_data_is_found_nowhere_and_what_is_kept_is(home: Path, kafka: EmbeddedKafka) -> None:
    with throw_away_postgres() as server:
        migrate(server.url)
        shop = Shop(server.url, home)
        pdf = lives(shop)
        topic = Relayed(server.url, kafka.bootstrap)
        try:
            topic.relay()
            messages = b"\n".join((one.key or b"") + one.value + repr(one.headers).encode() for one in topic.messages())
        finally:
            topic.close()
        with psycopg.connect(server.url, autocommit=True) as superuser:
            superuser.execute("CHECKPOINT")
        data = server.folder / "data"
        said, read = "\n".join(shop.said), text_of(pdf)
        # What is kept is found: the search sees into every one of these places.
        kept = files_with(data, KEPT)
        assert any(name.startswith("base/") for name in kept)
        assert any(name.startswith("pg_wal/") for name in kept)
        assert "sandbox.sqlite" in "".join(files_with(home, "authorize"))
        assert b"Power BI Pro" in messages
        assert files_with(kafka.folder, topic.topics.events)
        assert KEPT in said
        assert KEPT in read
        for text in SMUGGLED:
            assert files_with(data, text) == []
            assert files_with(home, text) == []
            assert files_with(kafka.folder, text) == []
            assert text.encode() not in messages + pdf
            assert text not in said + read
        # A code of four digits stands in binary files by chance; in text it would stand alone.
        provider = dumped(home / "sandbox.sqlite")
        texts = (said, read, messages.decode(), recorded(server.url), provider)
        assert ALONE.search(f'"--cvc" "{CODE}"')
        assert [ALONE.findall(text) for text in texts] == [[]] * len(texts)
        assert KEPT in recorded(server.url)
        assert "authorize" in provider
