"""The event feed: the events of Kafka, in order, each once to who goes on from the last; and waiting for the next."""

from __future__ import annotations

import json
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import httpx
import psycopg
import pytest
from eventsourcing.persistence import StoredEvent
from psycopg.conninfo import make_conninfo
from pydantic import SecretStr

from adapters.http.development_issuer import DevelopmentIssuer
from adapters.http.events import CloudEvent
from adapters.kafka.cloud_event import message_of
from adapters.kafka.skipped import placeholder_of
from adapters.postgres.follower import Follower
from adapters.postgres.forks import Forks
from adapters.postgres.migrate import migrate
from adapters.postgres.session import APP, session
from adapters.settings import Settings
from services.ledger import Ledger
from tests.adapters.http.conftest import Api, refused, serving
from tests.adapters.http.following import APPEND, FEED, all_after, append, asked, head, many_waiting, until, woken
from tests.adapters.kafka.test_public_events import ENVELOPE
from tests.adapters.postgres.writers import a_pool, ledger_at, save
from tests.tidy.topics import read

if TYPE_CHECKING:
    from adapters.embedded.postgres import EmbeddedPostgres

MINE = "FROM pg_stat_activity WHERE application_name = 'seatledger feed' AND datname = current_database()"
Admin = psycopg.Connection[tuple[Any, ...]]


