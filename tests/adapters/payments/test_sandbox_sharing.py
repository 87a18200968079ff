"""Threads and processes on one file: one charge for one key, and a kill in the middle loses nothing that was heard."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from threading import Barrier
from uuid import UUID, uuid4

import pytest

from adapters.payments.sandbox import Sandbox
from services.ports_payments import ProviderPayment
from tests.adapters.payments.sandbox_bench import SandboxBench

ROOT = Path(__file__).parents[3]
THREADS = 16


def program(path: Path, name: str, card: str, end: int) -> subprocess.Popen[str]:
    words = [sys.executable, "-m", "tests.adapters.payments.sandbox_program", str(path), name, card, str(end)]
    return subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def a_card(path: Path) -> str:
    with Sandbox(path, clock=lambda: datetime.now(UTC)) as sandbox:
        return sandbox.store("tok_visa", owner_id=uuid4(), organization_id=uuid4()).token


@pytest.mark.parametrize("place", ["memory", "file", "a connection each"])
def test_sixteen_threads_with_one_key_charge_once(place: str, tmp_path: Path) -> None:
    path = None if place == "memory" else tmp_path / "sandbox.sqlite"
    bench, barrier = SandboxBench(path), Barrier(THREADS)
    request = bench.request(bench.card())

    def send(_: int) -> ProviderPayment:
        sandbox = Sandbox(path, clock=bench.clock) if place == "a connection each" else bench.sandbox
        barrier.wait()
        return sandbox.charge(request)

    with ThreadPoolExecutor(THREADS) as threads:
        answers = set(threads.map(send, range(THREADS)))
    assert len(answers) == 1
    assert len(bench.sandbox.payments()) == 1
    assert sum(call.remembered for call in bench.sandbox.calls(request.handle.payment_id)) == 1


def test_processes_with_the_same_keys_charge_once(tmp_path: Path) -> None:
    path = tmp_path / "sandbox.sqlite"
    card = a_card(path)
    programs = [program(path, "same", card, 200) for _ in range(3)]
    for one in programs:
        one.communicate(timeout=60)
    assert [one.returncode for one in programs] == [0, 0, 0]
    with Sandbox(path, clock=lambda: datetime.now(UTC)) as sandbox:
        assert len(sandbox.payments()) == 200
        assert len([call for call in sandbox.calls() if call.step == "charge"]) == 600


def test_many_make_the_file_at_once(tmp_path: Path) -> None:
    def make(_: int) -> None:
        Sandbox(tmp_path / "new" / "sandbox.sqlite", clock=lambda: datetime.now(UTC)).close()

    with ThreadPoolExecutor(THREADS) as threads:
        list(threads.map(make, range(THREADS)))


def test_a_kill_loses_nothing_that_was_answered(tmp_path: Path) -> None:
    path = tmp_path / "sandbox.sqlite"
    card, heard = a_card(path), set[UUID]()
    for turn in range(4):
        one = program(path, f"turn {turn}", card, 1_000_000)
        assert one.stdout is not None
        heard |= {UUID(one.stdout.readline().strip()) for _ in range(100 + 50 * turn)}
        one.kill()
        rest = one.communicate()[0]
        heard |= {UUID(line) for line in rest.split("\n")[:-1]}  # what stands behind the last one was cut by the kill
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    with Sandbox(path, clock=lambda: datetime.now(UTC)) as sandbox:
        kept = [payment.payment_id for payment in sandbox.payments()]
        calls = [call.payment_id for call in sandbox.calls() if call.step == "charge"]
        assert len(kept) == len(set(kept))
        assert kept == calls
        assert heard <= set(kept)
        assert len(heard) <= len(kept) <= len(heard) + 4 + 4  # done and not said, said in part
        assert sandbox.captured() == {"USD": 1200 * len(kept)}
