"""Who erases is killed at any moment, a few times; `make soak` does the same for as long as one likes."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from adapters.embedded.postgres import EmbeddedPostgres
from tests.system.forgetting import settings_of
from tools.soak.forgetting import run_forgetting

KILLS, PEOPLE = 15, 150


@pytest.mark.timeout(300)
def test_killed_at_any_moment_it_is_finished_by_the_same_command(postgres: EmbeddedPostgres, tmp_path: Path) -> None:
    with psycopg.connect(postgres.url, autocommit=True) as server:
        server.execute("CREATE DATABASE erased")
    settings = settings_of(postgres.url_as("postgres", "erased"), tmp_path / "home")
    outcome = run_forgetting(settings, tmp_path / "journal", seed=9, kills=KILLS, people=PEOPLE)
    assert outcome.complaints == []
    assert outcome.kills == KILLS, "it was done before it was killed often enough: give it more people"
