"""The library's own PostgreSQL recorder, as `Application.save` uses it: a table lock and a NOTIFY until the commit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any
from uuid import UUID

import psycopg
from eventsourcing.application import Application
from psycopg.conninfo import conninfo_to_dict

from bench.program import Job, Score, Settings, Work, serve
from bench.workload import a_pool, save_in_threads


class Library(Application[UUID]):
    """An application on the library's defaults but for the mapper: the same events in the same bytes."""

    name = "library"


def environment(database: str, threads: int) -> dict[str, str]:
    """The library's own variables for a connection URL."""
    url: dict[str, Any] = conninfo_to_dict(database)
    return {
        "PERSISTENCE_MODULE": "eventsourcing.postgres",
        "MAPPER_TOPIC": "domain.kernel:PydanticMapper",
        "TRANSCODER_TOPIC": "domain.kernel:PydanticJSON",
        "POSTGRES_DBNAME": str(url["dbname"]),
        "POSTGRES_HOST": str(url.get("host", "")),
        "POSTGRES_PORT": str(url.get("port", "5432")),
        "POSTGRES_USER": str(url["user"]),
        "POSTGRES_PASSWORD": str(url.get("password", "-")),
        "POSTGRES_SCHEMA": "bench",
        "POSTGRES_POOL_SIZE": str(threads),
        "POSTGRES_MAX_OVERFLOW": "0",
    }


@contextmanager
def prepare(settings: Settings) -> Iterator[Work]:
    with psycopg.connect(settings["database"], autocommit=True) as connection:
        connection.execute("CREATE SCHEMA IF NOT EXISTS bench")
    library = Library(environment(settings["database"], settings["threads"]))

    def work(job: Job) -> Score:
        return save_in_threads(job, lambda _: library.save(a_pool(job["events"])))

    with closing(library):
        yield work


if __name__ == "__main__":
    serve(prepare)
