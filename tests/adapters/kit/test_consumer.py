"""Each event has its effect once, in order, with its place; nothing missing or foreign is passed over silently."""

from __future__ import annotations

import threading
import time
from uuid import UUID, uuid4

import psycopg
import pytest

from adapters.kit import (
    Connection,
    Event,
    Later,
    MessageRefused,
    NotInstalled,
    OtherSource,
    SequenceGap,
    Stopped,
    install,
)
from tests.adapters.kafka.conftest import a_database
from tests.adapters.kit.conftest import Desk, note, until
from tests.adapters.kit.memory_topic import (
    ADDED,
    OPAQUE,
    REMOVED,
    history,
    message,
    with_header,
)

ORGANIZATIONS = [UUID(int=number) for number in range(1, 8)]


def positions(events: int, *, opaque: bool = True) -> list[int]:
    """Of those of `history` that are handed out."""
    return [10 + 3 * number for number in range(events) if not opaque or number % 3 != 1]


def test_every_event_has_its_effect_once_in_order_and_opaque_ones_count_only_for_the_sequence(desk: Desk) -> None:
    desk.topic.append(*history(ORGANIZATIONS, 300))
    metrics = desk.catches_up()
    assert desk.effects == positions(300)
    assert (metrics.handled, metrics.passed_over, metrics.duplicates, metrics.waiting) == (200, 100, 0, 0)
    for organization in ORGANIZATIONS:
        sequences = desk.sequences(organization)
        assert sequences == sorted(sequences)
    assert desk.rows("SELECT sum(sequence) FROM kit.sequences") == [(300,)]


def test_a_consumer_goes_on_where_it_stands_and_what_comes_again_is_known(desk: Desk) -> None:
    sent = history(ORGANIZATIONS, 90)
    desk.topic.append(*sent[:50])
    desk.catches_up()
    desk.topic.append(*sent[50:])
    metrics = desk.catches_up()
    assert desk.effects == positions(90)
    assert 0 < metrics.duplicates <= 7  # the last of each partition is read again, to see that the topic is the same
    desk.rows("UPDATE kit.places SET kafka_offset = NULL RETURNING 1")  # all of it comes again
    assert desk.catches_up().duplicates == 90
    assert desk.effects == positions(90)


def test_an_event_carries_what_its_message_says(desk: Desk) -> None:
    got: list[Event] = []
    organization = ORGANIZATIONS[0]
    desk.topic.append(message(organization, 1, 48, topic=ADDED))
    desk.catches_up(handle=lambda event, _: got.append(event))
    (event,) = got
    assert (event.position, event.sequence, event.organization_id) == (48, 1, organization)
    assert (event.type, event.source) == ("seatledger.member.member_added.v1", "/seatledger/a-ledger/1")
    assert (event.effective_at - event.time).days == 1
    assert (event.command_index, event.command_count, event.causation_id) == (0, 1, None)
    assert type(event.data).__name__ == "MemberAdded"


def test_an_event_of_an_unknown_type_is_passed_over_or_handed_out_as_it_is(desk: Desk) -> None:
    later = with_header(message(ORGANIZATIONS[0], 1, 48), "ce_type", "seatledger.member.member_thanked.v1")
    desk.topic.append(later, message(ORGANIZATIONS[0], 2, 51))
    assert desk.catches_up().passed_over == 1
    assert desk.effects == [51]
    got: list[object] = []
    more = desk.consumer(handle=lambda event, _: got.append(event.data), unknown="hand_out")
    more.name = "another"
    desk.consumer().replay(truncate=lambda _: None)
    desk.catches_up(handle=lambda event, _: got.append(event.data), unknown="hand_out")
    assert isinstance(got[0], dict)


