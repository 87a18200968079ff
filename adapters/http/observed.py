"""What is seen of every request: an id, a correlation id that reaches the events, a log line, metrics."""

from __future__ import annotations

import asyncio
import time
from collections.abc import MutableMapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from uuid import UUID, uuid4

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from adapters.http.bad_request import BadRequest
from adapters.http.errors import told_as_problem

REQUEST_ID, CORRELATION_ID = "Request-Id", "Correlation-Id"
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
QUIET = ("/healthz", "/readyz", "/metrics")
UNROUTED = "unrouted"  # a path that no route knows is not repeated anywhere


@dataclass
class Gauges:
    """The metrics of the requests of one application."""

    registry: CollectorRegistry = field(default_factory=CollectorRegistry)

    def __post_init__(self) -> None:
        labels = ("method", "route", "status")
        self.requests = Counter("seatledger_http_requests", "Answered requests.", labels, registry=self.registry)
        self.seconds = Histogram(
            "seatledger_http_seconds",
            "Seconds from the request to the end of its answer.",
            ("method", "route"),
            buckets=BUCKETS,
            registry=self.registry,
        )
        self.in_flight = Gauge("seatledger_http_in_flight", "Requests being answered.", registry=self.registry)


@dataclass
class Observed:
    """ASGI middleware around everything else; what goes wrong in it or below still has an answer."""

    app: ASGIApp
    gauges: Gauges

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id = str(uuid4())
        state = scope.setdefault("state", {})
        state["request_id"] = request_id
        started, answered = time.perf_counter(), Answered()

        async def tell(message: Message) -> None:
            if message["type"] == "http.response.start":
                answered.status = message["status"]
                headers = MutableHeaders(scope=message)
                headers[REQUEST_ID] = request_id
                headers[CORRELATION_ID] = str(state.get("correlation_id", request_id))
                headers.setdefault("Cache-Control", "no-store")
                headers["X-Content-Type-Options"] = "nosniff"
            await send(message)

        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        self.gauges.in_flight.inc()
        try:
            state["correlation_id"] = correlation_id_in(scope, request_id)
            structlog.contextvars.bind_contextvars(correlation_id=str(state["correlation_id"]))
            await self.app(scope, receive, tell)
        except asyncio.CancelledError:  # the server has waited for this call for as long as it could
            if answered.status is None:
                stops = BadRequest("unavailable", "the server stops; send the same call again, with the same key")
                await told_as_problem(stops, scope)(scope, receive, tell)
        except Exception as error:  # noqa: BLE001 - whatever it is, the caller gets an answer
            if answered.status is None:  # else the routes have told it, and pass it on
                await told_as_problem(error, scope)(scope, receive, tell)
        finally:
            self.gauges.in_flight.dec()
            self._note(scope, state, answered, time.perf_counter() - started)

    def _note(self, scope: Scope, state: MutableMapping[str, Any], answered: Answered, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", UNROUTED)
        method = scope["method"] if route != UNROUTED else "any"
        status = answered.status or 0  # 0: the caller went away first
        self.gauges.requests.labels(method, route, str(status)).inc()
        self.gauges.seconds.labels(method, route).observe(seconds)
        if route in QUIET:
            return
        principal = state.get("principal")
        log = structlog.get_logger()
        tell = log.warning if status >= HTTPStatus.INTERNAL_SERVER_ERROR else log.info
        tell(
            "request",
            method=scope["method"],
            route=route,
            status=status,
            ms=round(seconds * 1000, 1),
            caller=principal.key if principal else None,
            organization=principal.organization if principal else None,
        )


@dataclass
class Answered:
    status: int | None = None


def correlation_id_in(scope: Scope, request_id: str) -> UUID:
    """The caller's own id for what belongs together, which all events of the call carry; the request's without one."""
    given = Headers(scope=scope).get(CORRELATION_ID)
    if given is None:
        return UUID(request_id)
    try:
        if len(given) == len(request_id):
            return UUID(given)
    except ValueError:
        pass
    raise BadRequest("bad_parameter", "send a UUID, with hyphens", where=CORRELATION_ID)
