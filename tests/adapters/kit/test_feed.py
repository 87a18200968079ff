"""The feed when it does not answer as one would like: tokens end, servers are busy, addresses are wrong."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

import pytest

from adapters.kit import HttpFeed, SourceUnsuited
from tests.adapters.kit.conftest import Desk
from tests.adapters.kit.memory_topic import ADDED, ORGANIZATION, message

pytestmark = pytest.mark.enable_socket

EVENTS = []
for number in range(1, 8):
    sent = message(ORGANIZATION, number, 10 * number, topic=ADDED)
    told: dict[str, Any] = {name.removeprefix("ce_"): value.decode() for name, value in sent.headers}
    EVENTS.append({**told, "commandindex": 0, "commandcount": 1, "data": json.loads(sent.value)})


class Answers(BaseHTTPRequestHandler):
    """Answers what a test has put before the events, and then the events."""

    protocol_version = "HTTP/1.1"
    before: ClassVar[list[tuple[int, dict[str, str], bytes]]] = []
    tokens: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.tokens.append(self.headers["Authorization"])
        after = int(parse_qs(urlsplit(self.path).query)["after"][0])
        found = [event for event in EVENTS if int(event["position"]) > after][:3]
        position = int(found[-1]["position"]) if found else after
        events = 200, {"Seatledger-Position": str(position)}, json.dumps(found).encode()
        status, headers, body = self.before.pop(0) if self.before else events
        if not status:  # it hangs up
            self.close_connection = True
            return
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - the library's name
        """Says nothing."""


@contextmanager
def answering(*before: tuple[int, dict[str, str], bytes]) -> Iterator[HttpFeed]:
    Answers.before[:], Answers.tokens[:] = list(before), []
    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        thread = threading.Thread(target=server.serve_forever, args=[0.01])
        thread.start()
        numbers = count(1)
        yield HttpFeed(f"http://127.0.0.1:{server.server_port}/", lambda: f"token-{next(numbers)}", limit=3, wait_s=0)
        server.shutdown()
        thread.join()


def test_a_token_that_has_come_to_its_end_is_asked_for_again(desk: Desk) -> None:
    with answering((401, {}, b"{}")) as feed:
        desk.catches_up(feed)
    assert Answers.tokens[:3] == ["Bearer token-1", "Bearer token-2", "Bearer token-2"]
    assert desk.effects == [10 * number for number in range(1, 8)]


@pytest.mark.parametrize("busy", [(503, {"Retry-After": "0"}, b""), (429, {}, b""), (502, {}, b"<html>"), (0, {}, b"")])
def test_a_feed_that_is_busy_or_away_is_asked_again(desk: Desk, busy: tuple[int, dict[str, str], bytes]) -> None:
    with answering(busy, busy) as feed:
        desk.catches_up(feed)
    assert len(Answers.tokens) >= 5
    assert desk.effects == [10 * number for number in range(1, 8)]


def test_an_answer_without_events_is_not_yet_the_end(desk: Desk) -> None:
    with answering((200, {"Seatledger-Position": "0"}, b"[]")) as feed:
        desk.catches_up(feed)
    assert desk.effects == [10 * number for number in range(1, 8)]


@pytest.mark.parametrize(
    ("answers", "why"),
    [
        ([(401, {}, b"{}"), (401, {}, b'{"code":"token_not_accepted","detail":"s3cret"}')], "401 .token_not_accepted."),
        ([(404, {}, b"<html>")], "404 .no problem is named."),
        ([(200, {}, b"<html>")], "is this the address of the API"),
        ([(200, {"Seatledger-Position": "1"}, b'{"not":"a list"}')], "no list of events"),
    ],
)
def test_a_feed_that_is_none_or_is_not_for_this_consumer_ends_it(
    desk: Desk, answers: list[tuple[int, dict[str, str], bytes]], why: str
) -> None:
    with answering(*answers) as feed, pytest.raises(Exception, match=why) as ended:
        desk.catches_up(feed)
    assert "s3cret" not in str(ended.value)
    assert "token-" not in str(ended.value)


def test_an_address_without_http_is_refused(desk: Desk) -> None:
    with pytest.raises(SourceUnsuited, match="begins with http"):
        desk.catches_up(HttpFeed("file:///etc/passwd", lambda: ""))
    assert "secret" not in repr(HttpFeed("http://127.0.0.1", lambda: "secret"))
