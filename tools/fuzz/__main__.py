"""make fuzz: everything that reads what an auditor is sent, under atheris, each for so many seconds from real examples.

A finding is an input that is taken for something else, or that ends in an error which is not the reader's own. It is
kept beside this file's evidence, and `--input FILE` reads it again.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from tools.fuzz.targets import TARGETS, tried
from tools.soak.__main__ import keep

ROOT = Path(__file__).parents[2]
ATHERIS = ROOT / ".venv" / "fuzz"
LONGEST_START_S = 60


class Fuzzed(NamedTuple):
    """What became of a target."""

    target: str
    inputs: int
    findings: list[str]
    said: str


def main() -> int:
    parser = argparse.ArgumentParser(prog="make fuzz ARGS=…", description=__doc__)
    parser.add_argument("--seconds", type=int, default=60, help="for each target (default 60)")
    parser.add_argument("--only", default="", help="targets whose name has this in it")
    parser.add_argument("--input", type=Path, help="reads this file by the targets, once, without atheris")
    parser.add_argument("--findings", type=Path, default=ROOT / "build" / "fuzz", help="where findings go")
    parser.add_argument("--evidence", type=Path, help="a file to add the outcome to (default: none)")
    asked = parser.parse_args()
    names = [name for name in TARGETS if asked.only in name]
    if asked.input:
        for name in names:
            print(f"{name:<16}{'taken' if tried(name, asked.input.read_bytes()) else 'refused'}")
        return 0
    asked.findings.mkdir(parents=True, exist_ok=True)
    done = [fuzzed(name, asked.seconds, asked.findings) for name in names]
    for one in done:
        print(f"{one.target:<16}{one.inputs:>14,} inputs   {len(one.findings)} findings")
        if one.findings or not one.inputs:
            print(f"FOUND  {', '.join(one.findings) or 'it did not run'}\n{one.said[-3000:]}")
    if asked.evidence:
        facts = {one.target: {"inputs": one.inputs, "findings": one.findings} for one in done}
        keep({"part": "fuzz", "seconds": asked.seconds, "targets": facts}, asked.evidence)
    return 0 if all(one.inputs and not one.findings for one in done) else 1


def fuzzed(name: str, seconds: int, findings: Path) -> Fuzzed:
    """In a process of its own, which atheris ends."""
    before = set(findings.iterdir())
    with tempfile.TemporaryDirectory() as corpus:
        for example in TARGETS[name].examples():
            (Path(corpus) / sha256(example).hexdigest()[:16]).write_bytes(example)
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT), str(ATHERIS)))}
        done = subprocess.run(
            [sys.executable, "-m", "tools.fuzz.one", name, corpus, str(findings), str(seconds)],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=seconds + LONGEST_START_S,
        )
    ran = re.search(r"Done (\d+) runs", done.stderr) or re.search(r"#(\d+)\s+(?:DONE|NEW|REDUCE|pulse)", done.stderr)
    new = sorted(str(path) for path in set(findings.iterdir()) - before)
    if done.returncode and not new:
        new = [f"ended with {done.returncode}"]
    return Fuzzed(name, int(ran[1]) if ran else 0, new, done.stderr)


if __name__ == "__main__":
    sys.exit(main())
