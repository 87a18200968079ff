"""The least that a route in this framework can do: one SELECT of a row by its key, for anybody.

The same server, parser, event loop, thread pool and driver; no caller, no gate, no rule, three columns of the row.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from uuid import UUID

import uvicorn
from anyio.to_thread import current_default_thread_limiter
from fastapi import FastAPI
from psycopg_pool import ConnectionPool
from pydantic import BaseModel

from bench.drive import drive, scored
from bench.program import Job, Score, Settings, Work, serve
from bench.served import Place, Places
from tools.soak.api_server import PREFIX, api_process

POOL, THREADS = 8, 32
ROW = (
    "SELECT subscription_id, product_name, licenses_total FROM projections.purchases_b1"
    " WHERE organization_id = %s AND subscription_id = %s"
)


class Row(BaseModel):
    subscription_id: UUID
    product_name: str
    licenses_total: int


def app_at(url: str) -> FastAPI:
    pool = ConnectionPool(url, min_size=POOL, max_size=POOL, kwargs={"autocommit": True}, open=True)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        current_default_thread_limiter().total_tokens = THREADS
        yield
        pool.close()

    app = FastAPI(lifespan=lifespan)

    @app.get("/healthz")
    async def is_alive() -> dict[str, str]:
        return {"status": "alive"}

    @app.get("/organizations/{organization_id}/subscriptions/{subscription_id}")
    def show(organization_id: UUID, subscription_id: UUID) -> Row:
        with pool.connection() as connection:
            found = connection.execute(ROW, (organization_id, subscription_id), prepare=True).fetchone()
        assert found  # noqa: S101 - only what is there is asked for
        return Row(subscription_id=found[0], product_name=found[1], licenses_total=found[2])

    return app


def call(place: Place) -> bytes:
    path = f"/organizations/{place.organization_id}/subscriptions/{place.subscription_id}"
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()


@contextmanager
def prepare(settings: Settings) -> Iterator[Work]:
    places = Places(settings, share=0)
    log = Path(settings["home"]) / "bare.log"
    with api_process({"database_url": settings["database"]}, log, ("bench.ceilings.bare_route",)) as server:

        def work(job: Job) -> Score:
            started = time.perf_counter()
            asked = map(call, places.of("one", job["seed"]))
            took = drive(server.port, asked, connections=job["connections"], seconds=job["seconds"])
            return scored(took, time.perf_counter() - started, job)

        yield work


if __name__ == "__main__":
    if "--port" in sys.argv:
        bare = app_at(os.environ[f"{PREFIX}DATABASE_URL"])
        uvicorn.run(bare, port=int(sys.argv[-1]), loop="uvloop", http="httptools", log_config=None, access_log=False)
    else:
        serve(prepare)
