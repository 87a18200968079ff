"""What must be true after all that: each check says what it looked at and what it found."""

from __future__ import annotations

import random
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple, cast
from uuid import UUID

import psycopg

from adapters.kafka.topic import read_topic
from adapters.kafka.topic_settings import Topics
from adapters.payments.sandbox import Sandbox
from adapters.postgres.history_reads import HistoryReads
from adapters.verification import verify_history, verify_read_models, verify_topic
from domain.payment import Payment
from domain.refusals import Refusal
from services.command import Command
from services.ledger import Ledger
from services.ports import Receipt
from tools.soak.fleet import Fleet
from tools.soak.journal import Entry, read_journal
from tools.soak.programs import ledger_of, till_of
from tools.soak.seals import Seals
from tools.soak.wishes import carry_out

SHOWN = 20  # findings of a check; more do not say more

# Written without the code that it judges.
UNORDERED = """
SELECT organization_id, organization_seq, position FROM (
  SELECT organization_id, organization_seq, position, recorded_at,
         lag(organization_seq, 1, 0::bigint) OVER here AS seq_before,
         lag(position, 1, 0::bigint) OVER here AS position_before,
         lag(recorded_at, 1, 0::bigint) OVER here AS recorded_before
    FROM ledger.events WINDOW here AS (PARTITION BY organization_id ORDER BY organization_seq)) AS told
 WHERE organization_seq <> seq_before + 1 OR position <= position_before OR recorded_at < recorded_before
"""
RECEIPTS = (
    "SELECT organization_id, command_id, fingerprint, position, organization_seq, events, recorded_at"
    " FROM ledger.commands WHERE step = ''"
)
# What is done on behalf of the calendar and of payments has a command id that nobody sent.
OF_THE_HOUSE = (
    "SELECT DISTINCT organization_id, (convert_from(metadata, 'UTF8')::jsonb ->> 'command_id')::uuid FROM ledger.events"
    " WHERE convert_from(metadata, 'UTF8')::jsonb ->> 'command' = 'take_due_steps'"
)
PAYMENTS = "SELECT organization_id, originator_id FROM ledger.events WHERE topic = %s ORDER BY position"
EVENTS = (
    "SELECT position, organization_id, organization_seq, encode(chain_hash, 'hex') FROM ledger.events ORDER BY position"
)

Answer = tuple[int, Iterator[str]]  # how many things are looked at, and what is found


class Checked(NamedTuple):
    """The outcome of a check."""

    name: str
    looked_at: int
    found: list[str]
    seconds: float


def made(checks: Sequence[tuple[str, Callable[[], Answer]]]) -> Iterator[Checked]:
    """One after the other; one that cannot be made is a finding."""
    for name, check in checks:
        started = time.monotonic()
        try:
            looked_at, lazily = check()
            found = list(islice(lazily, SHOWN))
        except Exception as error:  # noqa: BLE001 - the other checks still say what they find
            looked_at, found = 0, [f"it could not be made: {type(error).__name__}: {error}"]
        yield Checked(name, looked_at, found, round(time.monotonic() - started, 1))


