"""The gate before every route: how much at a time, who calls, for which organization, how often, and what may come in.

It stands before the routes, so that nothing is parsed, looked up or told for a caller who is not known.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote
from uuid import UUID

from anyio import CapacityLimiter, to_thread
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from adapters.http.bad_request import BadRequest
from adapters.http.bearers import Bearers
from adapters.http.errors import told_as_problem
from adapters.http.principal import Principal, Unauthorized
from adapters.http.rates import Rates
from adapters.postgres.wall import outside, within
from domain.organization import CATALOG, organization_id_of
from domain.refusals import NotFound
from services.card_guard import refuse_card_data

GUARDED = "/v1/"
ORGANIZATIONS = "/v1/organizations/"
FEED = "/v1/events"
MOST_FOLLOWERS = 200
MOST_ARRIVING = 512  # calls of which not all is there, or not yet known by whom
LONGEST_BODY = 512 * 1024  # bytes: a thousand members with all their details are less
LONGEST_QUERY = 4 * 1024
DEEPEST = 16  # arrays and objects within each other
BODY_S = 20.0
READERS = 4  # tokens that are verified at a time
LOOKERS = 2  # long bodies that are looked through at a time
LOOKED_THROUGH_AT_ONCE = 8 * 1024  # bytes: takes a few milliseconds; the longest body may take a second
QUOTED = re.compile(rb'"(?:[^"\\]|\\.)*"')
BRACKETS = re.compile(rb"[\[\]{}]")
WITH_BODY = {"POST", "PUT", "PATCH", "DELETE"}


@dataclass
class Room:
    """So many calls at a time."""

    most: int
    inside: int = 0

    def refuse_when_full(self) -> None:
        if self.inside >= self.most:
            raise BadRequest("overloaded", "repeat the call after Retry-After")

    @contextmanager
    def entered(self) -> Iterator[None]:
        self.refuse_when_full()
        self.inside += 1
        try:
            yield
        finally:
            self.inside -= 1


@dataclass
class Gate:
    """ASGI middleware; `at_a_time` calls are let in, others are told to come again.

    Counted apart are calls that are still on their way, and who follows events and mostly waits: they keep nobody else
    out. Nor does one caller who sends many bodies slowly.
    """

    app: ASGIApp
    bearers: Bearers
    rates: Rates
    at_a_time: int

    def __post_init__(self) -> None:
        self.usual, self.followers, self.arriving = Room(self.at_a_time), Room(MOST_FOLLOWERS), Room(MOST_ARRIVING)
        self.bodies: dict[str, Room] = {}  # of each caller, as long as one is on its way
        # Threads of their own: whoever floods the house with bad tokens does not keep others from their answers.
        self.readers, self.lookers = CapacityLimiter(READERS), CapacityLimiter(LOOKERS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(GUARDED):
            await self.app(scope, receive, send)
            return
        room = self.followers if scope["path"] == FEED else self.usual
        try:
            room.refuse_when_full()
            with self.arriving.entered():
                organization_id, body = await self._arrived(scope, receive)
            room.refuse_when_full()
        except Exception as error:  # noqa: BLE001 - whatever it is, it is told as a problem
            await told_as_problem(error, scope)(scope, receive, send)
            return
        with room.entered(), within(organization_id) if organization_id else outside():
            await self.app(scope, again(body, receive), send)

    async def _arrived(self, scope: Scope, receive: Receive) -> tuple[UUID | None, bytes]:
        """Whose rows the call may see, and its body, once all of it is there and found to be fit."""
        headers = Headers(scope=scope)
        principal = await self._principal(headers)
        scope["state"]["principal"] = principal
        organization_id = organization_of(scope["path"], principal)
        self.rates.refuse_too_many(principal)
        refuse_card_data_in_head(scope, headers)
        if scope["method"] not in WITH_BODY:
            return organization_id, b""
        with self._on_its_way(principal.key):
            body = await body_of(headers, receive)
            if len(body) > LOOKED_THROUGH_AT_ONCE:
                await to_thread.run_sync(look_through, body, limiter=self.lookers)
            elif body:
                look_through(body)
        return organization_id, body

    @contextmanager
    def _on_its_way(self, key: str) -> Iterator[None]:
        """One caller has no more bodies on their way than calls are let in."""
        room = self.bodies.setdefault(key, Room(self.at_a_time))
        try:
            with room.entered():
                yield
        finally:
            if not room.inside:
                self.bodies.pop(key, None)

    async def _principal(self, headers: Headers) -> Principal:
        given = headers.getlist("authorization")
        if len(given) > 1:
            raise Unauthorized("token_malformed", "send one Authorization header")
        authorization = given[0] if given else None
        if known := self.bearers.known(authorization):
            return known
        return await to_thread.run_sync(self.bearers.read, authorization, limiter=self.readers)


def organization_of(path: str, principal: Principal) -> UUID | None:
    """The organization whose rows the call may see; one that is not the caller's does not exist for them.

    A member sees their own, also from outside its paths. Who operates the house sees the one that the path names, or
    the catalog. None: none but the catalog's events.
    """
    named = path.removeprefix(ORGANIZATIONS).partition("/")[0] if path.startswith(ORGANIZATIONS) else None
    if principal.kind == "member":
        if named not in {None, principal.organization}:
            raise NotFound(what="organization", key="of this name")
        return organization_id_of(principal.organization or "")
    if named is not None:
        return organization_id_of(named)
    return CATALOG if principal.kind == "operator" else None


def refuse_card_data_in_head(scope: Scope, headers: Headers) -> None:
    """Card numbers are refused wherever they stand, before anything is logged."""
    query = scope["query_string"]
    if len(query) > LONGEST_QUERY:
        raise BadRequest("bad_parameter", f"the query is longer than {LONGEST_QUERY} bytes", where="query")
    given: dict[str, Any] = {"path": scope["path"].split("/")}
    if query:
        text = query.decode("latin-1")
        given["query"] = dict(parse_qsl(text, keep_blank_values=True)) | {"": unquote(text)}
    for name in ("idempotency-key", "if-match", "correlation-id", "seatledger-role"):
        if name in headers:
            given[name] = headers[name]
    refuse_card_data(given)


async def body_of(headers: Headers, receive: Receive) -> bytes:
    """The whole body; refuses one that is too large as soon as that is known, and one that does not arrive."""
    declared = headers.get("content-length", "0")
    if declared.isdigit() and int(declared) > LONGEST_BODY:
        raise BadRequest("body_too_large", f"send at most {LONGEST_BODY} bytes at a time")
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(BODY_S):
            while True:
                message = await receive()
                if message["type"] != "http.request":
                    raise BadRequest("bad_request", "the connection ended before the body did")
                part = message.get("body", b"")
                size += len(part)
                if size > LONGEST_BODY:
                    raise BadRequest("body_too_large", f"send at most {LONGEST_BODY} bytes at a time")
                parts.append(part)
                if not message.get("more_body", False):
                    break
    except TimeoutError:
        raise BadRequest("request_timeout", f"send the body within {BODY_S:.0f} seconds") from None
    body = b"".join(parts)
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if body and kind != "application/json":
        raise BadRequest("media_type_not_supported", "send the body as application/json")
    return body


def look_through(body: bytes) -> None:
    """Refuses what is no JSON, what is nested too deep, and card data."""
    refuse_deep(body)
    refuse_card_data(parsed(body))


def refuse_deep(body: bytes) -> None:
    """Counts brackets outside of texts, so that no parser has to go down first."""
    depth = 0
    for bracket in BRACKETS.findall(QUOTED.sub(b"", body)):
        depth += 1 if bracket in b"[{" else -1
        if depth > DEEPEST:
            raise BadRequest("bad_request", f"nest arrays and objects at most {DEEPEST} deep")


def parsed(body: bytes) -> Any:
    """The body as JSON values, each name of an object once."""
    try:
        return json.loads(body, object_pairs_hook=once_each, parse_constant=refuse_constant)
    except (ValueError, RecursionError):
        raise BadRequest("bad_request", "the body must be one JSON document in UTF-8, with each name once") from None


def once_each(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError
    return found


def refuse_constant(name: str) -> Any:
    """NaN and Infinity are no JSON."""
    raise ValueError(name)


def again(body: bytes, receive: Receive) -> Receive:
    """The body that was read, for the routes to read once more."""
    read = False

    async def repeat() -> Message:
        nonlocal read
        if read:
            return await receive()  # the caller goes away
        read = True
        return {"type": "http.request", "body": body, "more_body": False}

    return repeat
