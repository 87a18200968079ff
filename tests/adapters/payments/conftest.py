"""Providers on the bench."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

pytest.register_assert_rewrite("tests.adapters.payments.contract")

from tests.adapters.payments.sandbox_bench import SandboxBench  # noqa: E402 - after the line above


@pytest.fixture
def bench() -> Iterator[SandboxBench]:
    bench = SandboxBench(None)
    with bench.sandbox:
        yield bench
