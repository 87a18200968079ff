"""The event feed: all that happened, in order, for services that have no Kafka at hand."""

from __future__ import annotations

import time
from typing import Annotated, Any, NamedTuple
from urllib.parse import urlencode

from anyio.to_thread import run_sync
from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from adapters.http.answers import POSITION
from adapters.http.bad_request import BadRequest
from adapters.http.call import Call
from adapters.http.callers import ReadsCatalog
from adapters.http.events import as_told
from adapters.http.gate import FEED
from adapters.http.waiting import Waiting
from adapters.kafka.public_mapper import Unpublishable
from services.follow_events import MOST, FollowEvents, Seen, follow_events

routes = APIRouter(tags=["events"])

MEDIA_TYPE = "application/cloudevents-batch+json"
LONGEST_WAIT_S = 30
THERE_S = 1.0  # so often is looked whether the caller is still there

FOUND: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The next events, in order of position; none: there are none yet.",
        "content": {MEDIA_TYPE: {"schema": {"type": "array", "items": {"$ref": "#/components/schemas/CloudEvent"}}}},
        "headers": {
            POSITION: {"description": "Where to go on: `after` of the next call.", "schema": {"type": "integer"}},
            "Link": {"description": "The next call, as `next`.", "schema": {"type": "string"}},
        },
    }
}


class Batch(NamedTuple):
    """Events as they are sent, and the position of the last of them."""

    body: bytes
    position: int
    seen: Seen


@routes.get(
    FEED,
    operation_id="follow_events",
    summary="Follow what happens in all organizations",
    response_class=Response,
    responses=FOUND,
)
async def follow(
    call: ReadsCatalog,
    request: Request,
    *,
    after: Annotated[
        int, Query(ge=0, lt=2**63, description="The position to go on from: `Seatledger-Position` of the call before.")
    ] = 0,
    limit: Annotated[int, Query(ge=1, le=MOST, description="Events of an answer at most.")] = 100,
    wait_s: Annotated[
        float, Query(ge=0, le=LONGEST_WAIT_S, allow_inf_nan=False, description="So long it waits for the next event.")
    ] = 0,
) -> Response:
    """Each event once, in order, as soon as none can appear before it; the same as on Kafka. For services.

    Keep `Seatledger-Position` with the effect of the events, and go on from there. 0 is the beginning of history.
    """
    waiting: Waiting = request.app.state.waiting
    deadline = time.monotonic() + wait_s
    while True:
        batch = await run_sync(read, call, after, limit, limiter=waiting.threads)
        if batch.position > after:
            return answer(batch, limit, wait_s)
        more = False
        while not more:
            left = deadline - time.monotonic()
            if left <= 0 or waiting.over or await request.is_disconnected():
                return answer(batch, limit, wait_s)
            more = await waiting.beyond(batch.seen, min(left, THERE_S))


def read(call: Call, after: int, limit: int) -> Batch:
    """What is settled behind a position."""
    query = call.wish(FollowEvents, after=after, limit=limit)
    found = follow_events(call.house.feed, query)
    told: list[bytes] = []
    for event in found.events:
        try:
            told.append(as_told(event, found.source, found.skips))
        except Unpublishable as error:
            if not told:
                raise stuck(error) from None
            break
    return Batch(b"[%b]" % b",".join(told), found.events[len(told) - 1].position if told else after, found.seen)


def stuck(error: Unpublishable) -> BadRequest:
    """It waits as the relay does, until a version comes that can tell the event, or an operator decides to skip it."""
    remedy = (
        f"the event at position {error.position} cannot be told; an operator runs a version of seatledger that knows"
        f" it, or decides: `seatledger relay skip {error.position}`"
    )
    return BadRequest("event_not_tellable", remedy, facts={"position": error.position})


def answer(batch: Batch, limit: int, wait_s: float) -> Response:
    following = urlencode({"after": batch.position, "limit": limit, "wait_s": f"{wait_s:g}"})
    headers = {POSITION: str(batch.position), "Link": f'<{FEED}?{following}>; rel="next"'}
    return Response(batch.body, 200, headers, MEDIA_TYPE)
