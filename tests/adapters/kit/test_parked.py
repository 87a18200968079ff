"""An event that cannot be handled waits with all later ones of its organization; nobody else waits for it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from hashlib import sha256
from uuid import UUID

import pytest
from typer.testing import CliRunner

from adapters.kafka.cloud_event import DATA_HASH
from adapters.kafka.public_events import SKIPPED_TYPE
from adapters.kafka.public_mapper import EMPTY
from adapters.kit import Connection, Event, NotParked, discard_parked, parked, retry_parked
from adapters.kit.__main__ import app
from tests.adapters.kit.conftest import Desk, forget, note, until
from tests.adapters.kit.memory_topic import REMOVED, history, message, with_header

SICK, WELL = UUID(int=1), UUID(int=2)
NEIGHBOUR = next(
    one for number in range(3, 99) if message(one := UUID(int=number), 1, 1).partition == message(SICK, 1, 1).partition
)


class Poisoned(Exception):
    """What it raises."""


def poisoned(*positions: int) -> Callable[[Event, Connection], None]:
    """Has the effect, and fails after it at these positions."""

    def handle(event: Event, connection: Connection) -> None:
        note(event, connection)
        if event.position in positions:
            raise Poisoned(f"position {event.position} does not agree with me")

    return handle


def waiting(desk: Desk) -> list[tuple[int, bool]]:
    """Positions, and whether they failed themselves."""
    with desk.connection as connection:
        return [(one.position, one.error is not None) for one in parked(connection, "desk")]


def send(desk: Desk, organization: UUID, *sequences: int) -> None:
    for sequence in sequences:
        desk.topic.append(message(organization, sequence, 100 * sequence + organization.int))


def test_after_its_attempts_it_is_parked_and_its_organization_waits_behind_it_and_others_go_on(desk: Desk) -> None:
    send(desk, SICK, 1, 2, 3)
    send(desk, NEIGHBOUR, 4)
    desk.topic.messages.clear()
    for sequence in (1, 2, 3):
        send(desk, SICK, sequence)
        send(desk, NEIGHBOUR, sequence)
        send(desk, WELL, sequence)
    metrics = desk.catches_up(handle=poisoned(201))
    assert desk.sequences(SICK) == [1]
    assert desk.sequences(NEIGHBOUR) == desk.sequences(WELL) == [1, 2, 3]
    assert waiting(desk) == [(201, True), (301, False)]
    assert (metrics.parked, metrics.handled, metrics.retries) == (2, 7, 2)
    with desk.connection as connection:
        first = parked(connection, "desk", SICK)[0]
    assert (first.attempts, first.error) == (3, "Poisoned: position 201 does not agree with me")
    send(desk, SICK, 4)
    assert desk.catches_up().parked == 1  # also when the code is mended by now: order comes first
    assert desk.sequences(SICK) == [1]


def test_an_event_that_was_skipped_waits_for_somebody_who_knows_what_it_was(desk: Desk) -> None:
    send(desk, SICK, 1)
    hidden = message(SICK, 2, 201)._replace(value=EMPTY)
    hidden = with_header(hidden, "ce_type", SKIPPED_TYPE.name)
    desk.topic.append(with_header(hidden, DATA_HASH, sha256(EMPTY).hexdigest()))
    send(desk, SICK, 3)
    send(desk, WELL, 1)
    desk.catches_up()
    assert (desk.sequences(SICK), desk.sequences(WELL)) == ([1], [1])
    assert waiting(desk) == [(201, True), (301, False)]
    with desk.connection as connection:
        assert retry_parked(connection, "desk", note).handled == 0
        discard_parked(connection, "desk", 201, because="it was a change of a name")
        assert retry_parked(connection, "desk", note).handled == 1
    assert desk.sequences(SICK) == [1, 3]


def test_what_fails_at_first_and_then_succeeds_is_not_parked(desk: Desk) -> None:
    attempts: list[int] = []

    def handle(event: Event, connection: Connection) -> None:
        note(event, connection)
        attempts.append(event.position)
        if event.position == 201 and attempts.count(201) < 4:  # the first time with all others of its transaction
            raise Poisoned

    send(desk, SICK, 1, 2, 3)
    assert desk.catches_up(handle=handle).parked == 0
    assert desk.sequences(SICK) == [1, 2, 3]


def test_retrying_keeps_the_order_and_ends_at_the_next_failure(desk: Desk) -> None:
    send(desk, SICK, 1, 2, 3, 4, 5)
    desk.catches_up(handle=poisoned(201))
    with desk.connection as connection:
        again = retry_parked(connection, "desk", poisoned(401))
        assert (again.handled, [one.position for one in again.failed]) == (2, [401])
        assert desk.sequences(SICK) == [1, 2, 3]
        assert waiting(desk) == [(401, True), (501, False)]
        assert retry_parked(connection, "desk", note).handled == 2
    assert desk.sequences(SICK) == [1, 2, 3, 4, 5]
    send(desk, SICK, 6)
    desk.catches_up()
    assert desk.sequences(SICK) == [1, 2, 3, 4, 5, 6]


def test_retrying_while_new_events_come_keeps_the_order(desk: Desk) -> None:
    send(desk, SICK, *range(1, 60))
    desk.catches_up(handle=poisoned(201))
    over = threading.Event()

    def keep_retrying() -> None:
        with desk.connection as connection:
            while not over.is_set():
                retry_parked(connection, "desk", note)

    consumer = desk.consumer(desk.topic.source(), batch=3)
    retrying = threading.Thread(target=keep_retrying)
    with desk.running(consumer):
        retrying.start()
        for sequence in range(60, 200):
            send(desk, SICK, sequence)
            time.sleep(0.002)
        until(lambda: len(desk.sequences(SICK)) == 199)
        over.set()
        retrying.join()
    assert desk.sequences(SICK) == list(range(1, 200))


def test_what_is_given_up_is_recorded_and_the_rest_can_be_retried(desk: Desk) -> None:
    send(desk, SICK, 1, 2, 3)
    desk.catches_up(handle=poisoned(201))
    with desk.connection as connection:
        discard_parked(connection, "desk", 201, because="sent twice by hand")
        with pytest.raises(NotParked):
            discard_parked(connection, "desk", 201, because="again")
        assert retry_parked(connection, "desk", note).handled == 1
    assert desk.sequences(SICK) == [1, 3]
    rows = desk.rows("SELECT position, attempts, because, discarded_by, type FROM kit.discarded")
    assert rows == [(201, 3, "sent twice by hand", "postgres", "seatledger.member.member_removed.v1")]


def test_content_that_is_none_of_its_type_is_parked_like_anything_that_cannot_be_handled(desk: Desk) -> None:
    other = message(SICK, 1, 101)
    hash_of_nothing = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
    desk.topic.append(with_header(other._replace(value=b"{}"), "ce_datasha256", hash_of_nothing))

    def reads(event: Event, connection: Connection) -> None:
        assert event.data
        note(event, connection)

    assert desk.catches_up(handle=reads).parked == 1
    assert desk.rows("SELECT error LIKE 'ValidationError%%' FROM kit.parked") == [(True,)]


def test_a_replay_forgets_what_waits_for_it_comes_again(desk: Desk) -> None:
    send(desk, SICK, 1, 2, 3)
    desk.catches_up(handle=poisoned(201))
    desk.consumer().replay(truncate=forget)
    assert waiting(desk) == []
    desk.catches_up()
    assert desk.sequences(SICK) == [1, 2, 3]


def test_the_console_lists_retries_and_discards(desk: Desk) -> None:
    desk.topic.append(*history([SICK], 4, topics=[REMOVED]))
    desk.catches_up(handle=poisoned(13))
    run = CliRunner().invoke
    whose = ["--database", desk.url, "--consumer", "desk"]
    listed = run(app, ["parked", "list", *whose])
    assert listed.exit_code == 0, listed.output
    assert [line.split()[0] for line in listed.output.splitlines()] == ["13", "16", "19"]
    assert "does not agree" in listed.output
    assert run(app, ["parked", "discard", "13", "--because", "obsolete", *whose]).exit_code == 0
    assert run(app, ["parked", "discard", "13", "--because", "obsolete", *whose]).exit_code == 1
    handled = run(app, ["parked", "retry", "--handle", "tests.adapters.kit.conftest:note", *whose])
    assert handled.output == "handled 2, still waiting 0\n"
    assert run(app, ["parked", "retry", "--handle", "tests.adapters.kit.conftest:nothing", *whose]).exit_code == 2
    assert run(app, ["places", *whose]).output.split()[:2] == ["/seatledger/a-ledger/1", "partition"]
