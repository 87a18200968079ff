"""What a renewal run cannot do without: two saves of finished events for each chunk, and a charge for each invoice.

No load, no decision, no event is made: the bytes are ready. As many events of as many bytes as the run tells.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import cast
from uuid import UUID, uuid4

from eventsourcing.persistence import StoredEvent

from adapters.payments.sandbox import Sandbox
from adapters.postgres.ledger import open_ledger
from bench.crew import READY, crew
from bench.due import BOUGHT_AT, OPERATOR, WriteHistory
from bench.program import Job, Score, Settings, Work, serve
from bench.workload import FINGERPRINT_KEY
from services.advance import CHUNK
from services.ledger import envelopes
from services.ports import Recorder
from services.ports_payments import ChargeRequest, PaymentHandle

TOPIC = "seatledger.Organization.SimulationAdvanced"  # the shortest payload there is
FIRST, SECOND = (590, 1_320, 150, 590, 600), (420, 190)  # bytes of the events of a renewal, and of its payment


def worker(settings: Settings, part: int, orders: Connection) -> None:
    """One process with its share of the chunks."""
    ledger = open_ledger(
        settings["database"],
        pool_size=2,
        clock=lambda: BOUGHT_AT,
        fingerprint_key=FINGERPRINT_KEY,
        session_name="seatledger bench ceiling",
    )
    sandbox = Sandbox(Path(settings["sandbox"]), clock=lambda: BOUGHT_AT)
    chunks = settings["organizations"] * settings["purchases"] // CHUNK
    mine = range(part, chunks, settings["workers"])
    recorder = cast("Recorder", ledger.recorder)
    with closing(ledger):
        orders.send(READY)
        while orders.recv() is not None:
            for _ in mine:
                organization_id = uuid4()
                save(recorder, organization_id, FIRST)
                for _ in range(CHUNK):
                    handle = PaymentHandle(uuid4(), 1, settings["token"], BOUGHT_AT)
                    sandbox.charge(ChargeRequest(handle, 14_000, "USD", on_session=False, description="bench"))
                save(recorder, organization_id, SECOND)
            orders.send(len(mine) * CHUNK)


def save(recorder: Recorder, organization_id: UUID, sizes: tuple[int, ...]) -> None:
    command = WriteHistory(organization_id=organization_id, command_id=uuid4(), actor=OPERATOR, part=0)
    events = [
        StoredEvent(uuid4(), 1, TOPIC, b'{"advanced_to":"%b"}' % (b"0" * size)) for _ in range(CHUNK) for size in sizes
    ]
    recorder.append(
        events,
        organization_id=organization_id,
        command_id=command.command_id,
        step="",
        fingerprint=b"\x01" * 33,
        metadata=envelopes(command, "", len(events), BOUGHT_AT, BOUGHT_AT),
        seen=(),
        facts=(),
    )


@contextmanager
def prepare(settings: Settings) -> Iterator[Work]:
    with crew(settings, worker) as order:

        def work(job: Job) -> Score:
            started = time.perf_counter()
            done = sum(order(job["seed"]))
            return Score(done, time.perf_counter() - started)

        yield work


if __name__ == "__main__":
    serve(prepare)
