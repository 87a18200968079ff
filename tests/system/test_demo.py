"""The demo as a process of its own: the whole story on real servers, twice, and a report that says what was checked."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.embedded.throw_away import throw_away_home

pytestmark = [pytest.mark.enable_socket, pytest.mark.timeout(400)]
ROOT = Path(__file__).parents[2]


@pytest.fixture
def home() -> Iterator[Path]:
    """A home in a folder with a space in its name."""
    with throw_away_home() as folder:
        inner = folder / "seat ledger"
        inner.mkdir(mode=0o711)
        yield inner
        shutil.rmtree(inner, ignore_errors=True)


def demo(home: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    env = {name: value for name, value in os.environ.items() if not name.startswith("SEATLEDGER_")}
    # A database of the user's own is not touched by the demo.
    env |= {"PYTHONPATH": str(ROOT), "SEATLEDGER_HOME": str(home), "SEATLEDGER_KAFKA_BOOTSTRAP": "127.0.0.1:9"}
    command = [sys.executable, "-m", "adapters.cli.app", "demo", *words]
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False, cwd=home)


def test_the_demo_tells_the_whole_story_twice(home: Path) -> None:
    for organization in ("contoso", "contoso-2"):
        done = demo(home)
        assert done.returncode == 0, done.stdout[-3_000:] + done.stderr[-3_000:]
        assert "checks are as expected" in done.stdout
        assert "DIFFERS" not in done.stdout
        assert "Traceback" not in done.stdout + done.stderr
        report = json.loads((home / "demo" / "report.json").read_text("utf-8"))
        assert report["as_expected"] is True
        assert report["organization"] == organization
        assert all(check["equal"] for check in report["checks"])
        said = {check["what"]: check["actual"] for check in report["checks"]}
        assert said["licenses before and after"] == [100, 105]
        assert said["refused: 21 users at once"] == ["too_many_users_at_once", 1]
        assert said["refused: a stranger"] == ["user_not_in_organization", 1]
        assert said["refused: fewer than the 18 assigned"] == ["licenses_still_assigned", 1]
        assert said["what the purchase comes to"] == "1400.00"
        assert said["past due after that"] == []
        assert said["refunded to the card that paid, not to the one in use"] == ["1470.00", "Mastercard ending in 4444"]
        assert said["differences from the provider's settlement"] == []
        assert said["messages about the subscription and its licenses"] == 31
        assert said["differences that the audit found"] == []


def test_a_demo_that_cannot_start_says_why(home: Path) -> None:
    (home / "demo").write_text("a file where a folder should be")
    done = demo(home)
    assert done.returncode == 1
    assert done.stderr.startswith("seatledger: ")
    assert "Traceback" not in done.stderr
