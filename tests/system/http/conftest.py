"""The API on a database of its own, as in tests/adapters/http, and prepared organizations on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from io import StringIO
from typing import TYPE_CHECKING

import psycopg
import pytest
import structlog

from adapters.logs import log_to_stderr
from tests.adapters.http.conftest import (  # noqa: F401 - fixtures, which pytest finds here
    anybody,
    api_address,
    operator,
    settings_for,
)
from tests.adapters.proof.sealing import folder_at, sealing

if TYPE_CHECKING:
    from adapters.embedded.postgres import EmbeddedPostgres
    from adapters.settings import Settings


@pytest.fixture(scope="session")
def api_settings(postgres: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return settings_for(postgres, "asked", tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="session", autouse=True)
def sealer(api_settings: Settings) -> Iterator[None]:
    """What is recorded is sealed soon after it."""
    with sealing(database_of(api_settings), folder_at(api_settings.home / "seal")):
        yield


@pytest.fixture(scope="session")
def told(api_settings: Settings) -> Iterator[Callable[[], int]]:
    """How many events there are, of all organizations."""
    with psycopg.connect(database_of(api_settings), autocommit=True) as connection:

        def count() -> int:
            found = connection.execute("SELECT count(*) FROM ledger.events").fetchone()
            assert found
            return int(found[0])

        yield count


@pytest.fixture
def logged(api_settings: Settings) -> Iterator[StringIO]:
    """All that the servers of this process log."""
    before, lines = structlog.get_config(), StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stderr", lines)
        log_to_stderr(api_settings.model_copy(update={"log_json": True, "log_level": "DEBUG"}))
    yield lines
    structlog.configure(**before)


def database_of(settings: Settings) -> str:
    assert settings.database_url
    return settings.database_url.get_secret_value()
