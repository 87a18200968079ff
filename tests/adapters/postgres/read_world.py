"""A ledger on a real PostgreSQL, and short ways to make things happen in it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid5

import psycopg
from psycopg.conninfo import make_conninfo

from adapters.postgres.ledger import open_ledger
from adapters.postgres.migrate import migrate
from adapters.postgres.reads import ReadModels
from adapters.postgres.reads_billing import BillingReads
from adapters.postgres.reads_due_work import DueWorkReads, HoldingReads
from adapters.postgres.reads_invoices import InvoiceReads
from adapters.postgres.reads_movements import MovementReads
from adapters.postgres.reads_purchases import PurchaseReads
from domain.billing_profile import BillingProfile
from domain.calendar import Period, add_months, utc_date
from domain.invoice import Invoice
from domain.invoice_line import Removal
from domain.kernel import Aggregate
from domain.license_pool import LicensePool
from domain.member import Member
from domain.subscription import Subscription
from services.command import Actor, Command
from tests.examples import (
    A_BILLING_PROFILE,
    BEN,
    CHRIS,
    POWER_BI_PRO,
    PURCHASED_AT,
    adding_a_card,
    an_id,
    buying,
    issuing,
    opening,
    requesting,
)

if TYPE_CHECKING:
    from adapters.embedded.postgres import EmbeddedPostgres

ROOT = Path(__file__).parents[3]
NUMBERS = count(1)
CONTOSO_ID, FABRIKAM_ID = an_id(901), an_id(902)
PROJECTOR = "import sys, threading; from adapters.workers.projector import run; run(sys.argv[1], threading.Event())"


class Tell(Command):
    """A command that says nothing but who and where."""


class World:
    """One database: what happens in it, and what is read from it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.at = PURCHASED_AT
        self.ledger = open_ledger(url, pool_size=4, clock=lambda: self.at, fingerprint_key=b"k" * 32)
        self.models = ReadModels(url)
        self.purchases = PurchaseReads(self.models)
        self.holdings = HoldingReads(self.models)
        self.due_work = DueWorkReads(self.models)
        self.invoices = InvoiceReads(self.models)
        self.billing = BillingReads(self.models)
        self.movements = MovementReads(self.models)

    @property
    def cycle(self) -> Period:
        """The month that begins today."""
        today = utc_date(self.at)
        return Period(start=today, end=add_months(today, 1))

    def tell(self, *aggregates: Aggregate, of: UUID = CONTOSO_ID, at: datetime | None = None) -> int:
        """Saves what the aggregates have told, and answers its position."""
        command = Tell(
            organization_id=of,
            command_id=uuid5(of, f"command {next(NUMBERS)}"),
            actor=Actor(id=CHRIS, role="purchaser"),
        )
        return self.ledger.save(*aggregates, because=command, at=at or self.at).position

    def buy(self, number: int, *, of: UUID = CONTOSO_ID, **otherwise: Any) -> tuple[Subscription, LicensePool, int]:
        """A purchase of Power BI Pro or what is said otherwise, an hour after the one before."""
        self.at += timedelta(hours=1)
        ids = {"id": uuid5(of, f"subscription {number}"), "pool_id": uuid5(of, f"pool {number}")}
        subscription = buying(**{**ids, "at": self.at, **otherwise})()
        total = otherwise.get("licenses", 3)
        cycle = {"cycle": self.cycle, "invoice_id": uuid5(of, f"invoice {number}")}
        pool = opening(id=subscription.pool_id, subscription_id=subscription.id, total=total, at=self.at, **cycle)
        return subscription, pool, self.tell(subscription, pool, of=of)

    def open_profile(self, number: int, *, of: UUID = CONTOSO_ID, owner_id: UUID = CHRIS) -> BillingProfile:
        """A billing profile with a card of its own."""
        ids = {"id": uuid5(of, f"profile {number}"), "payment_method_id": uuid5(of, f"card {number}")}
        method = adding_a_card(id=ids["payment_method_id"], owner_id=owner_id)()
        profile: BillingProfile = A_BILLING_PROFILE.func(**{**A_BILLING_PROFILE.keywords, **ids, "owner_id": owner_id})
        method.attach(profile.id)
        self.tell(method, profile, of=of)
        return profile

    def invoice(self, profile: BillingProfile, issued_on: date, *, of: UUID = CONTOSO_ID) -> tuple[Invoice, int]:
        """An invoice of the profile over 42.00, and its position."""
        invoice_id = uuid5(profile.id, f"invoice {profile.invoices}")
        number = profile.number_invoice(invoice_id, settled=())
        facts: dict[str, Any] = {"billing_profile_id": profile.id, "number": number, "issued_on": issued_on}
        invoice = issuing(id=invoice_id, **facts)()
        return invoice, self.tell(profile, invoice, of=of)

    def bill(self, number: int, *, of: UUID = CONTOSO_ID) -> int:
        """A profile with an invoice that is paid, or not, and a part of it given back."""
        profile = self.open_profile(number, of=of)
        profile.grant(BEN, "reader")
        invoice, _ = self.invoice(profile, utc_date(self.at), of=of)
        payment = requesting(id=uuid5(of, f"payment {number}"), billing_profile_id=profile.id)()
        invoice.start_collection(payment.id, 4_200)
        if number % 3 == 2:
            payment.decline("insufficient_funds")
            invoice.fail_collection(payment.id, "insufficient_funds", utc_date(self.at))
        else:
            payment.capture("reference")
            invoice.receive(payment.id, 4_200)
            note = {"credit_note_id": uuid5(of, f"note {number}"), "issued_on": utc_date(self.at)}
            removals = [Removal(line=1, licenses=1, days=14)]
            invoice.credit(removals, number=f"note {number}", reason="licenses_removed", **note)  # type: ignore[arg-type]
            payment.request_refund(uuid5(of, f"refund {number}"), invoice_id=invoice.id, amount_minor=700)
            invoice.count_refund(payment.id, uuid5(of, f"refund {number}"), 700)
            if number % 2:
                payment.succeed_refund(uuid5(of, f"refund {number}"))
        return self.tell(profile, payment, invoice, of=of)

    def cancel(self, subscription: Subscription, pool: LicensePool, *, of: UUID = CONTOSO_ID) -> int:
        """Ends at once; nothing is credited here."""
        facts: dict[str, Any] = {"reason": "other", "feedback": None, "credit_note_ids": ()}
        subscription.cancel(when="now", licenses=pool.total, at=self.at, **facts)
        pool.close("cancelled")
        return self.tell(subscription, pool, of=of)

    def members(self, numbers: Sequence[int], *, of: UUID = CONTOSO_ID) -> dict[UUID, Member | None]:
        """Members who were just added."""
        members = [Member.add(id=uuid5(of, f"member {n}"), kind="member", details={}) for n in numbers]
        self.tell(*members, of=of)
        return {member.id: member for member in members}

    def story(self, purchases: int, *, of: UUID = CONTOSO_ID, first: int = 0) -> int:
        """Purchases with all that can happen to them; answers the last position."""
        people = self.members(range(3 * first, 3 * first + 3), of=of)
        position = 0
        for number in range(first, first + purchases):
            subscription, pool, _ = self.buy(number, of=of)
            pool.assign(people)
            pool.unassign(list(people)[: number % 3])
            pool.increase(5 + number % 4, POWER_BI_PRO, invoice_id=uuid5(of, f"increase {number}"), at=self.at)
            if number % 2:
                subscription.schedule_licenses(4)
            if number % 3 == 0:
                subscription.cancel_at_term_end(reason="not_used_enough", feedback=None, licenses=5, at=self.at)
            self.bill(number, of=of)
            position = self.tell(subscription, pool, of=of)
            if number % 4 == 0:
                position = self.cancel(subscription, pool, of=of)
        return position

    def execute(self, query: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """As the superuser."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            cursor = connection.execute(query.encode(), parameters)
            return cursor.fetchall() if cursor.description else []

    def start_projector(self) -> subprocess.Popen[bytes]:
        """A projector in a process of its own."""
        return subprocess.Popen(
            [sys.executable, "-c", PROJECTOR, self.url],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.DEVNULL,
        )

    def close(self) -> None:
        self.models.close()
        self.ledger.close()


@contextmanager
def a_world(postgres: EmbeddedPostgres) -> Iterator[World]:
    """A database of its own on the shared server, migrated and empty."""
    name = f"reads_{next(NUMBERS)}"
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    url = make_conninfo(postgres.url, dbname=name)
    migrate(url)
    world = World(url)
    try:
        yield world
    finally:
        world.close()
