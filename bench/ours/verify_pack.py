"""The verifier of packs as an auditor runs it: a process of its own, from its start to its end.

A score counts events; with `whole` it is of the pack, in thousandths; with `measure` `memory` it is what it held.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from adapters.proof import verify_pack
from bench.program import Job, Score, Settings, Work, serve

PER_THOUSAND = 1_000  # figures of what is better low are in thousandths


@contextmanager
def prepare(settings: Settings) -> Iterator[Work]:
    command = [sys.executable, str(verify_pack.__file__), settings["file"], "--key", settings["key"]]

    def work(job: Job) -> Score:
        started = time.perf_counter()
        verifier = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        _, status, used = os.wait4(verifier.pid, 0)
        seconds = time.perf_counter() - started
        if os.waitstatus_to_exitcode(status) != verify_pack.VERIFIED:
            raise RuntimeError("the pack is not verified")
        if job.get("measure") == "memory":
            return Score(PER_THOUSAND, used.ru_maxrss / 1024)
        return Score(PER_THOUSAND if job.get("whole") else settings["events"], seconds)

    yield work


if __name__ == "__main__":
    serve(prepare)
