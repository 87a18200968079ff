"""The event feed over HTTP as a source: for services without Kafka, and to begin with before one turns to Kafka."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Any
from urllib.parse import urlencode, urlsplit

from pydantic_core import from_json, to_json

from adapters.kit.event import Event
from adapters.kit.source import PARTITIONS, Place, Share, Shares
from adapters.kit.stops import Later, MessageRefused, SourceUnsuited

PATH = "/v1/events"
TIMEOUT_S = 30.0
UNTIL_READY_S = 0.02  # it looks so often whether its events are wanted
NOT_YOURS = {401, 403}
WAIT = {408, 425, 429}


@dataclass(frozen=True)
class HttpFeed:
    """The API of a ledger. `token` answers a bearer token or an API key, and is asked again when one is refused."""

    url: str
    token: Callable[[], str] = field(repr=False)
    limit: int = 500  # events of an answer at most
    wait_s: float = 1.0  # so long the API holds an answer back while there is nothing new

    def open(self, consumer: str, shares: Shares) -> FeedReader:
        if urlsplit(self.url).scheme not in {"http", "https"}:
            raise SourceUnsuited(f"{consumer}: the address of the feed begins with http:// or https://")
        return FeedReader(self, shares)

    def places_at(self, moment: datetime) -> Mapping[int, Place]:
        raise SourceUnsuited(f"the feed does not know what stood where at {moment.isoformat()}; replay from a position")


@dataclass(frozen=True)
class FeedRecord:
    """An event as the feed writes it."""

    told: dict[str, Any]
    where: str

    @property
    def offset(self) -> None:
        return None

    @property
    def size(self) -> int:
        return 2 * len(self.content)

    @property
    def partition(self) -> int:
        return self._event.partition

    def position(self) -> int:
        return self._event.position

    def event(self) -> Event:
        return self._event

    @cached_property
    def content(self) -> bytes:
        return to_json(self.told.get("data"))  # the same bytes as on Kafka; the hash tells

    @cached_property
    def _event(self) -> Event:
        attributes = {name: str(value) for name, value in self.told.items() if name != "data" and value is not None}
        return Event.of(attributes, self.content, self.where)


class FeedReader:
    """Asks for the next events, one answer at a time, on one connection."""

    def __init__(self, feed: HttpFeed, shares: Shares) -> None:
        self._feed, self._shares = feed, shares
        self._address = urlsplit(feed.url)
        self._share: Share = tuple(range(PARTITIONS))
        self._connection: HTTPConnection | None = None
        self._token: str | None = None
        self._after: int | None = None  # None until the consumer says from where
        self._joined = self._paused = self._at_head = False
        self._is_full = True  # as far as anybody knows

    def poll(self, wait_s: float) -> Iterable[FeedRecord]:
        if not self._joined:
            self._joined = True
            self._shares.join(self._share)
        if self._after is None or self._paused:
            time.sleep(min(wait_s, UNTIL_READY_S))
            return []
        waits_s = 0.0 if self._is_full else max(wait_s, self._feed.wait_s)
        told, position = self._ask(self._after, waits_s)
        records = [FeedRecord(one, f"the feed after position {self._after}, event {n}") for n, one in enumerate(told)]
        self._is_full = len(records) == self._feed.limit
        # Without waiting it may answer nothing though there is much: what was told last may not be settled yet.
        self._at_head = waits_s > 0 and not self._is_full
        self._after = position
        return records

    def seek(self, share: Share, places: Mapping[int, Place]) -> None:
        # What other partitions did already is handed out again, and passed over by its position.
        self._after = min(places[partition].position for partition in share)
        self._paused = self._at_head = False
        self._is_full = True

    def pause(self, share: Share) -> None:  # noqa: ARG002 - there is one
        self._paused = True

    def resume(self, share: Share) -> None:  # noqa: ARG002 - there is one
        self._paused = False

    @property
    def at_head(self) -> bool:
        return self._at_head

    def lag(self) -> Mapping[int, int]:
        return {}

    def close(self) -> None:
        if self._connection:
            self._connection.close()

    def _ask(self, after: int, wait_s: float) -> tuple[list[dict[str, Any]], int]:
        query = urlencode({"after": after, "limit": self._feed.limit, "wait_s": f"{wait_s:g}"})
        try:
            answer, body = self._get(f"{self._address.path.rstrip('/')}{PATH}?{query}")
            if answer.status in NOT_YOURS:  # a token may have come to its end
                self._token = None
                answer, body = self._get(f"{self._address.path.rstrip('/')}{PATH}?{query}")
        except (OSError, HTTPException) as error:
            self.close()
            self._connection = None
            raise Later(f"the feed does not answer ({type(error).__name__})") from None
        if answer.status == HTTPStatus.OK:
            return self._read(answer, body)
        if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR or answer.status in WAIT:
            raise Later(f"the feed answers {answer.status}", _seconds(answer.getheader("Retry-After")))
        raise SourceUnsuited(f"the feed answers {answer.status} ({_code(body)}); it is for services, with a good token")

    def _get(self, target: str) -> tuple[HTTPResponse, bytes]:
        if self._connection is None:
            kind = HTTPSConnection if self._address.scheme == "https" else HTTPConnection
            self._connection = kind(self._address.hostname or "", self._address.port, timeout=TIMEOUT_S)
        if self._token is None:
            self._token = self._feed.token()
        headers = {"Authorization": f"Bearer {self._token}", "Accept": "application/cloudevents-batch+json"}
        self._connection.request("GET", target, headers=headers)
        answer = self._connection.getresponse()
        return answer, answer.read()

    def _read(self, answer: HTTPResponse, body: bytes) -> tuple[list[dict[str, Any]], int]:
        try:
            told = from_json(body)
            position = int(answer.getheader("Seatledger-Position", ""))
        except ValueError:
            raise SourceUnsuited("the feed's answer cannot be read: is this the address of the API?") from None
        if not isinstance(told, list) or not all(isinstance(one, dict) for one in told):
            raise MessageRefused("the feed", "its answer is no list of events")
        return told, position


def _seconds(text: str | None) -> float | None:
    return float(text) if text and text.isdigit() else None


def _code(body: bytes) -> str:
    """What kind of problem it is; nothing else of the body is shown."""
    with suppress(ValueError):
        problem = from_json(body)
        if isinstance(problem, dict):
            return str(problem.get("code", "no problem is named"))[:60]
    return "no problem is named"