class Checks:
    """The checks of a run that has come to its end."""

    def __init__(self, fleet: Fleet, *, repeats: int) -> None:
        self.fleet, self.repeats = fleet, repeats
        self.entries = [entry for path in fleet.journals() for entry in read_journal(path)]
        self.acknowledged = [entry for entry in self.entries if entry.receipt]

    def all(self) -> Iterator[Checked]:
        """One after the other."""
        checks: list[tuple[str, Callable[[], Answer]]] = [
            ("every acknowledged command is in history, once, with its receipt", self.receipts),
            ("a repeated command is answered with its first receipt, and tells nothing", self.answers),
            ("every organization is dense, in order, and never recorded backwards", self.order),
            ("chains, payloads, receipts, personal facts and snapshots are intact", self.history),
            ("provider and ledger agree on every payment, and nothing is held", self.money),
            ("the follower missed nothing and doubled nothing", self.followed),
            ("the read tables equal their rebuild", self.read_tables),
            ("every checkpoint is consistent with every other, and with the tree of the events", self.seals),
        ]
        yield from made(checks)
        yield from self.of_the_topic()

    def of_the_topic(self) -> Iterator[Checked]:
        """What must be true of what was relayed."""
        if self.fleet.kafka:
            yield from made([("the topic under read_committed equals the ledger", self.topic)])

    def receipts(self) -> Answer:
        return len(self.acknowledged), self._receipts()

    def _receipts(self) -> Iterator[str]:
        with psycopg.connect(self.fleet.url) as connection:
            recorded: dict[tuple[UUID, UUID], Receipt] = {}
            for organization_id, command_id, *receipt in connection.execute(RECEIPTS):
                if (organization_id, command_id) in recorded:
                    yield f"command {command_id} has two receipts"
                recorded[organization_id, command_id] = Receipt(*receipt)
            house = set(connection.execute(OF_THE_HOUSE))
        for entry in self.entries:
            stored = recorded.get(key_of(entry.command))
            if entry.receipt and stored != entry.receipt:
                yield f"command {entry.command.command_id} was acknowledged and is not in history as it was answered"
            if entry.refusal and stored:
                yield f"command {entry.command.command_id} was refused and is in history"
        sent = house | {
            key_of(command) for command in (*self.fleet.prepared, *(entry.command for entry in self.entries))
        }
        yield from (
            f"command {command_id} is in history and nobody sent it" for _, command_id in recorded.keys() - sent
        )

    def answers(self) -> Answer:
        chance = random.Random(f"{self.fleet.seed} repeats")  # noqa: S311 - not a secret
        chosen = chance.sample(self.acknowledged, min(self.repeats, len(self.acknowledged)))
        return len(chosen), self._answers(chosen)

    def _answers(self, chosen: list[Entry]) -> Iterator[str]:
        before = self.fleet.written()
        with ledger_of(self.fleet.url) as ledger, till_of(self.fleet.folder) as till:
            for entry in chosen:
                try:
                    again: object = carry_out(ledger, till, entry.command)
                except Refusal as refusal:
                    again = refusal
                if again != entry.receipt:
                    yield f"command {entry.command.command_id} was answered {entry.receipt} and now {again}"
        if (after := self.fleet.written()) != before:
            yield f"repeats moved history from position {before} to {after}"

    def order(self) -> Answer:
        return self.fleet.count("SELECT count(DISTINCT organization_id) FROM ledger.events"), self._order()

    def _order(self) -> Iterator[str]:
        with psycopg.connect(self.fleet.url) as connection:
            for organization_id, seq, position in connection.execute(UNORDERED):
                yield f"{organization_id} #{seq} at position {position} does not follow the event before it"

    def history(self) -> Answer:
        return self.fleet.count("SELECT count(*) FROM ledger.events"), self._history()

    def _history(self) -> Iterator[str]:
        with HistoryReads(self.fleet.url) as reads:
            for found in verify_history(reads):
                yield f"{found.check} {found.key}: {found.what}"

    def money(self) -> Answer:
        with till_of(self.fleet.folder) as till:
            sandbox = cast("Sandbox", till.gateway)
            with ledger_of(self.fleet.url) as ledger:
                return len(sandbox.payments()), iter(list(differences_of_money(sandbox, ledger, self.fleet.url)))

    def followed(self) -> Answer:
        handed_out = [tuple(line.split()) for line in self.fleet.notes.read_text().splitlines()]
        return len(handed_out), self._followed(handed_out)

    def _followed(self, handed_out: list[tuple[str, ...]]) -> Iterator[str]:
        with psycopg.connect(self.fleet.url) as connection:
            events = [tuple(map(str, row)) for row in connection.execute(EVENTS)]
        if handed_out == events:
            return
        there, noted = set(events), Counter(handed_out)
        yield from (f"position {event[0]} was missed" for event in events if event not in noted)
        yield from (f"position {event[0]} was handed out {times} times" for event, times in noted.items() if times > 1)
        yield from (
            f"position {event[0]} was handed out and is not in history" for event in noted if event not in there
        )
        if there == noted.keys() and len(handed_out) == len(events):
            yield "the order was not that of the positions"

    def seals(self) -> Answer:
        seals = Seals(self.fleet)
        return len(seals.given_out), seals.differences()

    def read_tables(self) -> Answer:
        rows = sum(self.fleet.count(f"SELECT count(*) FROM projections.{table}") for table in self._live_tables())  # noqa: S608
        return rows, (f"{found.key}: {found.what}" for found in verify_read_models(self.fleet.url))

    def _live_tables(self) -> list[str]:
        query = "SELECT unnest(tables) FROM projections.builds WHERE state = 'live'"
        with psycopg.connect(self.fleet.url) as connection:
            return [table for (table,) in connection.execute(query)]

    def topic(self) -> Answer:
        assert self.fleet.kafka, "there is a broker"  # noqa: S101
        messages = sum(1 for _ in read_topic(self.fleet.kafka.bootstrap, Topics().events))
        return messages, self._topic(messages, self.fleet.kafka.bootstrap)

    def _topic(self, messages: int, bootstrap: str) -> Iterator[str]:
        if (published := self.fleet.published()) != (last := self.fleet.written()):
            yield f"the topic ends at position {published}, history at {last}"
        if (events := self.fleet.count("SELECT count(*) FROM ledger.events")) != messages:
            yield f"the topic has {messages} messages, history {events} events"
        for found in verify_topic(self.fleet.url, bootstrap, Topics()):
            yield f"{found.key}: {found.what}"


def key_of(command: Command) -> tuple[UUID, UUID]:
    return command.organization_id, command.command_id


def differences_of_money(sandbox: Sandbox, ledger: Ledger, url: str) -> Iterator[str]:
    """Between what the provider took and gave back, and what history says of it; and what is left open."""
    yield from (f"payment {held.payment_id} is still held" for held in sandbox.holds())
    theirs: defaultdict[UUID, int] = defaultdict(int)
    for attempt in sandbox.payments():
        theirs[attempt.payment_id] += attempt.captured_minor
        theirs[attempt.payment_id] -= sum(one.amount_minor for one in attempt.refunds if one.state != "failed")
    with psycopg.connect(url) as connection:
        ids = connection.execute(PAYMENTS, (Payment.PaymentRequested.TOPIC,)).fetchall()
    for organization_id, payment_id in ids:
        payment = ledger.payment(organization_id, payment_id)
        if payment.is_open or payment.open_refunds:
            yield f"payment {payment_id} is left {payment.status}, {len(payment.open_refunds)} refunds open"
        if (known := payment.refundable_minor) != (there := theirs.pop(payment_id, 0)):
            yield f"payment {payment_id}: the ledger knows of {known}, the provider of {there}"
    yield from (f"payment {payment_id} is not in the ledger" for payment_id, left in theirs.items() if left)
