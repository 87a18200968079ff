"""The history in memory keeps the promises of the port, as the one on PostgreSQL does."""

import pytest

from tests.services.memory_recorder import MemoryRecorder
from tests.services.recorder_contract import PROMISES, Promise


@pytest.mark.parametrize("check", PROMISES, ids=lambda check: check.__name__)
def test_history_in_memory_keeps_the_promises(check: Promise) -> None:
    check(MemoryRecorder())
