"""What consumers feel: counted when every event came once, and measured in a small way on a real broker."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, cast
from uuid import uuid4

import pytest

from bench import delivery
from bench.arena import DATABASE_URL, arena
from bench.crew import READY
from bench.delivery import LEAD_IN_S, SAVED, Arrivals, arrivals_of, reader, write
from bench.downstream import position_of
from bench.entrants import Programs
from bench.history import Extent, write_purchases
from bench.kept import KeptRounds
from bench.ours.catch_up import growth
from bench.relay_program import Observed
from bench.stage import ledger_at

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from adapters.embedded.kafka import EmbeddedKafka
    from adapters.embedded.postgres import EmbeddedPostgres
    from services.ledger import Ledger
    from services.resize_licenses import ResizeLicenses

EVENTS = 1_200  # three transactions, the last of them not full
COMMANDS = [str(uuid4()) for _ in range(3)]


def come(*commands: str) -> Arrivals:
    return [(command, 1.0) for command in commands]


def test_a_round_is_played_once_for_all_that_is_asked_of_it() -> None:
    rounds, played = KeptRounds[int](), iter(range(100))

    def ask(kind: str, what: str) -> int:
        return rounds.next(kind, what, lambda: next(played))

    assert [ask("one", "half") for _ in range(3)] == [0, 1, 2]
    assert [ask("one", "most") for _ in range(3)] == [0, 1, 2]
    assert ask("another", "half") == 3
    assert ask("one", "most") == 4


def test_growth_is_told_by_the_medians_of_the_first_tenth_and_the_last() -> None:
    assert growth([100.0] * 90 + [110.0] * 10) == pytest.approx(1.1)
    assert growth([50.0, 100.0, 100.0] + [100.0] * 27) == pytest.approx(1.0)  # what it begins with is no growth
    assert growth([80.0]) == 1.0


def test_events_are_waited_for_until_all_came() -> None:
    looks = iter([come(*COMMANDS), [], come(*COMMANDS)])
    assert len(arrivals_of(lambda: next(looks), COMMANDS)) == SAVED * len(COMMANDS)


@pytest.mark.parametrize(
    "came",
    [
        come(*COMMANDS, *COMMANDS[1:]),
        come(*COMMANDS, *COMMANDS, COMMANDS[0]),
        come(*COMMANDS[1:], *COMMANDS, str(uuid4())),
    ],
    ids=["one is lost", "one came again", "another's"],
)
def test_what_did_not_come_once_ends_it(came: Arrivals, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "PATIENCE_S", 0.2)
    looks = iter([came])
    with pytest.raises(ValueError, match="events came, or others than the 6 that were committed"):
        arrivals_of(lambda: next(looks, []), COMMANDS)


def test_writers_keep_the_pace_and_tell_of_every_commit() -> None:
    saved, told = [], []

    class Kept:
        def save(self, *_: object, because: ResizeLicenses, at: object) -> None:
            assert at
            saved.append(str(because.command_id))

    job = {"pace": 100, "seconds": 0.2, "seed": "7"}
    began = time.monotonic()
    committed = write(cast("Ledger", Kept()), job, lambda _, command_id: told.append(str(command_id)))
    assert len(committed) == round(100 * (LEAD_IN_S + 0.2)) / SAVED
    assert set(saved) == set(told) == set(committed)
    assert max(committed.values()) - began >= LEAD_IN_S + 0.2 - 2 * SAVED / 100


def test_a_reader_answers_what_came_since_it_was_asked_last(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(
        cast("dict[str, object]", delivery.READERS), "a reader", lambda *_: iter([[], come("1"), come("2", "3"), []])
    )
    asks = iter([False, True, False, True, False])
    said: list[object] = []

    class Orders:
        def poll(self) -> bool:
            return next(asks)

        def recv(self) -> str:
            return "what came?"

        def send(self, answer: object) -> None:
            said.append(answer)

    reader({"reader": "a reader", "bootstrap": "", "topic": ""}, 0, cast("Connection", Orders()))
    assert said == [READY, come("1", "2", "3"), []]


def test_a_relay_says_when_it_leads_and_once_when_it_is_done() -> None:
    said: list[float] = []
    metrics = Observed(10, said.append)
    metrics.begin("a.topic", None)
    metrics.leads(0)
    metrics.published(9, 12, 9, 0.1)
    assert len(said) == 1
    for position in (12, 12):
        metrics.published(position, 12, 3, 0.1)
    assert len(said) == 2
    assert said == sorted(said)


@pytest.mark.timeout(240)
def test_a_relay_catches_up_in_every_round_and_its_ceilings_send_as_much(
    postgres: EmbeddedPostgres, kafka: EmbeddedKafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(DATABASE_URL, postgres.url)
    with arena() as here, Programs() as programs:
        url = here.database("caught_up")
        with ledger_at(url) as ledger:
            write_purchases(ledger, EVENTS // 2, changes=0, seed=7, tell=lambda _: None)
        settings = {"database": url, "bootstrap": kafka.bootstrap, "until": Extent.of(url).until}
        job = {"events": EVENTS, "every_s": 0.01}
        relay = programs.get("bench.ours.catch_up", settings)
        scores = [relay.play(job) for _ in range(2)]
        assert all(score.done == EVENTS and 0 < score.seconds < 60 for score in scores)
        held = relay.play({**job, "measure": "held"})
        assert 20 < 1000 * held.seconds / held.done < 500
        assert 0.8 < relay.play({**job, "measure": "growth"}).seconds < 3
        part = {**settings, "until": position_of(url, EVENTS // 3)}
        for module in ("bench.ceilings.bare_producer", "bench.ceilings.librdkafka_producer"):
            assert programs.get(module, part).play({"times": 3}).done == EVENTS, module


@pytest.mark.timeout(240)
def test_each_event_is_timed_from_its_commit_to_each_consumer(
    postgres: EmbeddedPostgres, kafka: EmbeddedKafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(DATABASE_URL, postgres.url)
    with arena() as here, Programs() as programs:
        for module, readers in (
            ("bench.ours.deliver", ("kafka-python", "confluent-kafka")),
            ("bench.ceilings.send_at_once", ("confluent-kafka",)),
        ):
            url = here.database(module.rpartition(".")[2])
            program = programs.get(module, {"database": url, "bootstrap": kafka.bootstrap})
            for client in readers:
                job = {"reader": client, "pace": 100, "seconds": 1, "seed": "7"}
                half = program.play({**job, "within": 0.5})
                most = program.play({**job, "within": 0.99})  # of the same round
                assert 0 < half.seconds <= most.seconds < 30
                assert 0 < program.play(job).done <= 100 * (1 + LEAD_IN_S)