def test_a_gap_stops_its_partition_when_what_is_before_it_is_done_and_others_go_on(desk: Desk) -> None:
    one, other = ORGANIZATIONS[0], ORGANIZATIONS[1]
    assert message(one, 1, 1).partition != message(other, 1, 1).partition
    desk.topic.append(message(one, 1, 10), message(one, 2, 20), message(one, 4, 40), message(other, 1, 50))
    with pytest.raises(Stopped) as stopped:
        desk.catches_up()
    (gap,) = stopped.value.errors.values()
    assert isinstance(gap, SequenceGap)
    assert (gap.organization_id, gap.expected, gap.found) == (one, 3, 4)
    assert str(one) in str(gap)
    assert "expected" in str(gap)
    assert desk.effects == [10, 20, 50]
    with pytest.raises(Stopped):  # not the second time either
        desk.catches_up()
    assert desk.effects == [10, 20, 50]


def test_a_running_consumer_tells_of_a_partition_that_stopped_and_goes_on_with_the_others(desk: Desk) -> None:
    one, other = ORGANIZATIONS[0], ORGANIZATIONS[1]
    consumer = desk.consumer()
    desk.topic.append(message(one, 2, 10))
    with pytest.raises(Stopped), desk.running(consumer):  # noqa: PT012 - it ends with what stopped one of its partitions
        until(lambda: consumer.metrics().stopped)
        desk.topic.append(message(other, 1, 50))
        until(lambda: desk.effects == [50])
        (why,) = consumer.metrics().stopped.values()
        assert "sequence 2, and 1 was expected" in why


def test_the_first_event_of_an_organization_is_its_first(desk: Desk) -> None:
    desk.topic.append(message(ORGANIZATIONS[0], 2, 10))
    with pytest.raises(Stopped, match="sequence 2, and 1 was expected"):
        desk.catches_up()


def test_another_ledger_or_epoch_stops_everything_and_says_what_to_do(desk: Desk) -> None:
    desk.topic.append(message(ORGANIZATIONS[0], 1, 10))
    desk.catches_up()
    desk.topic.append(message(ORGANIZATIONS[1], 1, 11, source="/seatledger/a-ledger/2"))
    with pytest.raises(Stopped, match="replay from zero") as stopped:
        desk.catches_up()
    (other,) = stopped.value.errors.values()
    assert isinstance(other, OtherSource)
    assert (other.known, other.found) == ("/seatledger/a-ledger/1", "/seatledger/a-ledger/2")
    assert desk.effects == [10]


@pytest.mark.parametrize(
    ("foreign", "why"),
    [
        (lambda sent: sent._replace(value=None), "tombstone"),
        (lambda sent: sent._replace(headers=[]), "no CloudEvent of a ledger"),
        (lambda sent: with_header(sent, "ce_type", "com.example.order.v1"), "no CloudEvent of a ledger"),
        (lambda sent: with_header(sent, "ce_specversion", "0.3"), "no CloudEvent of a ledger"),
        (lambda sent: with_header(sent, "ce_sequence", "many"), "cannot be read"),
        (lambda sent: with_header(sent, "ce_organizationid", str(UUID(int=5))), "its key is not its organization"),
        (lambda sent: sent._replace(value=b'{"member_id":1}'), "its content is not what was sent"),
        (lambda sent: sent._replace(key=None), "its key is not its organization"),
    ],
)
def test_what_is_no_event_of_a_ledger_is_refused_by_name(desk: Desk, foreign: object, why: str) -> None:
    assert callable(foreign)
    first, second = message(ORGANIZATIONS[0], 1, 10), message(ORGANIZATIONS[0], 2, 20)
    desk.topic.append(first)
    desk.topic.append(foreign(second), partition=first.partition)
    with pytest.raises(Stopped, match=why) as stopped:
        desk.catches_up()
    (refused,) = stopped.value.errors.values()
    assert isinstance(refused, MessageRefused)
    assert f"memory partition {first.partition} offset 2" in str(refused)
    assert desk.effects == [10]


def test_a_message_in_another_partition_than_its_organizations_is_refused(desk: Desk) -> None:
    sent = message(ORGANIZATIONS[0], 1, 10)
    desk.topic.append(sent, partition=(sent.partition + 1) % 12)
    with pytest.raises(Stopped, match=f"its organization's partition is {sent.partition}"):
        desk.catches_up()


