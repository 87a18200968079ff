"""The owner of the database tampers by chance, triggers off: all of it is detected, and where it begins is named."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.adapters.proof.sealed_ledger import SealedLedger, a_sealed_ledger
from tests.adapters.proof.tampered_ledger import tamper
from tests.adapters.proof.tamperings import kinds

if TYPE_CHECKING:
    from adapters.embedded.postgres import EmbeddedPostgres

pytestmark = pytest.mark.enable_socket


@pytest.fixture(scope="module")
def ledger(
    postgres: EmbeddedPostgres, migrated: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SealedLedger]:
    with a_sealed_ledger(postgres.url, migrated, "tampered", tmp_path_factory.mktemp("tampered") / "seal") as made:
        yield made


def test_every_tampering_is_detected_where_it_begins(ledger: SealedLedger) -> None:
    done, complaints = tamper(ledger, times=5 * len(kinds()), seed=20261126)
    assert complaints == []
    assert sum(done.values()) >= 150
    assert set(done.values()) == {5}
