"""All contests, section by section: what is prepared for them, who takes part, what is promised."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from adapters.embedded.kafka import why_not_kafka
from adapters.embedded.throw_away import throw_away_kafka
from adapters.payments.sandbox import Sandbox
from bench.contest import Cell, Entrant, Target
from bench.downstream import downstream
from bench.due import BOUGHT_AT, write_due
from bench.history import Extent, go_on, write_held_pool, write_purchases, write_resized_pool
from bench.packs import packs
from bench.replay import replay
from bench.seals import seals
from bench.served import CHANGED, write_served
from bench.stage import Section, Skipped, Stage, ledger_at, purchased_history
from bench.workload import BENCH
from services.ledger import SNAPSHOT_EVERY

THREADS = 8
LIBRARY_EVENTS = 100
WORKERS = 2  # processes of a run
PURCHASES = 200  # of an organization that falls due
LONG, LONG_ROUNDS = 20_000, 2
MEMORY_MIB = 200
PAGE = 50  # of a list


def append(stage: Stage) -> Iterator[Cell]:
    """Saves in 8 threads: against the library's own recorder and a plain INSERT, as the disk is and at 2 ms a flush."""
    for disk, slow, to_library, to_insert in (("as the disk is", False, 2.2, 0.45), ("2 ms a flush", True, 6.0, 0.75)):
        url = stage.arena.database("slow_flush" if slow else "as_is", slow_flush=slow)
        settings = {"database": url, "threads": THREADS}
        ours = Entrant("ledger", "bench.ours.append", settings)
        opponents = (
            Entrant("library's recorder", "bench.ceilings.library_recorder", settings),
            Entrant("plain INSERT", "bench.ceilings.plain_insert", settings),
        )
        promised = (Target(to_library, "library's recorder"), Target(to_insert, "plain INSERT"))

        def cell(name: str, targets: tuple[Target, ...] = (), **job: Any) -> Cell:
            usual = {"threads": THREADS, "seconds": stage.scale.seconds, "spread": "uniform", "events": 1}
            job = {**usual, **job}
            # The library sends a save as a pipeline, and hangs for ever where that is larger than the socket's buffers.
            able = [one for one in opponents if one.name == "plain INSERT" or job["events"] <= LIBRARY_EVENTS]  # noqa: B023
            return Cell("append", f"{name}, {disk}", "saves/s", ours, tuple(able), job, targets)  # noqa: B023

        yield cell("many organizations", promised)
        yield cell("skewed organizations", spread="zipf")
        yield cell("one hot organization", spread="hot")
        for events in (10, 100, 1000):
            yield cell(f"{events:,} events a save", events=events)