def test_what_passes_is_waited_for_and_no_event_is_blamed(desk: Desk) -> None:
    failures = iter(
        [Later("the mail server is away"), psycopg.errors.SerializationFailure(), psycopg.OperationalError()]
    )

    def handle(event: Event, connection: Connection) -> None:
        note(event, connection)
        if (error := next(failures, None)) is not None:
            raise error

    desk.topic.append(*history(ORGANIZATIONS[:1], 5, topics=[REMOVED]))
    metrics = desk.catches_up(handle=handle)
    assert (metrics.retries, metrics.parked, metrics.handled) == (3, 0, 5)
    assert desk.effects == positions(5, opaque=False)


def test_a_consumer_whose_sessions_are_cut_off_again_and_again_does_everything_once(desk: Desk) -> None:
    desk.topic.append(*history(ORGANIZATIONS, 700, topics=[REMOVED]))
    cut = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'kit desk'"

    def handle(event: Event, connection: Connection) -> None:
        note(event, connection)
        time.sleep(0.001)

    consumer = desk.consumer(batch=7, handle=handle)
    with desk.running(consumer):
        for _ in range(10):
            time.sleep(0.05)
            desk.rows(cut)
        until(lambda: len(desk.effects) == 700)
    assert desk.effects == positions(700, opaque=False)


def test_code_that_ends_the_transaction_itself_is_told_so_and_its_event_parked(desk: Desk) -> None:
    def handle(event: Event, connection: Connection) -> None:
        note(event, connection)
        if event.position == 13:
            connection.execute("ROLLBACK")

    desk.topic.append(*history(ORGANIZATIONS[:1], 3, topics=[REMOVED]))
    assert desk.catches_up(handle=handle).parked == 2
    assert desk.effects == [10]
    assert "leave COMMIT and ROLLBACK to the kit" in desk.rows("SELECT error FROM kit.parked WHERE position = 13")[0][0]


def test_memory_is_bounded_a_slow_consumer_pauses_its_source(desk: Desk) -> None:
    desk.topic.append(*history(ORGANIZATIONS[:1], 400, topics=[REMOVED]))
    go_on = threading.Event()
    source = desk.topic.source()

    def handle(event: Event, connection: Connection) -> None:
        go_on.wait(5)
        note(event, connection)

    consumer = desk.consumer(source, handle=handle, queue=40, batch=10)
    with desk.running(consumer):
        until(lambda: source.readers and source.readers[0].pauses)
        time.sleep(0.1)
        assert consumer.metrics().waiting <= 40 + source.at_once
        go_on.set()
        until(lambda: len(desk.effects) == 400)
    assert desk.effects == positions(400, opaque=False)


def test_without_the_kits_tables_a_consumer_says_what_to_call(postgres: object) -> None:
    with a_database(postgres) as url:  # type: ignore[arg-type]
        desk = Desk(url)
        desk.topic.append(message(ORGANIZATIONS[0], 1, 10))
        with pytest.raises(Stopped, match="install") as stopped:
            desk.catches_up()
        assert all(isinstance(error, NotInstalled) for error in stopped.value.errors.values())


def test_the_tables_are_made_once_however_many_make_them(postgres: object) -> None:
    with a_database(postgres) as url:  # type: ignore[arg-type]
        errors: list[BaseException] = []

        def make() -> None:
            try:
                with psycopg.connect(url) as connection:
                    install(connection)
            except BaseException as error:  # noqa: BLE001 - for the test
                errors.append(error)

        threads = [threading.Thread(target=make) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not errors
        make()
        assert not errors


def test_an_opaque_event_alone_moves_the_place(desk: Desk) -> None:
    organization = uuid4()
    desk.topic.append(message(organization, 1, 10, topic=OPAQUE))
    desk.catches_up()
    assert desk.rows("SELECT max(position) FROM kit.places") == [(10,)]
