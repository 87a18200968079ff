"""What operators and their machines ask: is it alive, can it work, what does it count; and the help pages."""

from __future__ import annotations

import html
import threading
import time
from collections.abc import Iterator
from typing import Annotated, Any, Literal

from anyio import CapacityLimiter
from anyio.to_thread import run_sync
from fastapi import APIRouter, Path, Request
from prometheus_client import generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from pydantic import BaseModel, Field
from starlette.responses import HTMLResponse, Response

from adapters.http.answers import shown
from adapters.http.problems import KINDS
from adapters.postgres.standing import Standing, standing
from domain.refusals import NotFound
from services.ports import LedgerUnavailable

routes = APIRouter(tags=["operations"])

METRICS: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/plain": {"schema": {"type": "string"}}}, "description": "In Prometheus's text format."}
}
REMEMBERED_S = 1.0  # however often is asked, the database is looked at once a second


class Alive(BaseModel):
    status: Literal["alive"]


class Follows(BaseModel):
    """Something that follows history."""

    name: str
    position: int
    lag: int = Field(description="Positions behind the last event; positions have gaps.")


class Ready(BaseModel):
    """Whether calls can be answered, and how far everything has come."""

    status: Literal["ready", "not_ready"]
    why: str | None = Field(default=None, description="What it waits for.")
    last_position: int | None = None
    settled_position: int | None = Field(default=None, description="Nothing can still appear up to here.")
    settled_age_s: float | None = Field(default=None, description="How long that has waited for writers.")
    read_models: list[Follows] = []
    topics: list[Follows] = []


@routes.get("/healthz", operation_id="is_alive", summary="Whether the process answers")
async def is_alive() -> Alive:
    """Looks at nothing else: a database that is away is no reason to start the process again."""
    return Alive(status="alive")


@routes.get(
    "/readyz",
    operation_id="is_ready",
    summary="Whether calls can be answered",
    response_model=Ready,
    responses={503: {"model": Ready, "description": "Not now."}},
)
async def is_ready(request: Request) -> Response:
    """Asks the database, and tells how far history is settled, read models folded and topics published."""
    watch: Watch = request.app.state.watch
    ready = await run_sync(readiness, watch, limiter=watch.threads)
    answer = shown(ready)
    answer.status_code = 200 if ready.status == "ready" else 503
    return answer


@routes.get(
    "/metrics", operation_id="show_metrics", summary="What Prometheus reads", response_class=Response, responses=METRICS
)
async def show_metrics(request: Request) -> Response:
    """Requests by route and status, and where history, read models and topics stand."""
    state = request.app.state
    metrics = await run_sync(generate_latest, state.gauges.registry, limiter=state.watch.threads)
    return Response(metrics, media_type=CONTENT_TYPE_LATEST)


@routes.get(
    "/problems/{code}",
    operation_id="explain_problem",
    summary="The help page of a problem",
    response_class=HTMLResponse,
)
def explain_problem(code: Annotated[str, Path(pattern="^[a-z_]{1,64}$")]) -> HTMLResponse:
    """Where the `type` of a problem leads."""
    if (kind := KINDS.get(code)) is None:
        raise NotFound(what="kind of problem", key="of this name")
    title, text = html.escape(kind.title), html.escape(kind.help)
    again = f"<p>It may be tried again after {kind.retry_after_s} s.</p>" if kind.retry_after_s else ""
    page = (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>'
        f"<h1>{title}</h1><p><code>{code}</code>, status {kind.status}</p><p>{text}</p>{again}</html>"
    )
    return HTMLResponse(page)


class Watch:
    """Looks where the house stands, at most once a second."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._lock = threading.Lock()
        self.threads = CapacityLimiter(2)  # of its own: it is asked just when all others are busy
        self._seen: tuple[float, Standing | LedgerUnavailable] | None = None

    def look(self) -> Standing:
        """Raises LedgerUnavailable."""
        with self._lock:
            if self._seen is None or time.monotonic() - self._seen[0] > REMEMBERED_S:
                try:
                    now: Standing | LedgerUnavailable = standing(self._url)
                except LedgerUnavailable as error:
                    now = error
                self._seen = time.monotonic(), now
            found = self._seen[1]
        if isinstance(found, LedgerUnavailable):
            raise found
        return found

    def collect(self) -> Iterator[Metric]:
        """The same for Prometheus."""
        try:
            now = self.look()
        except LedgerUnavailable:
            yield GaugeMetricFamily("seatledger_database_up", "Whether the database answers.", 0)
            return
        yield GaugeMetricFamily("seatledger_database_up", "Whether the database answers.", 1)
        yield GaugeMetricFamily("seatledger_ledger_last_position", "Of history's last event.", now.head)
        yield GaugeMetricFamily("seatledger_ledger_settled_position", "Up to here nothing can appear.", now.settled)
        yield GaugeMetricFamily("seatledger_ledger_settled_age_seconds", "Waited for writers.", now.settled_age_s)
        models = GaugeMetricFamily("seatledger_read_model_lag", "Positions behind.", labels=["read_model"])
        for one in read_models(now):
            models.add_metric([one.name], one.lag)
        yield models
        topics = GaugeMetricFamily("seatledger_relay_lag", "Positions not yet published.", labels=["topic"])
        for one in topics_of(now):
            topics.add_metric([one.name], one.lag)
        yield topics


def readiness(watch: Watch) -> Ready:
    try:
        now = watch.look()
    except LedgerUnavailable as error:
        return Ready(status="not_ready", why=str(error))
    return Ready(
        status="ready",
        last_position=now.head,
        settled_position=now.settled,
        settled_age_s=now.settled_age_s,
        read_models=read_models(now),
        topics=topics_of(now),
    )


def read_models(now: Standing) -> list[Follows]:
    """Those that queries follow."""
    live = [build for build in now.builds if build.state == "live"]
    return [Follows(name=one.projection, position=one.position, lag=now.lag(one.position)) for one in live]


def topics_of(now: Standing) -> list[Follows]:
    return [Follows(name=one.topic, position=one.position, lag=now.lag(one.position)) for one in now.relayed]
