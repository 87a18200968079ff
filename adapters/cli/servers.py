"""migrate, relay, projector, status."""

from __future__ import annotations

import signal
import threading

from adapters.cli.answer import Answer, plural
from adapters.cli.groups import root
from adapters.cli.verb import Call, verb
from adapters.workers import projector as projector_worker
from adapters.workers import relay as relay_worker


@verb(root, "migrate", org=False)
def migrate(call: Call) -> Answer:
    """Brings the database to this version's tables; safe to run twice, and at the same time.

    Example: `SEATLEDGER_MIGRATION_DATABASE_URL=postgresql://owner@host/seatledger seatledger migrate`
    """
    applied = call.house.migrate()
    done = f"{plural(len(applied), 'migration')} applied: {', '.join(applied)}" if applied else "nothing to migrate"
    return Answer({"applied": applied}, done)


@verb(root, "relay", org=False)
def relay(call: Call) -> Answer | None:
    """Publishes the ledger's events to Kafka, until SIGINT or SIGTERM; one leads, others stand by.

    Example: `SEATLEDGER_KAFKA_BOOTSTRAP=kafka:9092 seatledger relay`
    """
    settings = relay_worker.RelaySettings(
        database_url=call.house.database_url, kafka_bootstrap=call.house.broker.bootstrap
    )
    return Answer({}, [], exit_code=relay_worker.run_as_process(settings))


@verb(root, "projector", org=False)
def projector(call: Call) -> Answer | None:
    """Keeps the read tables up with history, until SIGINT or SIGTERM.

    Example: `seatledger projector`
    """
    stop = threading.Event()
    url = call.house.database_url
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    projector_worker.run(url, stop)
    return None
