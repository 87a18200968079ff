"""make mutants: each known fault is put into a copy of the tree, and the test of its name must fail there."""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from queue import SimpleQueue

from tools.mutants.faults import FAULTS, Edit, Fault

ROOT = Path(__file__).parents[2]
COPIED = ("domain", "services", "projections", "adapters", "tests", "tools", "docs", "conftest.py", "pyproject.toml")
TIMEOUT_S = 60


class NoLongerApplies(Exception):
    """The passage that a fault changes is not there once: the code moved on, and the fault must follow."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="make mutants ARGS=…", description=__doc__)
    parser.add_argument("--only", default="", help="faults whose name has this in it")
    parser.add_argument("--at-once", type=int, default=os.cpu_count() or 1, help="faults, each in a copy of its own")
    asked = parser.parse_args()
    faults = [fault for fault in FAULTS if asked.only in fault.name]
    with ExitStack() as copied:
        trees = [copied.enter_context(copied_tree()) for _ in range(asked.at_once)]
        started = time.monotonic()
        passed, said = run(trees[0], [fault.test for fault in faults])
        if not passed:
            print(f"the tests do not pass without a fault:\n{said}")
            return 1
        print(f"{'without a fault all of them pass':<64}{time.monotonic() - started:6.1f} s", flush=True)
        caught = sum(caught_in_turn(trees, faults))
    print(f"{caught} of {len(faults)} faults are caught")
    return 0 if caught == len(faults) else 1


def caught_in_turn(trees: Sequence[Path], faults: Sequence[Fault]) -> Iterator[bool]:
    """Whether each is caught; as many at once as there are trees, each in one that nobody else changes."""
    free = SimpleQueue[Path]()
    for tree in trees:
        free.put(tree)

    def in_a_tree(fault: Fault) -> bool:
        tree = free.get()
        try:
            return is_caught(tree, fault)
        finally:
            free.put(tree)

    with ThreadPoolExecutor(len(trees)) as threads:
        yield from threads.map(in_a_tree, faults)


def is_caught(tree: Path, fault: Fault) -> bool:
    """Puts the fault in, runs its test, takes the fault out again; prints the line of the table."""
    started = time.monotonic()
    try:
        with put_in(tree, fault.edits):
            passed, said = run(tree, [fault.test])
    except NoLongerApplies as why:
        print(f"NO LONGER APPLIES  {fault.name}: {why}", flush=True)
        return False
    # A test that could not even begin says nothing about the fault.
    caught = not passed and re.search(r"\d+ failed", said) is not None and "error" not in said.splitlines()[-1]
    test = fault.test.rpartition("::")[2]
    print(
        f"{'caught  ' if caught else 'SURVIVED'}  {fault.name:<62}{time.monotonic() - started:6.1f} s  {test}",
        flush=True,
    )
    if not caught:
        print(said)
    return caught


def run(tree: Path, tests: Sequence[str]) -> tuple[bool, str]:
    """Whether all of these tests ran and passed, and the end of what pytest said."""
    options = ("-q", "-p", "no:cacheprovider", "--no-header", "--tb=line", f"--timeout={TIMEOUT_S}")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, *dict.fromkeys(tests)],
        cwd=tree,
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    said = done.stdout.strip()
    return done.returncode == 0 and "skipped" not in said, "\n".join(said.splitlines()[-15:])


@contextmanager
def put_in(tree: Path, edits: Sequence[Edit]) -> Iterator[None]:
    """The fault stands in the copy, and is gone afterwards."""
    before = {edit.file: (tree / edit.file).read_text(encoding="utf-8") for edit in edits}
    try:
        for edit in edits:
            file = tree / edit.file
            text = file.read_text(encoding="utf-8")
            if (times := text.count(edit.passage)) != 1:
                raise NoLongerApplies(f"{edit.passage.strip().splitlines()[0]!r} stands {times} times in {edit.file}")
            file.write_text(text.replace(edit.passage, edit.instead), encoding="utf-8")
        yield
    finally:
        for name, text in before.items():
            (tree / name).write_text(text, encoding="utf-8")


@contextmanager
def copied_tree() -> Iterator[Path]:
    """A copy of the code as it stands, committed or not; the original is never touched."""
    with tempfile.TemporaryDirectory(prefix="seatledger-mutants-") as folder:
        tree = Path(folder)
        ignored = shutil.ignore_patterns("__pycache__", "target", ".*")
        for name in COPIED:
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, tree / name, ignore=ignored)
            else:
                shutil.copy2(ROOT / name, tree / name)
        yield tree


if __name__ == "__main__":
    sys.exit(main())