def rebuild(stage: Stage) -> Iterator[Cell]:
    """The read table of purchases from the beginning of history, against a transaction for each event and raw COPY."""
    for name, changes in (("purchases", 0), ("purchases, 8 changes of each", 8)):
        url = stage.arena.database(f"purchases_{changes}")
        with ledger_at(url) as ledger:
            tell = stage.preparing(f"a history of {name}")
            write_purchases(ledger, stage.scale.purchases // (1 + changes), changes=changes, seed=stage.seed, tell=tell)
        extent = Extent.of(url)
        settings = {"database": url, "folded": extent.folded}
        one_by_one = "bench.ceilings.one_event_per_transaction"
        opponents = [
            Entrant("event per transaction", one_by_one, {**settings, "synchronous_commit": "on"}),
            Entrant("the same, commits do not wait", one_by_one, {**settings, "synchronous_commit": "off"}),
        ]
        targets = [Target(30, "event per transaction")]
        if not changes:
            opponents.append(Entrant("raw COPY", "bench.ceilings.raw_copy", settings))
            targets.append(Target(0.2, "raw COPY"))
        job = {**extent._asdict(), "few": stage.scale.few}
        ours = Entrant("rebuild", "bench.ours.rebuild", settings)
        yield Cell("rebuild", f"rebuild of {name}", "folded events/s", ours, tuple(opponents), job, tuple(targets))


def follow(stage: Stage) -> Iterator[Cell]:
    """What follows history, against a loop that fetches the same columns."""
    url, extent = purchased_history(stage, "followed", stage.scale.purchases)
    settings = {"database": url}
    ceiling = Entrant("raw fetch", "bench.ceilings.raw_fetch", settings)
    job = {"events": extent.events, "batch": 1000}
    ours = Entrant("follower", "bench.ours.follow", settings)
    yield Cell("follow", "follower", "events/s", ours, (ceiling,), job, (Target(0.5, "raw fetch"),))
    decoding = Entrant("follower", "bench.ours.follow", settings, {"decode": True})
    yield Cell("follow", "follower, and into domain events", "events/s", decoding, (ceiling,), job)


def relay(stage: Stage) -> Iterator[Cell]:
    """The relay to Apache Kafka, against the bare producer with the same messages, batches and transactions."""
    if missing := why_not_kafka():
        raise Skipped(f"Apache Kafka: {missing}")
    url, extent = purchased_history(stage, "relayed", stage.scale.relayed // 2)
    with throw_away_kafka() as kafka:
        settings = {"database": url, "bootstrap": kafka.bootstrap, "until": extent.until}
        ours = Entrant("relay", "bench.ours.relay", settings)
        ceiling = Entrant("bare producer", "bench.ceilings.bare_producer", settings)
        job = {"events": extent.events}
        yield Cell(
            "relay", f"relay to {kafka.kind}", "events/s", ours, (ceiling,), job, (Target(0.8, "bare producer"),)
        )


def load(stage: Stage) -> Iterator[Cell]:
    """Aggregates with much behind them, each loaded through its snapshot."""
    url, many = stage.arena.database("loaded"), stage.scale.many
    settings = {"database": url}

    def loading(name: str, kept: Any) -> Entrant:
        job = {"organization_id": str(kept.organization_id), "pool_id": str(kept.pool_id), "version": kept.version}
        return Entrant(name, "bench.ours.load", settings, job)

    def cell(name: str, ours: Entrant, opponents: tuple[Entrant, ...], targets: tuple[Target, ...]) -> Cell:
        return Cell("load", name, "ms a load", ours, opponents, {"loads": stage.scale.loads}, targets, better="lower")

    behind = f"{SNAPSHOT_EVERY} events after its snapshot"  # as many as a load leaves without a new one
    with ledger_at(url) as ledger:
        held = write_held_pool(ledger, many, stage.preparing(f"a pool with {many:,} holders"))
        yield cell(f"pool with {many:,} holders", loading("load", go_on(ledger, held, 0)), (), (Target(40),))
        held = go_on(ledger, held, SNAPSHOT_EVERY)
        yield cell(f"pool with {many:,} holders, {behind}", loading("load", held), (), ())
        few = loading("100 events", write_resized_pool(ledger, 100, stage.preparing("a pool with 100 events")))
        resized = write_resized_pool(ledger, many, stage.preparing(f"a pool with {many:,} events"))
        fresh = loading("load", go_on(ledger, resized, 0))
        yield cell(f"pool with {many:,} events", fresh, (few,), (Target(3, "100 events"),))
        late = loading("load", go_on(ledger, resized, SNAPSHOT_EVERY))
        yield cell(f"pool with {many:,} events, {behind}", late, (few,), (Target(3, "100 events"),))


def renew(stage: Stage) -> Iterator[Cell]:
    """The life-cycle run where everything is due, against the saves and charges that it cannot do without."""
    with ExitStack() as stack:
        entrants = {}
        for due in stage.scale.due:
            settings = due_history(stage, stack.enter_context(sandbox_folder()), due)
            entrants[due] = ours = Entrant("run", "bench.ours.renew", settings)
            ceiling = Entrant("saves and charges", "bench.ceilings.saves_and_charges", settings)
            long = LONG_ROUNDS if due > LONG else None
            yield Cell("renew", f"{due:,} due", "invoices/s", ours, (ceiling,), rounds=long)
            yield Cell("renew", f"{due:,} due", "invoices/s", ours, (), targets=(Target(1_500),), rounds=long)
            memory = Target(MEMORY_MIB) if due == max(stage.scale.due) else None
            yield Cell(
                "renew",
                f"{due:,} due, the larger process",
                "MiB",
                ours,
                (),
                {"measure": "memory"},
                (memory,) if memory else (),
                better="lower",
                rounds=1,
            )
        few, many = min(entrants), max(entrants)
        first = entrants[few]._replace(name=f"{few:,} due")
        yield Cell(
            "renew",
            f"growth to {many:,} due",
            "ms an invoice",
            entrants[many],
            (first,),
            targets=(Target(1.3, first.name),),
            better="lower",
            rounds=LONG_ROUNDS,
        )


def ask(stage: Stage) -> Iterator[Cell]:
    """A quote, and the explanation of an invoice, where many subscriptions are."""
    with ExitStack() as stack:
        settings = due_history(stage, stack.enter_context(sandbox_folder()), max(stage.scale.due))
        for what, target in (("quote of an increase", 1), ("quote of a purchase", 1), ("explain an invoice", 50)):
            ours = Entrant("ask", "bench.ours.ask", settings, {"what": what})
            job = {"times": stage.scale.loads * 20}
            yield Cell("ask", what, "ms each", ours, (), job, (Target(target),), better="lower")


def serve(stage: Stage) -> Iterator[Cell]:
    """The HTTP API: reads against a bare route, commands against the same services without HTTP."""
    with ExitStack() as stack:
        settings = served_history(stage, stack.enter_context(sandbox_folder()))
        ours = Entrant("API", "bench.ours.serve", settings)
        bare = Entrant("bare route", "bench.ceilings.bare_route", settings)
        called = Entrant("services called", "bench.ceilings.services_called", settings)
        promised = (Target(0.5, bare.name),)
        for what, name, ceiling, targets in (
            ("list", f"a page of {PAGE} purchases", bare, promised),
            ("one", "one purchase", bare, promised),
            ("assign", "assign a license", called, ()),
            ("resize", "add a license, charged", called, ()),
        ):
            job = {"what": what, "seconds": stage.scale.seconds}
            many, alone = {**job, "connections": THREADS}, {**job, "connections": 1}
            yield Cell("serve", f"{name}, {THREADS} at a time", "requests/s", ours, (ceiling,), many, targets)
            for share in (0.5, 0.99):
                title, within = f"{name}, alone, {share:.0%} within", {**alone, "within": share}
                yield Cell("serve", title, "ms", ours, (ceiling,), within, better="lower")


def served_history(stage: Stage, folder: Path) -> dict[str, Any]:
    """A database with so many subscriptions, bought today, and a home for the API."""
    organizations = max(2, stage.scale.served // PURCHASES)
    settings: dict[str, Any] = {
        "database": stage.arena.database("served"),
        "home": str(folder),
        "organizations": organizations,
        "purchases": stage.scale.served // organizations,
        "charged": min(CHANGED, stage.scale.served) // organizations,
    }
    now = datetime.now(UTC)
    with ledger_at(settings["database"]) as ledger, Sandbox(folder / "sandbox.sqlite", clock=lambda: now) as sandbox:
        settings["token"] = sandbox.store("tok_visa", owner_id=BENCH, organization_id=BENCH).token
        write_served(ledger, settings, now, stage.preparing(f"{stage.scale.served:,} subscriptions"))
    return settings


def audit(stage: Stage) -> Iterator[Cell]:
    """Seals, proofs, and what auditors take along."""
    yield from seals(stage)
    yield from packs(stage)


@contextmanager
def sandbox_folder() -> Iterator[Path]:
    """Where a sandbox keeps what it knows for as long as it is measured."""
    with tempfile.TemporaryDirectory(prefix="seatledger-bench.") as folder:
        yield Path(folder)


def due_history(stage: Stage, folder: Path, due: int) -> dict[str, Any]:
    """A database in which so many subscriptions renew in every month, and a sandbox that knows their card."""
    url = stage.arena.database(f"due_{due}_{folder.name[-6:].lower()}")
    organizations = max(WORKERS, due // PURCHASES)
    purchases = due // organizations
    with ledger_at(url, BOUGHT_AT) as ledger, Sandbox(folder / "sandbox.sqlite", clock=lambda: BOUGHT_AT) as sandbox:
        card = sandbox.store("tok_visa", owner_id=BENCH, organization_id=BENCH)
        tell = stage.preparing(f"{due:,} subscriptions that fall due")
        write_due(ledger, organizations=organizations, purchases=purchases, token=card.token, tell=tell)
    return {
        "database": url,
        "sandbox": str(folder / "sandbox.sqlite"),
        "token": card.token,
        "organizations": organizations,
        "purchases": purchases,
        "workers": WORKERS,
    }


SECTIONS: dict[str, Section] = {
    "append": append,
    "rebuild": rebuild,
    "follow": follow,
    "relay": relay,
    "downstream": downstream,
    "load": load,
    "replay": replay,
    "renew": renew,
    "ask": ask,
    "serve": serve,
    "audit": audit,
}
