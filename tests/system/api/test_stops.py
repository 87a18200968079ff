"""SIGTERM: what was begun is answered whole, nothing new is taken, and the process ends well and soon."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from uuid import uuid4

import httpx
import pytest

from tests.system.api.held import connected, head_of, in_flight, meanwhile, saves_wait, until
from tests.system.api.house import Contoso, RunningHouse, settings_of
from tools.soak.api_server import ApiProcess, api_process

CLIENTS = 8
STOP_S = 20


@pytest.fixture
def stopping(house: RunningHouse) -> Iterator[ApiProcess]:
    """A second process on the same house, to be stopped."""
    with api_process(settings_of(house.url, house.home), house.home / "stopping.log") as process:
        yield process


def refuses(process: ApiProcess) -> bool:
    """Whether it takes no new connection."""
    try:
        connected(process).close()
    except ConnectionRefusedError:
        return True
    return False


def test_what_was_begun_is_answered_and_nothing_new_is_taken(
    house: RunningHouse, contoso: Contoso, stopping: ApiProcess
) -> None:
    subscription = contoso.buys(licenses=CLIENTS)
    users = contoso.imports(CLIENTS)
    path, keys = f"/subscriptions/{subscription}/assignments", [str(uuid4()) for _ in users]
    with httpx.Client(base_url=stopping.address, timeout=60) as http:
        ben = replace(contoso.ben, http=http)
        assigns = [
            partial(ben.ask, "POST", path, json={"user_ids": [user]}, key=key)
            for user, key in zip(users, keys, strict=True)
        ]
        with saves_wait(house.url) as let_go, meanwhile(*assigns) as begun:
            until(lambda: in_flight(stopping) == CLIENTS)
            told_at = time.monotonic()
            stopping.terminate()
            until(lambda: refuses(stopping))
            assert stopping.process.poll() is None
            assert not any(one.done() for one in begun)
            let_go()
            answers = [one.result() for one in begun]
            assert stopping.process.wait(STOP_S) == 0
            assert time.monotonic() - told_at < STOP_S
    assert [answer.status_code for answer in answers] == [200] * CLIENTS
    assert sorted(contoso.holders(subscription)) == sorted(users)
    for user, key, answer in zip(users, keys, answers, strict=True):
        again = contoso.ben.ask("POST", path, json={"user_ids": [user]}, key=key)
        assert (again.content, again.headers["Idempotency-Replayed"]) == (answer.content, "true")


def test_a_body_that_is_on_its_way_is_waited_for(contoso: Contoso, stopping: ApiProcess) -> None:
    body = b'{"rows": [{"user_name": "late@contoso.com"}]}'
    head = head_of(contoso.chris.path("/members"), contoso.chris.bearer, len(body))
    with connected(stopping) as line:
        line.sendall(head + body[:10])
        until(lambda: in_flight(stopping) == 1)
        stopping.terminate()
        until(lambda: refuses(stopping))
        line.sendall(body[10:])
        said = b"".join(iter(partial(line.recv, 65_536), b""))
    assert said.startswith(b"HTTP/1.1 200 OK")
    answer, _, content = said.partition(b"\r\n\r\n")
    assert f"content-length: {len(content)}".encode() in answer.lower()
    assert stopping.process.wait(STOP_S) == 0


def test_who_follows_events_is_let_go(house: RunningHouse, stopping: ApiProcess) -> None:
    """A feed that waits for the next event does not hold up the end."""
    service = house.anybody.of_the_house("service")
    with httpx.Client(base_url=stopping.address, timeout=60) as http:
        asked = {"after": 2**62, "wait_s": 30}
        with meanwhile(partial(replace(service, http=http).ask, "GET", "/v1/events", params=asked)) as [waiting]:
            until(lambda: in_flight(stopping) == 1)
            stopping.terminate()
            assert waiting.result(timeout=5).json() == []
    assert stopping.process.wait(5) == 0


def test_idle_it_stops_at_once(stopping: ApiProcess) -> None:
    with connected(stopping):  # between two requests
        stopping.terminate()
        assert stopping.process.wait(5) == 0
