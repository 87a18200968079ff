"""Following the feed: asking it page by page, many at a time, and events to wait for."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import httpx
import psycopg

from adapters.http.development_issuer import DevelopmentIssuer
from adapters.settings import Settings
from services.ledger import Ledger
from tests.adapters.http.conftest import Api
from tests.adapters.kafka.test_public_events import ENVELOPE
from tests.adapters.postgres.writers import a_pool, save

FEED = "/v1/events"
REMOVED = "seatledger.Member.MemberRemoved"
APPEND = (
    "SELECT position FROM ledger.append(%s, %s, '', 'f', ARRAY[%s]::uuid[], ARRAY[1]::bigint[], ARRAY[%s],"
    " ARRAY['{}'::bytea], ARRAY[%s::bytea], '{}', '{}', NULL)"
)


def asked(service: Api, after: int, **more: Any) -> tuple[list[dict[str, Any]], int]:
    """The events of an answer, and the position to go on from."""
    answer = service.ask("GET", FEED, params={"after": after, **more})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/cloudevents-batch+json"
    events, position = answer.json(), int(answer.headers["Seatledger-Position"])
    assert position == (int(events[-1]["position"]) if events else after)
    assert answer.headers["Link"].startswith(f"<{FEED}?after={position}&")
    return events, position


def all_after(service: Api, after: int, until: int, **more: Any) -> list[dict[str, Any]]:
    """Everything up to a position, as one gets it who goes on from `next`."""
    found: list[dict[str, Any]] = []
    while after < until:
        events, after = asked(service, after, wait_s=1, **more)
        found += events
    return found


def head(ledger: Ledger, service: Api) -> int:
    """The position of a new event, behind which nothing comes."""
    position = save(ledger, a_pool(), organization_id=uuid4()).position
    all_after(service, position - 1, position)
    return position


def append(connection: psycopg.Connection[Any]) -> int:
    """An event that is not committed yet, by its position."""
    metadata = ENVELOPE.model_dump_json().encode()
    row = connection.execute(APPEND, (uuid4(), uuid4(), uuid4(), REMOVED, metadata)).fetchone()
    assert row is not None
    return int(row[0])


def woken(service: Api, after: int, event: Callable[[], int], **more: Any) -> float:
    """How long after an event an answer came that had been waiting for it."""
    with ThreadPoolExecutor() as threads:
        waits = threads.submit(lambda: (asked(service, after, wait_s=20, **more), time.monotonic()))
        time.sleep(0.5)
        assert not waits.done()
        at = time.monotonic()
        position = event()
        (events, _), answered = waits.result()
    assert [int(one["position"]) for one in events] == [position]
    return answered - at


@contextmanager
def many_waiting(settings: Settings, address: str, number: int, after: int) -> Iterator[list[int]]:
    """So many long polls at once, on a loop of their own; the statuses that they got."""
    statuses: list[int] = []
    headers = {"Authorization": f"Bearer {DevelopmentIssuer(settings.home).issue(None, None, 'service', 1)}"}

    async def wait_all() -> None:
        limits = httpx.Limits(max_connections=number)
        async with httpx.AsyncClient(base_url=address, timeout=60, limits=limits, headers=headers) as client:

            async def one() -> None:
                answer = await client.get(FEED, params={"after": after, "wait_s": 20})
                statuses.append(answer.status_code)

            await asyncio.gather(*(one() for _ in range(number)))

    thread = threading.Thread(target=asyncio.run, args=(wait_all(),))
    thread.start()
    try:
        yield statuses
    finally:
        thread.join()


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)
