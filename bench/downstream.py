"""What consumers of the topic feel: how long an event is on its way, and how fast a relay that is behind catches up."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg

from adapters.embedded.kafka import why_not_kafka
from adapters.embedded.throw_away import throw_away_kafka
from bench.contest import Cell, Entrant, Target
from bench.stage import Skipped, Stage, purchased_history

PACE = 500  # events a second
PACE_KEPT = 0.95
DELIVERED_ROUNDS, CAUGHT_UP_ROUNDS = 3, 2
HELD_IN_MEMORY = 20_000  # finished messages of the ceilings, which they send again and again
ENOUGH = 200_000  # of them, for the pace of a ceiling
GROWTH = 1.1


def downstream(stage: Stage) -> Iterator[Cell]:
    """From commit to consumer at an even pace, and a relay that begins where a long history is."""
    if missing := why_not_kafka():
        raise Skipped(f"Apache Kafka: {missing}")
    with throw_away_kafka() as kafka:
        yield from delivered(stage, kafka.bootstrap)
        yield from caught_up(stage, kafka.bootstrap)


def delivered(stage: Stage, bootstrap: str) -> Iterator[Cell]:
    """Milliseconds from a commit to a consumer under read_committed, against one who sends without a relay."""
    relay, at_once = (
        Entrant(name, module, {"database": stage.arena.database(database), "bootstrap": bootstrap})
        for name, module, database in (
            ("relay", "bench.ours.deliver", "delivered"),
            ("sent at once", "bench.ceilings.send_at_once", "sent_at_once"),
        )
    )
    for reader in ("kafka-python", "confluent-kafka"):
        job = {"reader": reader, "pace": PACE, "seconds": stage.scale.delivered_s}
        for share in (0.5, 0.99):
            name, within = f"commit to {reader}, {share:.0%} within", {**job, "within": share}
            yield Cell("downstream", name, "ms", relay, (at_once,), within, better="lower", rounds=DELIVERED_ROUNDS)
        name, kept = f"committed meanwhile, of {PACE}", (Target(PACE_KEPT * PACE),)
        yield Cell("downstream", f"{name}, {reader}", "events/s", relay, (), job, kept, rounds=DELIVERED_ROUNDS)


def caught_up(stage: Stage, bootstrap: str) -> Iterator[Cell]:
    """A relay as a process from the first event to the last, against producers of finished messages."""
    events = stage.scale.caught_up
    url, extent = purchased_history(stage, "caught_up", events // 2)
    settings = {"database": url, "bootstrap": bootstrap}
    part = min(HELD_IN_MEMORY, events)
    ours = Entrant("relay", "bench.ours.catch_up", {**settings, "until": extent.until})
    bare, librdkafka = (
        Entrant(name, module, {**settings, "until": position_of(url, part)}, {"times": min(events, ENOUGH) // part})
        for name, module in (
            ("bare producer", "bench.ceilings.bare_producer"),
            ("librdkafka", "bench.ceilings.librdkafka_producer"),
        )
    )
    job: dict[str, Any] = {"events": events, "every_s": min(1.0, events / 100_000)}
    name, promised = f"catch-up of {events:,} events", (Target(0.8, bare.name),)
    yield Cell(
        "downstream", name, "events/s", ours, (bare, librdkafka), job, promised, rounds=CAUGHT_UP_ROUNDS, cold=True
    )
    for measure, what, unit, targets in (
        ("held", "what the process holds at most", "MiB", ()),
        ("growth", "what it holds in the last tenth", "times the first tenth", (Target(GROWTH),)),
    ):
        yield Cell(
            "downstream",
            f"{name}, {what}",
            unit,
            ours,
            (),
            {**job, "measure": measure},
            targets,
            better="lower",
            rounds=CAUGHT_UP_ROUNDS,
            cold=True,
        )


def position_of(url: str, number: int) -> int:
    """Where the event stands that so many are told with."""
    with psycopg.connect(url) as connection:
        query = "SELECT position FROM ledger.events ORDER BY position OFFSET %s LIMIT 1"
        row: Any = connection.execute(query, (number - 1,)).fetchone()
        return int(row[0])
