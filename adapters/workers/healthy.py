"""Whether a worker on this machine is well, by what it tells Prometheus: `python -m adapters.workers.healthy PORT`.

Well is who has looked for work a moment ago: a process that hangs, or that does not reach its servers, has not. It
imports nothing of the product, so that it can be asked every few seconds.
"""

from __future__ import annotations

import re
import sys
import time
import urllib.request

FRESH_S = 30.0
ASK_S = 4.0
LOOKED = re.compile(r"^\w+_looked_timestamp_seconds(?:\{[^}]*\})? (\S+)$", re.MULTILINE)
STOPPED = re.compile(r"^\w+_stopped_partitions (\S+)$", re.MULTILINE)


def what_ails(told: str, now: float) -> str | None:
    """What is wrong, by the text of `/metrics`; None: nothing."""
    looks = [float(at) for at in LOOKED.findall(told)]
    if not looks:
        return "it has not begun yet"
    if (silent_s := now - max(looks)) > FRESH_S:
        return f"it has looked for no work for {silent_s:.0f} s"
    if any(float(count) for count in STOPPED.findall(told)):
        return "it has stopped partitions"
    return None


def ask(port: int) -> str | None:
    """What is wrong with who listens on this port of this machine."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=ASK_S) as answer:
            return what_ails(answer.read().decode(), time.time())
    except OSError as error:
        return f"it does not answer ({error})"


def main(port: str) -> int:
    """The exit code; says what is wrong."""
    wrong = ask(int(port))
    if wrong:
        sys.stdout.write(f"{wrong}\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
