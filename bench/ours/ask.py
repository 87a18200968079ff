"""What is asked while somebody waits: a quote, and why an invoice comes to what it does."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from uuid import UUID, uuid4

from adapters.payments.sandbox import Sandbox
from adapters.postgres.ledger import open_ledger
from adapters.tax.rates import TaxTable
from bench.due import BOUGHT_AT, handles, id_of
from bench.program import Job, Score, Settings, Work, serve
from bench.workload import FINGERPRINT_KEY, TERMS
from domain.organization import organization_id_of
from services.buy_subscription import BuySubscription
from services.command import Actor
from services.explain_invoice import ExplainInvoice, explain_invoice
from services.ledger import Ledger, offer_id_of
from services.quote import quote
from services.resize_licenses import ResizeLicenses
from services.till import Till


class Asker:
    """A purchaser in each organization in turn."""

    def __init__(self, ledger: Ledger, till: Till, settings: Settings) -> None:
        self.ledger, self.till = ledger, till
        ids = [organization_id_of(handle) for handle in handles(settings["organizations"])]
        numbers = range(1, settings["purchases"] + 1)
        self.purchases = itertools.cycle((one, number) for number in numbers for one in ids)

    def increase(self) -> object:
        organization_id, number = next(self.purchases)
        command = ResizeLicenses(
            organization_id=organization_id,
            command_id=uuid4(),
            actor=self.actor(organization_id, number),
            subscription_id=id_of(organization_id, "subscription", number),
            total=12,
        )
        return quote(self.ledger, self.till, command)

    def purchase(self) -> object:
        organization_id, number = next(self.purchases)
        command = BuySubscription(
            organization_id=organization_id,
            command_id=uuid4(),
            actor=self.actor(organization_id, number),
            offer_id=offer_id_of(TERMS),
            licenses=7,
            billing_profile_id=id_of(organization_id, "billing_profile", number),
        )
        return quote(self.ledger, self.till, command)

    def explanation(self) -> object:
        organization_id, number = next(self.purchases)
        query = ExplainInvoice(
            organization_id=organization_id,
            actor=self.actor(organization_id, number),
            invoice_id=id_of(organization_id, "invoice", number),
        )
        return explain_invoice(self.ledger, query)

    @staticmethod
    def actor(organization_id: UUID, number: int) -> Actor:
        return Actor(id=id_of(organization_id, "member", number), role="purchaser")


@contextmanager
def prepare(settings: Settings) -> Iterator[Work]:
    def clock() -> datetime:
        return BOUGHT_AT

    ledger = open_ledger(
        settings["database"],
        pool_size=1,
        clock=clock,
        fingerprint_key=FINGERPRINT_KEY,
        session_name="seatledger bench",
    )
    with closing(ledger), Sandbox(Path(settings["sandbox"]), clock=clock) as sandbox:
        asker = Asker(ledger, Till(sandbox, TaxTable.read(None)), settings)
        asks: dict[str, Callable[[], object]] = {
            "quote of an increase": asker.increase,
            "quote of a purchase": asker.purchase,
            "explain an invoice": asker.explanation,
        }

        def work(job: Job) -> Score:
            ask = asks[job["what"]]
            started = time.perf_counter()
            for _ in range(job["times"]):
                ask()
            return Score(job["times"], time.perf_counter() - started)

        yield work


if __name__ == "__main__":
    serve(prepare)
