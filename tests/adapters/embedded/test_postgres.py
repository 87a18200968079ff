"""The embedded PostgreSQL: one server for all processes of a home, durable, and no trace left."""

from __future__ import annotations

import psycopg

from adapters.embedded.postgres import EmbeddedPostgres
from adapters.embedded.throw_away import throw_away_home


def test_a_killed_server_comes_back_with_every_committed_row_at_the_same_address() -> None:
    with throw_away_home() as home, EmbeddedPostgres(home) as server:
        url = server.url
        with psycopg.connect(url) as connection:
            connection.execute("CREATE TABLE kept AS SELECT generate_series(1, 1000) AS number")
        uncommitted = psycopg.connect(url)
        uncommitted.execute("INSERT INTO kept VALUES (1001)")
        server.kill9()
        uncommitted.close()
        assert not server.alive
        server.start()
        assert server.url == url
        with psycopg.connect(url) as connection:
            assert connection.execute("SELECT count(*) FROM kept").fetchone() == (1000,)


def test_the_session_server_answers(postgres: EmbeddedPostgres) -> None:
    with psycopg.connect(postgres.url) as connection:
        found = connection.execute("SELECT current_database(), current_setting('max_connections')").fetchone()
    assert found == ("seatledger", "200")
