"""What a consumer may rely on, whichever source it reads: in memory, Apache Kafka, the HTTP feed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from adapters.kafka.public_directory import MemberAdded
from adapters.kit import Event
from tests.adapters.kit.conftest import Desk, forget, until
from tests.adapters.kit.stages import Stage, a_stage

if TYPE_CHECKING:
    from adapters.embedded.postgres import EmbeddedPostgres

pytestmark = pytest.mark.enable_socket


@pytest.fixture(scope="module", params=["memory", pytest.param("kafka", marks=pytest.mark.kafka), "feed"])
def stage(
    request: pytest.FixtureRequest, postgres: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stage]:
    """A ledger that all tests write to; each reads the whole of it."""
    kafka = request.getfixturevalue("kafka") if request.param == "kafka" else None
    with a_stage(request.param, postgres, kafka, tmp_path_factory.mktemp("home")) as ready:
        ready.write(members=9, saves=3, organizations=5)
        yield ready


def assert_done_once(desk: Desk, stage: Stage) -> None:
    """The effects are those of the ledger's public events, each once; within an organization in order."""
    rows = desk.rows("SELECT position, organization_id, sequence FROM effects ORDER BY position")
    assert rows == stage.told()
    for organization_id in {row[1] for row in rows}:
        assert desk.sequences(organization_id) == sorted(desk.sequences(organization_id))


def test_all_of_a_ledger_is_carried_out_once_and_a_consumer_goes_on_where_it_stands(desk: Desk, stage: Stage) -> None:
    desk.catches_up(stage.source())
    assert_done_once(desk, stage)
    stage.write(members=1, saves=1)
    metrics = desk.catches_up(stage.source())
    assert_done_once(desk, stage)
    assert metrics.handled <= 2
    assert desk.catches_up(stage.source()).handled == 0


def test_what_a_running_consumer_is_given_arrives(desk: Desk, stage: Stage) -> None:
    consumer = desk.consumer(stage.source())
    with desk.running(consumer):
        for _ in range(2):
            until(lambda: len(desk.effects) == len(stage.told()))
            stage.write(members=2, saves=2)
        until(lambda: len(desk.effects) == len(stage.told()))
    assert_done_once(desk, stage)


def test_replaying_from_zero_does_everything_again_while_the_consumer_runs(desk: Desk, stage: Stage) -> None:
    consumer = desk.consumer(stage.source())
    with desk.running(consumer):
        until(lambda: len(desk.effects) == len(stage.told()))
        consumer.replay(truncate=forget)
        until(lambda: len(desk.effects) == len(stage.told()))
    assert_done_once(desk, stage)


def test_replaying_from_a_position_hands_out_what_is_behind_it(desk: Desk, stage: Stage) -> None:
    desk.catches_up(stage.source())
    middle = desk.effects[30]
    desk.consumer(stage.source()).replay(truncate=forget, from_position=middle)
    desk.catches_up(stage.source())
    assert desk.effects == [told[0] for told in stage.told() if told[0] > middle]


def test_events_have_the_content_that_the_ledger_told(desk: Desk, stage: Stage) -> None:
    told: list[Event] = []
    desk.catches_up(stage.source(), handle=lambda event, _: told.append(event))
    added = [event for event in told if event.type == "seatledger.member.member_added.v1"]
    assert len(added) >= 5 * 27
    assert all(isinstance(event.data, MemberAdded) and event.data.member_id == event.subject for event in added)
