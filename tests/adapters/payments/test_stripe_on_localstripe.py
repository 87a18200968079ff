"""The Stripe adapter speaks Stripe's wire: a smoke test on localstripe, with what localstripe gets right."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.adapters.payments.contract import PROMISES, Provider
from tests.adapters.payments.local_stripe import EXCLUDED, LocalStripeBench, local_stripe

SHOWN = [check for check in PROMISES if check.__name__ not in EXCLUDED]


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with local_stripe() as address:
        yield address


@pytest.mark.parametrize("check", SHOWN, ids=lambda check: check.__name__)
def test_the_stripe_adapter_keeps_its_promises(check: Callable[[Provider], None], address: str) -> None:
    check(LocalStripeBench(address))


def test_only_promises_that_exist_are_excluded() -> None:
    assert EXCLUDED.keys() <= {check.__name__ for check in PROMISES}
    assert len(SHOWN) >= 12


def test_no_card_number_is_written_to_the_disk(address: str) -> None:
    before = Path("/tmp/localstripe.pickle").exists()  # noqa: S108 - where its own command would keep it
    LocalStripeBench(address)
    assert Path("/tmp/localstripe.pickle").exists() == before  # noqa: S108 - likewise
