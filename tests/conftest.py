"""The real servers that tests share, one of each per session."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from adapters.embedded.throw_away import throw_away_postgres

if TYPE_CHECKING:
    from collections.abc import Iterator

    from adapters.embedded.postgres import EmbeddedPostgres


@pytest.fixture(scope="session")
def postgres() -> Iterator[EmbeddedPostgres]:
    """A running PostgreSQL with an empty database at `.url`; tests that kill it take one of their own."""
    with throw_away_postgres() as server:
        yield server
