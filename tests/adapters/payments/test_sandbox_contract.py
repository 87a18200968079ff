"""The sandbox keeps the port's promises, in memory and in a file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.adapters.payments.contract import PROMISES, Provider
from tests.adapters.payments.sandbox_bench import SandboxBench


@pytest.mark.parametrize("place", ["memory", "file"])
@pytest.mark.parametrize("check", PROMISES, ids=lambda check: check.__name__)
def test_the_sandbox_keeps_its_promises(check: Callable[[Provider], None], place: str, tmp_path: Path) -> None:
    bench = SandboxBench(None if place == "memory" else tmp_path / "home" / "sandbox.sqlite")
    with bench.sandbox:
        check(bench)
