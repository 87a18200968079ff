"""The programs that take part, each started once and kept warm over all its rounds."""

from __future__ import annotations

import json
import select
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from bench.program import Score

ROOT = Path(__file__).resolve().parents[1]
END_S = 15.0
PATIENCE_S = 900.0  # for one job, or for getting ready: a relay may have a million events before it


class EntrantFailed(Exception):
    """A program of the contest ended or answered nonsense; its last words tell why."""


class Program:
    """A running program that carries out one job at a time."""

    def __init__(self, module: str, settings: Mapping[str, Any]) -> None:
        self.module = module
        self._words = tempfile.TemporaryFile("w+")  # noqa: SIM115 - closed with the program
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, json.dumps(settings)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._words,
            text=True,
        )
        try:
            self._answer()
        except BaseException:
            self.close()
            raise

    def play(self, job: Mapping[str, Any]) -> Score:
        assert self._process.stdin  # noqa: S101 - it was asked for
        with suppress(BrokenPipeError):  # its last words say more
            self._process.stdin.write(json.dumps(job) + "\n")
            self._process.stdin.flush()
        return Score(*json.loads(self._answer()))

    def _answer(self) -> str:
        assert self._process.stdout  # noqa: S101 - it was asked for
        if not select.select([self._process.stdout], [], [], PATIENCE_S)[0]:
            self._process.kill()
            raise EntrantFailed(f"{self.module} did not answer within {PATIENCE_S:g} s")
        if answer := self._process.stdout.readline():
            return answer
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(END_S)  # its answers end before its last words
        self._words.seek(0)
        last = (self._words.read().strip() or "it said nothing").splitlines()[-1]
        raise EntrantFailed(f"{self.module} ended: {last}")

    def close(self) -> None:
        """Ends it: with its jobs when it listens, by force when it does not."""
        try:
            self._process.communicate(timeout=END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()
        except (BrokenPipeError, ValueError):
            self._process.kill()
            self._process.wait()
        self._words.close()


class Programs:
    """All programs of a run, by what they are and what they work on."""

    def __init__(self) -> None:
        self._running: dict[str, Program] = {}

    def get(self, module: str, settings: Mapping[str, Any]) -> Program:
        key = json.dumps([module, settings], sort_keys=True)
        if key not in self._running:
            self._running[key] = Program(module, settings)
        return self._running[key]

    def close(self) -> None:
        for program in self._running.values():
            program.close()
        self._running.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