@pytest.fixture(scope="module")
def settings(postgres: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A history of this module's own, for its tests see all organizations."""
    with psycopg.connect(postgres.url, autocommit=True) as server:
        server.execute("CREATE DATABASE feed")
    url = make_conninfo(postgres.url, dbname="feed")
    migrate(url)
    return Settings(
        database_url=SecretStr(url),
        fingerprint_key=SecretStr("5a" * 32),
        home=tmp_path_factory.mktemp("home"),
        development=True,
        api_concurrency=4,
        api_rate_per_key="1000000/minute",
    )


@pytest.fixture(scope="module")
def url(settings: Settings) -> str:
    assert settings.database_url is not None
    return settings.database_url.get_secret_value()


@pytest.fixture(scope="module")
def address(settings: Settings) -> Iterator[str]:
    with serving(settings) as address:
        yield address


@pytest.fixture(scope="module")
def service(settings: Settings, address: str) -> Iterator[Api]:
    with httpx.Client(base_url=address, timeout=40) as client:
        yield Api(client, DevelopmentIssuer(settings.home)).of_the_house("service")


@pytest.fixture
def admin(url: str) -> Iterator[Admin]:
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection


@pytest.fixture(scope="module")
def ledger(url: str) -> Iterator[Ledger]:
    with ledger_at(url) as ledger:
        yield ledger


def test_every_kind_of_event_is_the_same_as_on_kafka(ledger: Ledger, service: Api, url: str) -> None:
    organization_ids = [uuid4() for _ in range(5)]
    before = head(ledger, service)
    kinds = [
        (topic, json.dumps(state).encode())
        for topic, versions in read().events.items()
        for states in versions.values()
        for state in states
    ]
    random.Random(7).shuffle(kinds)  # noqa: S311 - not a secret
    for number, (topic, state) in enumerate(kinds):
        receipt = ledger.history.append(
            [StoredEvent(uuid4(), 1, topic, state)],
            organization_id=organization_ids[number % 5],
            command_id=uuid4(),
            step="",
            fingerprint=b"",
            metadata=[ENVELOPE.model_copy(update={"index": number}).model_dump_json().encode()],
            seen=[],
            facts=[],
        )
    told = all_after(service, before, receipt.position, limit=7)
    with Follower(url, after=before) as follower:
        recorded = follower.poll()
        ledger_id, epoch = follower.source()
    assert len(told) == len(recorded) == len(kinds) > 100
    for event, one in zip(told, recorded, strict=True):
        message = message_of(one, f"/seatledger/{ledger_id}/{epoch}")
        data = event.pop("data")
        assert data == json.loads(message.value)
        attributes = {name.removeprefix("ce_"): value.decode() for name, value in message.headers}
        attributes["datacontenttype"] = attributes.pop("content-type")
        assert {name: str(value) for name, value in event.items()} == attributes
        assert CloudEvent.model_validate({**event, "data": data}).position == event["position"]


def test_the_content_is_that_of_kafka_to_the_byte(ledger: Ledger, service: Api, url: str) -> None:
    """`datasha256` is of these bytes: who consumes both can compare them."""
    before = head(ledger, service)
    save(ledger, a_pool(), organization_id=uuid4())
    asked(service, before, wait_s=5)
    body = service.ask("GET", FEED, params={"after": before}).content
    with Follower(url, after=before) as follower:
        (one,) = follower.poll()
    assert body.endswith(b'"data":%b}]' % message_of(one, "/x").value)


def test_a_batch_may_have_gaps_and_any_position_to_start_from(url: str, ledger: Ledger, service: Api) -> None:
    before = head(ledger, service)
    with psycopg.connect(session(url, role=APP)) as lost:
        append(lost)
        lost.rollback()
    position = save(ledger, a_pool(), organization_id=uuid4()).position
    assert position == before + 2
    assert [int(event["position"]) for event in all_after(service, before, position)] == [position]
    assert [int(event["position"]) for event in all_after(service, before + 1, position)] == [position]
    for nowhere in (position, position + 1, 2**63 - 1):
        assert asked(service, nowhere) == ([], nowhere)


def test_in_order_and_once_while_writers_hold_positions_back(
    url: str, admin: Admin, ledger: Ledger, service: Api
) -> None:
    """Slow writers draw positions, wait, and commit or roll back, while quick ones overtake them."""
    before = head(ledger, service)
    over = threading.Event()

    def slow(seed: int) -> None:
        chance = random.Random(seed)  # noqa: S311 - not a secret
        with psycopg.connect(session(url, role=APP)) as connection:
            for _ in range(25):
                append(connection)
                time.sleep(chance.random() / 20)
                connection.commit() if chance.random() < 0.6 else connection.rollback()

    def quick() -> None:
        for _ in range(120):
            save(ledger, a_pool(), organization_id=uuid4())
            time.sleep(0.005)

    def follow(limit: int) -> list[int]:
        found, after = [], before
        while True:
            last = over.is_set()
            events, after = asked(service, after, limit=limit, wait_s=0.5)
            found += [int(event["position"]) for event in events]
            if last and not events:
                return found

    with ThreadPoolExecutor() as threads:
        followers = [threads.submit(follow, limit) for limit in (1, 10, 1000)]
        writers = [threads.submit(slow, seed) for seed in range(3)] + [threads.submit(quick)]
        for writer in writers:
            writer.result()
        over.set()
        got = [follower.result() for follower in followers]
    stored = [
        position
        for (position,) in admin.execute(
            "SELECT position FROM ledger.events WHERE position > %s ORDER BY position", (before,)
        )
    ]
    assert 120 < len(stored) < 120 + 75
    assert got == [stored] * 3


def test_nothing_is_shown_that_something_can_still_come_before(url: str, ledger: Ledger, service: Api) -> None:
    before = head(ledger, service)
    with psycopg.connect(session(url, role=APP)) as slow:
        held = append(slow)
        behind = save(ledger, a_pool(), organization_id=uuid4()).position
        started = time.monotonic()
        assert asked(service, before, wait_s=1) == ([], before)
        assert time.monotonic() - started >= 1
        assert asked(service, held) == ([], held)
        slow.commit()
    assert [int(event["position"]) for event in all_after(service, before, behind)] == [held, behind]


def test_who_waits_is_woken_by_the_next_event(ledger: Ledger, service: Api) -> None:
    for _ in range(3):
        after = head(ledger, service)
        waited = woken(service, after, lambda: save(ledger, a_pool(), organization_id=uuid4()).position)
        assert waited < 1


def test_who_does_not_wait_is_answered_at_once(ledger: Ledger, service: Api) -> None:
    after = head(ledger, service)
    started = time.monotonic()
    assert asked(service, after) == ([], after)
    assert time.monotonic() - started < 1


def test_many_wait_on_one_connection_and_keep_nobody_out(
    settings: Settings, address: str, admin: Admin, ledger: Ledger, service: Api
) -> None:
    """200 at most, where four requests are worked on at a time."""
    after = head(ledger, service)
    with many_waiting(settings, address, 205, after) as statuses:
        until(lambda: len(statuses) == 5)
        started = time.monotonic()
        for _ in range(20):
            refused(service.ask("GET", "/v1/organizations/nowhere"), 404, "not_found")
        assert time.monotonic() - started < 2
        refused(service.ask("GET", FEED), 503, "overloaded")
        assert admin.execute(f"SELECT count(*) {MINE}").fetchone() == (1,)
        assert statuses == [503] * 5
        save(ledger, a_pool(), organization_id=uuid4())
    assert Counter(statuses) == {503: 5, 200: 200}
    assert asked(service, after)[1] > after


def test_a_place_is_free_again_when_a_caller_goes_away(
    settings: Settings, address: str, ledger: Ledger, service: Api
) -> None:
    after = head(ledger, service)
    headers = {"Authorization": f"Bearer {service.bearer}"}
    for _ in range(3):
        with pytest.raises(httpx.ReadTimeout), httpx.Client(base_url=address, timeout=0.3, headers=headers) as client:
            client.get(FEED, params={"after": after, "wait_s": 30})
    time.sleep(1.5)  # whether they are still there is looked at every second
    with many_waiting(settings, address, 200, after) as statuses:
        time.sleep(2)
        save(ledger, a_pool(), organization_id=uuid4())
    assert statuses == [200] * 200


def test_a_lost_connection_is_told_and_nothing_is_lost(admin: Admin, ledger: Ledger, service: Api) -> None:
    after = head(ledger, service)
    with ThreadPoolExecutor() as threads:
        waits = threads.submit(service.ask, "GET", FEED, params={"after": after, "wait_s": 20})
        time.sleep(0.5)
        admin.execute(f"SELECT pg_terminate_backend(pid, 5000) {MINE}")
        problem = refused(waits.result(), 503, "unavailable")
    assert "seatledger_app" not in problem["detail"]
    position = save(ledger, a_pool(), organization_id=uuid4()).position
    until(lambda: service.ask("GET", FEED, params={"after": after}).status_code == 200)
    assert [int(event["position"]) for event in all_after(service, after, position)] == [position]


def test_a_server_that_stops_lets_those_go_who_wait(settings: Settings, ledger: Ledger, service: Api) -> None:
    after = head(ledger, service)
    with ThreadPoolExecutor() as threads, httpx.Client(timeout=40) as client:
        with serving(settings) as address:
            client.base_url = address
            waits = threads.submit(asked, replace(service, http=client), after, wait_s=30)
            time.sleep(0.5)
            stopped = time.monotonic()
        assert waits.result() == ([], after)
        assert time.monotonic() - stopped < 5


def test_for_services_and_operators(service: Api) -> None:
    operator = service.of_the_house("operator")
    assert operator.ask("GET", FEED).status_code == 200
    refused(service.in_role("operator").ask("GET", FEED), 403, "not_allowed")


def test_members_do_not_see_what_happens_elsewhere(chris: Api) -> None:
    for member in (chris, chris.as_("ben@contoso.com"), chris.as_("nobody@contoso.com")):
        refused(member.ask("GET", FEED), 403, "not_allowed")
    for role in ("service", "operator", "auditor"):
        refused(chris.in_role(role).ask("GET", FEED), 403, "not_allowed")


@pytest.mark.parametrize(
    "wrong",
    [
        {"after": "-1"},
        {"after": str(2**63)},
        {"after": "1.5"},
        {"limit": "0"},
        {"limit": "1001"},
        {"wait_s": "-1"},
        {"wait_s": "31"},
        {"wait_s": "nan"},
        {"wait_s": "inf"},
        {"topic": "all"},
    ],
)
def test_what_cannot_be_asked(service: Api, wrong: dict[str, str]) -> None:
    refused(service.ask("GET", FEED, params=wrong), 400, "bad_parameter")


def test_before_an_event_that_cannot_be_told_the_feed_stands_and_names_it_until_it_is_skipped(
    url: str, ledger: Ledger, service: Api
) -> None:
    before = head(ledger, service)
    first = save(ledger, a_pool(), organization_id=uuid4()).position
    with psycopg.connect(session(url, role=APP)) as writer:
        metadata = ENVELOPE.model_dump_json().encode()
        row = writer.execute(APPEND, (uuid4(), uuid4(), uuid4(), "seatledger.Later.Thing", metadata)).fetchone()
    assert row is not None
    stuck = int(row[0])
    last = save(ledger, a_pool(), organization_id=uuid4()).position
    assert [int(event["position"]) for event in all_after(service, before, first)] == [first]  # what stands before it
    answer = service.ask("GET", FEED, params={"after": first, "wait_s": 5})
    assert refused(answer, 503, "event_not_tellable")["facts"] == {"position": stuck}
    assert int(answer.headers["Retry-After"]) > 0
    with psycopg.connect(url) as admin, Forks(url) as forks:
        (chain_hash,) = (
            admin.execute("SELECT chain_hash FROM ledger.events WHERE position = %s", (stuck,)).fetchone() or ()
        )
        forks.skip(edition=1, position=stuck, chain_hash=chain_hash, why="of the test", actor_id=uuid4())
    told = all_after(service, first, last)
    assert [(int(event["position"]), event["type"] == "seatledger.skipped.v1") for event in told] == [
        (stuck, True),
        (last, False),
    ]
    placeholder = CloudEvent.model_validate(told[0])
    assert placeholder.data == {}
    with Follower(url, after=first) as follower:
        event, _ = follower.poll()
        ledger_id, epoch = follower.source()
    sent = placeholder_of(event, f"/seatledger/{ledger_id}/{epoch}")  # the same as on Kafka
    assert {
        name: value.decode() for name, value in sent.headers if name in ("ce_id", "ce_sequence", "ce_datasha256")
    } == {f"ce_{name}": told[0][name] for name in ("id", "sequence", "datasha256")}


def test_after_a_fork_the_feed_is_of_the_new_source_at_once(url: str, ledger: Ledger, service: Api) -> None:
    before = head(ledger, service)
    save(ledger, a_pool(), organization_id=uuid4())
    (old,) = {event["source"] for event in all_after(service, before, before + 1)}
    with Forks(url) as forks:
        now = forks.ledger()
        forks.fork(expected=now.epoch, following=now.epoch + 1, why="of the test", actor_id=uuid4())
    (new,) = {event["source"] for event in all_after(service, before, before + 1)}
    assert (old, new) == (f"/seatledger/{now.ledger_id}/1", f"/seatledger/{now.ledger_id}/2")
