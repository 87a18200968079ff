"""The life-cycle run over organizations all of whose subscriptions renew, in as many processes as there are cores.

Each job is the next month. A score counts invoices; with `measure` `memory` it is what the largest process holds.
"""

from __future__ import annotations

import itertools
import resource
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from multiprocessing.connection import Connection
from pathlib import Path

from adapters.garbage import cycles_left_alone
from adapters.payments.sandbox import Sandbox
from adapters.postgres.ledger import open_ledger
from adapters.tax.rates import TaxTable
from bench.crew import READY, crew
from bench.due import BOUGHT_AT, OPERATOR, due_of, handles, renewal_moment
from bench.program import Job, Score, Settings, Work, serve
from bench.workload import FINGERPRINT_KEY
from domain.organization import organization_id_of
from services.advance import Advance, advance_organization
from services.till import Till


def worker(settings: Settings, part: int, orders: Connection) -> None:
    """One process: its share of the organizations, a month at a time, until there are no more orders."""
    now = [BOUGHT_AT]

    def clock() -> datetime:
        return now[0]

    ledger = open_ledger(
        settings["database"],
        pool_size=2,
        clock=clock,
        fingerprint_key=FINGERPRINT_KEY,
        session_name="seatledger bench",
    )
    till = Till(Sandbox(Path(settings["sandbox"]), clock=clock), TaxTable.read(None))
    mine = [organization_id_of(handle) for handle in handles(settings["organizations"])[part :: settings["workers"]]]
    with closing(ledger):
        orders.send(READY)
        while (month := orders.recv()) is not None:
            now[0] = renewal_moment(month)
            invoices = 0
            for organization_id in mine:
                with cycles_left_alone():
                    due = due_of(organization_id, settings["purchases"])
                    done = advance_organization(
                        ledger, till, Advance(actor=OPERATOR), organization_id=organization_id, due=due
                    )
                invoices += done.rounds
            orders.send((invoices, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024))


@contextmanager
def prepare(settings: Settings) -> Iterator[Work]:
    months = itertools.count(1)
    with crew(settings, worker) as order:

        def work(job: Job) -> Score:
            started = time.perf_counter()
            answers = order(next(months))
            seconds = time.perf_counter() - started
            invoices = sum(done for done, _ in answers)
            if invoices != settings["organizations"] * settings["purchases"]:
                raise ValueError(f"{invoices} invoices, not one for each subscription")
            if job.get("measure") == "memory":
                return Score(1000, max(held for _, held in answers))
            return Score(invoices, seconds)

        yield work


if __name__ == "__main__":
    serve(prepare)
