"""Too much at a time, slow and vanishing clients: the surplus is told so at once, and nobody else waits for it."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from functools import partial

import httpx
import psycopg
import pytest

from adapters.postgres.reads import LONG_WAITS
from tests.adapters.http.conftest import Api, refused
from tests.system.api.held import connected, head_of, in_flight, meanwhile, saves_wait, until
from tests.system.api.house import Contoso, RunningHouse, settings_of
from tools.soak.api_server import ApiProcess, api_process

CONCURRENCY = 2
LET_IN = 2 * CONCURRENCY
CALLS = 24
AT_ONCE_S = 3.0  # on a busy machine
FOR_EVER = 40  # more than there are threads
BODY, JSON = b'{"rows": [{"user_name": "chris@contoso.com"}]}', {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def small(house: RunningHouse) -> Iterator[ApiProcess]:
    """A process that works on two calls at a time."""
    settings = settings_of(house.url, house.home, api_concurrency=CONCURRENCY)
    with api_process(settings, house.home / "small.log") as process:
        yield process


@pytest.fixture
def http(small: ApiProcess) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=small.address, timeout=60) as http:
        yield http


@pytest.fixture
def chris(contoso: Contoso, http: httpx.Client) -> Api:
    """Chris asks the small one."""
    return replace(contoso.chris, http=http)


def save(chris: Api) -> httpx.Response:
    """A command that changes nothing, and is recorded."""
    return chris.ask("POST", "/members", content=BODY, headers=JSON)


def test_the_surplus_is_told_at_once_and_the_others_are_answered(
    house: RunningHouse, small: ApiProcess, chris: Api
) -> None:
    with saves_wait(house.url) as let_go, meanwhile(*[partial(save, chris)] * CALLS) as asked:
        begun = time.monotonic()
        until(lambda: sum(one.done() for one in asked) == CALLS - LET_IN)
        assert time.monotonic() - begun < AT_ONCE_S
        surplus = [one.result() for one in asked if one.done()]
        assert in_flight(small) == LET_IN  # health and metrics are answered meanwhile
        let_go()
        answers = [one.result() for one in asked]
    for answer in surplus:
        refused(answer, 503, "overloaded")
        assert int(answer.headers["Retry-After"]) >= 1
    assert Counter(answer.status_code for answer in answers) == {200: LET_IN, 503: CALLS - LET_IN}
    assert save(chris).status_code == 200


def test_slow_bodies_keep_nobody_out(small: ApiProcess, chris: Api) -> None:
    """Three callers send a byte each of as many bodies as calls are let in, and no more."""
    callers = [chris.as_(f"{name}@contoso.com") for name in ("ben", "david", "cynthia")]
    heads = [head_of(chris.path("/members"), caller.bearer, len(BODY)) for caller in callers]
    with ExitStack() as lines:
        slow = [lines.enter_context(connected(small)) for _ in heads * LET_IN]
        for line, head in zip(slow, heads * LET_IN, strict=True):
            line.sendall(head + BODY[:1])
        until(lambda: in_flight(small) == len(slow))
        assert save(chris).status_code == 200
        one_more = lines.enter_context(connected(small))
        one_more.sendall(heads[0] + BODY[:1])
        assert one_more.recv(12) == b"HTTP/1.1 503"
        slow[0].sendall(BODY[1:])
        assert slow[0].recv(12) == b"HTTP/1.1 403"  # Ben may not import; it came through to be told so
    until(lambda: in_flight(small) == 0)
    assert save(chris).status_code == 200


def test_who_goes_away_costs_nothing_lasting(house: RunningHouse, small: ApiProcess, chris: Api) -> None:
    """Clients that leave while they are worked on, and more of them than are let in."""
    head = head_of(chris.path("/members"), chris.bearer, len(BODY))
    with saves_wait(house.url) as let_go, ExitStack() as lines:
        gone = [lines.enter_context(connected(small)) for _ in range(LET_IN)]
        for line in gone:
            line.sendall(head + BODY)
        until(lambda: in_flight(small) == LET_IN)
        lines.close()
        let_go()
    until(lambda: in_flight(small) == 0)
    assert save(chris).status_code == 200
    with meanwhile(*[partial(save, chris)] * LET_IN) as asked:
        assert [one.result().status_code for one in asked] == [200] * LET_IN


def test_who_waits_for_what_never_comes_keeps_nobody_out(house: RunningHouse, contoso: Contoso) -> None:
    """As many as there are threads, and more, ask for a position that was drawn by a save that came to nothing."""
    with psycopg.connect(house.url) as server:
        [lost] = server.execute("SELECT nextval('ledger.position')").fetchone() or [0]
    asked = partial(contoso.ben.ask, "GET", "/subscriptions", params={"at_least": lost})
    with meanwhile(*[asked] * FOR_EVER) as waiting:
        until(lambda: in_flight(house.process) >= LONG_WAITS)
        begun = time.monotonic()
        assert contoso.chris.ask("GET", "/members").status_code == 200
        assert time.monotonic() - begun < AT_ONCE_S
        for one in waiting:
            answer = one.result()
            refused(answer, 503, "not_yet")
            assert answer.headers["Retry-After"] == "1"
        assert time.monotonic() - begun < 10
