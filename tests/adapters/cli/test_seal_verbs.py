"""The sealer's verbs as operators type them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from pydantic import SecretStr

from adapters.composition import House
from adapters.postgres.migrate import migrate
from adapters.proof.checkpoints import Checkpoint
from adapters.proof.notes import VerifyingKey, open_note
from adapters.settings import Settings
from adapters.workers.sealer import Ending, SealerSettings, run
from tests.adapters.cli.conftest import Console, one_line_of
from tests.adapters.postgres.writers import ledger_at
from tests.adapters.proof.owner import back_up, fork, restore
from tests.adapters.proof.sealing import events_of

if TYPE_CHECKING:
    from adapters.embedded.postgres import EmbeddedPostgres

ROOT = Path(__file__).parents[3]
KEY = "5a" * 32


@pytest.fixture(scope="module")
def console(postgres: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory) -> Console:
    """A ledger for this story alone: the tests go on with it in their order."""
    with psycopg.connect(postgres.url, autocommit=True) as admin:
        admin.execute("CREATE DATABASE seal_verbs")
    url = make_conninfo(postgres.url, dbname="seal_verbs")
    migrate(url)
    return Console(
        Settings(database_url=SecretStr(url), fingerprint_key=SecretStr(KEY), home=tmp_path_factory.mktemp("home"))
    )


def url_of(console: Console) -> str:
    assert console.settings.database_url
    return console.settings.database_url.get_secret_value()


def write(console: Console, events: int) -> None:
    with ledger_at(url_of(console), pool_size=1) as ledger:
        events_of(ledger, events)


@contextmanager
def running(console: Console) -> Iterator[subprocess.Popen[str]]:
    """`seatledger seal` as a process."""
    environment = {
        **os.environ,
        "SEATLEDGER_DATABASE_URL": url_of(console),
        "SEATLEDGER_FINGERPRINT_KEY": KEY,
        "SEATLEDGER_HOME": str(console.settings.home),
        "SEATLEDGER_SEAL_EVERY_S": "0.05",
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "adapters.cli.app", "seal"], cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True
    )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)


def sealed_until(console: Console, size: int) -> None:
    deadline = time.monotonic() + 60
    while (console.done("seal", "status")["checkpoint"] or {"size": 0})["size"] < size:
        assert time.monotonic() < deadline
        time.sleep(0.1)


def sealed(console: Console, size: int = 0) -> Ending:
    """Runs it here, until so much is sealed or it ends by itself; a process takes longer to start."""
    stop, endings = threading.Event(), list[Ending]()
    with House(console.settings) as house:
        settings = SealerSettings(house.seal_database_url, house.seal_folder, every_s=0.05)
        worker = threading.Thread(target=lambda: endings.append(run(settings, stop)))
        worker.start()
        if size:
            sealed_until(console, size)
            stop.set()
        worker.join(60)
    return endings[0]


def test_without_a_key_it_says_how_to_make_one(console: Console) -> None:
    assert "seatledger seal key --new" in one_line_of(console.said("seal", "key", "--as", "operator"))
    assert sealed(console) is Ending.HALTED


def test_a_key_shows_its_public_half_alone(console: Console) -> None:
    (made,) = console.done("seal", "key", "--new")["keys"]
    assert console.done("seal", "key")["keys"] == [made]
    log, at = VerifyingKey.parse(made["log"]), VerifyingKey.parse(made["time"])
    assert (log.name, log.public) == (at.name, at.public)
    private = (console.settings.home / "seal" / "key").read_text().strip()
    said = console.said("seal", "key")
    assert private not in said.out + said.err + str(made)


def test_it_seals_and_says_so(console: Console) -> None:
    write(console, 30)
    assert console.done("seal", "status")["unsealed"] == 30
    with running(console) as process:
        sealed_until(console, 30)
        status = console.done("seal", "status")
        assert status["sealer"]["process_id"] == process.pid
        assert (status["unsealed"], status["unpublished"], status["broker"]) == (0, 1, None)
        last = str(console.settings.home / "seal" / "last")
        for words in (("accept-fork",), ("resume", "--checkpoint", last)):
            assert "a sealer runs: stop it first" in one_line_of(console.said("seal", *words))
    assert process.returncode == 0
    (key,) = console.done("seal", "key")["keys"]
    latest = (console.settings.home / "seal" / "checkpoints" / "latest").read_text()
    opened = open_note(latest, [VerifyingKey.parse(text) for text in key.values()])
    assert Checkpoint.parse(opened.text).size == 30
    assert "nobody" in console.said("seal", "status").out


def test_a_restore_is_refused_until_its_fork_is_accepted(console: Console) -> None:
    with psycopg.connect(url_of(console), autocommit=True) as admin:
        back_up(admin)
        write(console, 30)
        sealed(console, 60)
        newest = (console.settings.home / "seal" / "last").read_text()
        restore(admin)
        assert sealed(console) is Ending.HALTED
        status = console.done("seal", "status")
        assert "60 leaves were signed for, and the database has 30" in status["last_error"]["why"]
        assert "there is no fork to accept" in one_line_of(console.said("seal", "accept-fork", "--yes"))
        fork(admin)
    asked = console.said("seal", "accept-fork")
    assert (asked.code, "a tree of 30 leaves" in asked.err, "1 checkpoint of up to 60" in asked.err) == (2, True, True)
    accepted = console.done("seal", "accept-fork", "--yes")
    assert (accepted["left"], accepted["signed_before"], accepted["lost_checkpoints"]) == (30, 60, [60])
    assert (accepted["before"][-2:], accepted["origin"][-2:]) == ("/1", "/2")
    write(console, 5)
    sealed(console, 35)
    kept = console.settings.home / "kept.txt"
    kept.write_text(newest)
    assert "is of" in one_line_of(console.said("seal", "resume", "--checkpoint", str(kept)))


def test_after_the_loss_of_the_folder_it_goes_on_from_a_checkpoint_that_was_kept(console: Console) -> None:
    folder = console.settings.home / "seal"
    kept = console.settings.home / "kept.txt"
    kept.write_text((folder / "checkpoints" / "latest").read_text())
    (folder / "last").unlink()
    assert sealed(console) is Ending.HALTED
    assert "seal resume" in console.done("seal", "status")["last_error"]["why"]
    assert console.done("seal", "resume", "--checkpoint", str(kept))["size"] == 35
    write(console, 5)
    sealed(console, 40)


def test_after_the_loss_of_the_key_it_goes_on_by_the_old_public_one(console: Console) -> None:
    folder, kept = console.settings.home / "seal", console.settings.home / "kept.txt"
    kept.write_text((folder / "last").read_text())
    (old,) = console.done("seal", "key")["keys"]
    (folder / "key").unlink()
    console.done("seal", "key", "--new")
    assert sealed(console) is Ending.HALTED
    words = ("seal", "resume", "--checkpoint", str(kept))
    assert console(*words, "--signed-by", "x").code == 2
    assert "no checkpoint that this key signed" in one_line_of(console.said(*words))
    assert console.done(*words, "--signed-by", old["log"])["size"] == 40
    write(console, 5)
    sealed(console, 45)


@pytest.mark.parametrize("words", [("key",), ("key", "--new"), ("accept-fork",)])
def test_members_may_not(console: Console, words: tuple[str, ...]) -> None:
    assert "operator" in one_line_of(console.as_("chris@contoso.com").said("seal", *words))
