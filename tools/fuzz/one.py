"""One target under atheris, which looks for input that goes where none went before; ended by its time or a finding."""

from __future__ import annotations

import sys
from importlib import import_module


def main() -> None:
    target, corpus, findings, seconds = sys.argv[1:]
    atheris = import_module("atheris")  # a tool of development, which has no types and is not in the lock
    with atheris.instrument_imports(include=["adapters.proof", "projections.audit"], enable_loader_override=False):
        targets = import_module("tools.fuzz.targets")

    def once(found: bytes) -> None:
        targets.tried(target, found)

    atheris.Setup(
        [
            sys.argv[0],
            f"-max_total_time={seconds}",
            f"-artifact_prefix={findings}/",
            "-timeout=20",
            "-verbosity=1",
            corpus,
        ],
        once,
    )
    atheris.Fuzz()


if __name__ == "__main__":
    main()
