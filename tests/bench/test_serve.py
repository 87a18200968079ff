"""The API is driven by a client that notices what is refused, and measured as a whole in a small way."""

from __future__ import annotations

import itertools
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bench.arena import DATABASE_URL
from bench.drive import drive, scored

if TYPE_CHECKING:
    from adapters.embedded.postgres import EmbeddedPostgres

ROOT = Path(__file__).parents[2]
CALL = b"GET / HTTP/1.1\r\n\r\n"


def answering(answer: bytes, parts: int) -> Iterator[int]:
    """A server that answers each call so, in parts; its port."""
    with socket.create_server(("127.0.0.1", 0)) as door:

        def serve(line: socket.socket) -> None:
            with line:
                while line.recv(1000):
                    size = -(-len(answer) // parts)
                    for start in range(0, len(answer), size):
                        line.sendall(answer[start : start + size])

        def accept() -> None:
            while True:
                try:
                    line, _ = door.accept()
                except OSError:
                    return
                threading.Thread(target=serve, args=(line,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield door.getsockname()[1]


@pytest.mark.parametrize("parts", [1, 7])
def test_answers_are_counted_when_they_are_whole(parts: int) -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n" + b"x" * 20
    for port in answering(answer, parts):
        took = drive(port, itertools.repeat(CALL), connections=3, seconds=0.1)
        assert len(took) > 3
        assert all(0 < seconds < 5 for seconds in took)


def test_what_is_refused_ends_it() -> None:
    for port in answering(b"HTTP/1.1 409 Conflict\r\nContent-Length: 2\r\n\r\nno", 1):
        with pytest.raises(ValueError, match="409 Conflict"):
            drive(port, itertools.repeat(CALL), connections=1, seconds=0.1)


def test_a_score_counts_or_tells_the_time_of_a_share() -> None:
    took = [number / 1000 for number in range(100, 0, -1)]
    assert scored(took, 2.0, {}) == (100, 2.0)
    assert scored(took, 2.0, {"within": 0.5}) == (1, 0.05)
    assert scored(took, 2.0, {"within": 0.99}) == (1, 0.099)


@pytest.mark.timeout(240)
def test_a_quick_run_measures_the_api(postgres: EmbeddedPostgres, tmp_path: Path) -> None:
    out = tmp_path / "results.json"
    words = ["--quick", "--rounds", "1", "--seconds", "0.1", "--seed", "7", "--only", "serve", "--out", str(out)]
    environment = {**os.environ, DATABASE_URL: postgres.url}
    run = [sys.executable, "-m", "bench", *words]
    done = subprocess.run(run, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(out.read_text("utf-8"))
    assert found["complete"]
    assert len(found["cells"]) == 12
    assert all(entrant["median"] > 0 for cell in found["cells"] for entrant in cell["entrants"].values())
