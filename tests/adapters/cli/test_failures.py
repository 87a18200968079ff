"""When the world fails: a clear line, and the same command succeeds later."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from uuid import uuid4

import pytest
from pydantic import SecretStr

from adapters.embedded.throw_away import throw_away_postgres
from adapters.postgres.migrate import migrate
from adapters.settings import Settings
from tests.adapters.cli.conftest import Console, can_pay, contoso, one_line_of

pytestmark = pytest.mark.enable_socket
ROOT = Path(__file__).parents[3]


def settings_of(url: str, home: Path) -> Settings:
    return Settings(database_url=SecretStr(url), fingerprint_key=SecretStr("5a" * 32), home=home)


def environment(settings: Settings) -> Mapping[str, str]:
    """For a console of its own process."""
    assert settings.database_url
    return {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "SEATLEDGER_DATABASE_URL": settings.database_url.get_secret_value(),
        "SEATLEDGER_FINGERPRINT_KEY": "5a" * 32,
        "SEATLEDGER_HOME": str(settings.home),
    }


def test_a_database_that_is_down_is_told_and_the_same_command_succeeds_later(tmp_path: Path) -> None:
    with throw_away_postgres() as server:
        migrate(server.url)
        settings = settings_of(server.url, tmp_path)
        Console(settings).done("catalog", "import")
        ben = contoso(Console(settings)).as_("ben@contoso.com")
        can_pay(ben)
        words = ("buy", "Power BI Pro", "-n", "5")
        server.stop()
        said = ben.said(*words)
        assert said.code == 1
        line = one_line_of(said)
        assert "database" in line
        command_id = line.rsplit(" ", 1)[1].removesuffix(")")
        assert ben("status").code == 2  # takes no organization: a usage error needs no database
        for other in (("products",), ("purchases", "list"), ("member", "list"), ("audit", "history", str(uuid4()))):
            assert ben(*other).refused == "unavailable"
        for of_all in (("status",), ("audit", "verify"), ("due",), ("catalog", "list", "--as", "operator")):
            assert ben.plain(*of_all, "--json").refused == "unavailable"
        server.start()
        bought = ben.done(*words, "--command-id", command_id)
        assert ben.done(*words, "--command-id", command_id) == bought
        assert len(ben.done("products")["subscriptions"]) == 1


def test_a_database_that_is_read_only_is_told(ben: Console, cli_settings: Settings, tmp_path: Path) -> None:
    assert cli_settings.database_url
    url = f"{cli_settings.database_url.get_secret_value()} options='-c default_transaction_read_only=on'"
    reading = Console(settings_of(url, tmp_path), ben.handle, "ben@contoso.com")
    said = reading("buy", "Power BI Pro", "-n", "1")
    assert said.refused == "unavailable"
    assert "read-only" in one_line_of(said)


def test_a_database_without_our_tables_says_what_to_run(postgres: object, tmp_path: Path) -> None:
    url = postgres.url.replace("/seatledger?", "/postgres?")  # type: ignore[attr-defined]
    said = Console(settings_of(url, tmp_path))("status")
    assert said.refused == "start_refused"
    assert "seatledger migrate" in one_line_of(said)


def test_a_home_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file where a folder should be")
    said = Console(Settings(home=tmp_path / "home", database_url=None))("catalog", "list")
    assert said.code == 1
    assert str(tmp_path) in one_line_of(said)


def test_bad_settings_are_bad_input(cli_settings: Settings) -> None:
    settings = {**environment(cli_settings), "SEATLEDGER_POOL_SIZE": "many"}
    done = console_process(["status"], settings)
    assert done.returncode == 2
    assert done.stderr.startswith("seatledger: SEATLEDGER_POOL_SIZE ")
    assert len(done.stderr.splitlines()) == 1


def console_process(words: list[str], env: Mapping[str, str]) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "adapters.cli.app", *words]
    return subprocess.run(command, env=dict(env), capture_output=True, text=True, check=False, cwd="/")


def test_a_reader_that_stops_reading_gets_no_complaint(cli_settings: Settings) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "adapters.cli.app", "catalog", "list"]
    try:
        for words in (command, [*command, "--json"], [*command, "--nonsense", "--json"], [*command, "--help"]):
            done = subprocess.run(
                words, env=dict(environment(cli_settings)), stdout=writing, stderr=subprocess.PIPE, check=False, cwd="/"
            )
            assert done.returncode in {1, 2}
            assert b"Traceback" not in done.stderr
            assert b"Exception" not in done.stderr
    finally:
        os.close(writing)


def test_ctrl_c_ends_an_import_with_a_line_and_a_repeat_completes_it(
    cli_settings: Settings, admin: Console, members_file: Path
) -> None:
    with members_file.open("a", encoding="utf-8") as file:
        file.writelines(f"generated.{n:05}@contoso.example{',' * 15}\n" for n in range(10_000, 16_000))
    words = ["member", "import", str(members_file), "--org", str(admin.handle), "--as", "chris@contoso.com"]
    command = [sys.executable, "-m", "adapters.cli.app", *words]
    process = subprocess.Popen(
        command, env=dict(environment(cli_settings)), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd="/"
    )
    assert process.stderr
    assert process.stderr.readline().startswith("imported ")
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    last = said.splitlines()[-1]
    assert last.startswith("seatledger: interrupted; what was recorded stays recorded (with --command-id ")
    assert "Traceback" not in said
    command_id = last.removesuffix(")").rsplit(" ", 1)[1]
    done = admin.done("member", "import", str(members_file), "--command-id", command_id)
    assert done["events"] == 7_200
    assert admin.done("member", "import", str(members_file))["events"] == 0


def test_workers_are_started_again_and_end_with_their_supervisor(cli_settings: Settings, tmp_path: Path) -> None:
    """The projector only: a relay needs a broker, and has tests of its own."""
    supervise = (
        "import sys, threading, json\n"
        "from adapters.cli.supervisor import supervise\n"
        "def tell(event, **facts): print(json.dumps({'event': event, **facts}), flush=True)\n"
        "supervise(['projector'], threading.Event(), tell)\n"
    )
    env = {**environment(cli_settings), "SEATLEDGER_HOME": str(tmp_path)}
    supervisor = subprocess.Popen(
        [sys.executable, "-c", supervise], env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        assert supervisor.stdout
        first = json.loads(supervisor.stdout.readline())
        os.kill(first["pid"], signal.SIGKILL)
        ended = json.loads(supervisor.stdout.readline())
        assert (ended["event"], ended["exit_code"]) == ("worker_ended", -signal.SIGKILL)
        second = json.loads(supervisor.stdout.readline())
        assert (second["event"], second["pid"] != first["pid"]) == ("worker_started", True)
    finally:
        supervisor.kill()
        supervisor.communicate()
    deadline = time.monotonic() + 30
    while Path(f"/proc/{second['pid']}").exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not Path(f"/proc/{second['pid']}").exists()
