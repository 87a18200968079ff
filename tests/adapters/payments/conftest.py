"""Providers on the bench."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

pytest.register_assert_rewrite(
    *(f"tests.adapters.payments.contract_{part}" for part in ("cards", "charges", "holds", "refunds"))
)

from tests.adapters.payments.sandbox_bench import SandboxBench  # noqa: E402 - after the line above


@pytest.fixture
def bench() -> Iterator[SandboxBench]:
    bench = SandboxBench(None)
    with bench.sandbox:
        yield bench
