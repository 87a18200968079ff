"""The whole of a quick run on a real database, program by program, but for Apache Kafka."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from bench.arena import DATABASE_URL, arena
from bench.entrants import EntrantFailed, Program, Programs

if TYPE_CHECKING:
    from adapters.embedded.postgres import EmbeddedPostgres

ROOT = Path(__file__).parents[2]


@pytest.mark.timeout(240)
def test_a_quick_run_measures_everything_and_leaves_nothing(postgres: EmbeddedPostgres, tmp_path: Path) -> None:
    out = tmp_path / "results.json"
    only = [word for section in ("rebuild", "follow", "load") for word in ("--only", section)]
    environment = {**os.environ, DATABASE_URL: postgres.url}
    run = [sys.executable, "-m", "bench", "--quick", "--rounds", "1", "--seed", "7", *only, "--out", str(out)]
    done = subprocess.run(run, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr  # whatever the timings say
    found = json.loads(out.read_text("utf-8"))
    assert found["complete"]
    assert {cell["section"] for cell in found["cells"]} == {"rebuild", "follow", "load"}
    assert all(entrant["median"] > 0 for cell in found["cells"] for entrant in cell["entrants"].values())
    with psycopg.connect(postgres.url) as connection:
        databases = [name for (name,) in connection.execute("SELECT datname FROM pg_database")]
    assert not [name for name in databases if name.startswith("seatledger_bench_")]


def test_all_that_append_write_as_many_events_as_they_say(
    postgres: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(DATABASE_URL, postgres.url)
    job = {"threads": 2, "seconds": 0.05, "spread": "uniform", "events": 3, "seed": "7"}
    entrants = {
        "bench.ours.append": b"SELECT count(*) FROM ledger.events",
        "bench.ceilings.library_recorder": b"SELECT count(*) FROM bench.library_events",
        "bench.ceilings.plain_insert": b"SELECT count(*) FROM bench.events",
    }
    with arena() as here:
        url = here.database("written", slow_flush=True)
        assert here.facts["commit_ms_written"] > 2
        with Programs() as programs:
            for module, count in entrants.items():
                score = programs.get(module, {"database": url, "threads": 2}).play(job)
                with psycopg.connect(url) as connection:
                    row = connection.execute(count).fetchone()
                assert row == (3 * score.done,), module


def test_a_program_that_fails_says_why() -> None:
    with pytest.raises(EntrantFailed, match=r"plain_insert ended: KeyError: 'database'"):
        Program("bench.ceilings.plain_insert", {})


def test_a_section_that_is_not_there_is_a_usage_error() -> None:
    run = [sys.executable, "-m", "bench", "--only", "appending"]
    environment = {**os.environ, "COLUMNS": "200"}
    asked = subprocess.run(run, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert asked.returncode == 2
    assert "there are append, rebuild, follow, relay, downstream, load" in asked.stderr
