"""The recorder keeps the promises of the port: the same suite that the history in memory passes."""

import pytest

from services.ledger import Ledger
from tests.services.recorder_contract import PROMISES, Promise


@pytest.mark.parametrize("check", PROMISES, ids=lambda check: check.__name__)
def test_the_recorder_keeps_the_promises(check: Promise, ledger: Ledger) -> None:
    check(ledger.history)
