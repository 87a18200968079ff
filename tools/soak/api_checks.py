"""What must be true of every answer that a client of the API got, when all is over."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import httpx
import psycopg

from adapters.payments.sandbox import Sandbox
from adapters.postgres.history_reads import HistoryReads
from adapters.verification import verify_history, verify_read_models
from domain.organization import CATALOG, organization_id_of
from tools.soak.api_clients import Answer
from tools.soak.checks import OF_THE_HOUSE, Checked, differences_of_money, made
from tools.soak.programs import ledger_of, till_of

RECEIPTS = "SELECT organization_id, command_id, position, organization_seq, events FROM ledger.commands WHERE step = ''"
EVENTS = (
    "SELECT organization_id, organization_seq, position, encode(chain_hash, 'hex'),"
    " convert_from(metadata, 'UTF8')::jsonb ->> 'command_id' FROM ledger.events"
)
Asked = tuple[int, Iterator[str]]


class ApiChecks:
    """The checks of a run that has come to its end, with the API up once more."""

    def __init__(self, url: str, folder: Path, http: httpx.Client, answers: list[Answer], founding: set[UUID]) -> None:
        self.url, self.folder, self.http, self.founding = url, folder, http, founding
        self.answers = answers
        self.done = [answer for answer in answers if answer.done]

    def all(self) -> Iterator[Checked]:
        checks: list[tuple[str, Callable[[], Asked]]] = [
            ("every acknowledged command is in history, once, as it was answered; nothing else is", self.receipts),
            ("a later repeat gets the same answer, byte for byte, and tells nothing", self.repeats),
            ("provider and ledger agree on every payment, and nothing is held", self.money),
            ("chains, payloads, receipts, amounts and personal facts are intact", self.history),
            ("the read tables equal their rebuild", self.read_tables),
        ]
        return made(checks)

    def receipts(self) -> Asked:
        return len(self.answers), self._receipts()

    def _receipts(self) -> Iterator[str]:
        receipts: dict[UUID, Any] = {}
        events: dict[tuple[UUID, int], Any] = {}
        with psycopg.connect(self.url) as connection:
            for organization_id, command_id, *receipt in connection.execute(RECEIPTS):
                if command_id in receipts:
                    yield f"command {command_id} has two receipts"
                receipts[command_id] = (organization_id, *receipt)
            for organization_id, seq, position, chain_hash, command_id in connection.execute(EVENTS):
                events[organization_id, seq] = position, chain_hash, command_id
            house = {command_id for _, command_id in connection.execute(OF_THE_HOUSE)}
        expected = self.founding | house
        for answer in self.done:
            said = json.loads(answer.content)
            command_id, organization_id = UUID(said["command_id"]), organization_id_of(answer.call.handle)
            expected.add(command_id)
            answered = (organization_id, said["position"], said["sequence"], len(said["events"]))
            if (stored := receipts.get(command_id)) != answered:
                yield f"{answer.call.kind} {command_id} was answered {answered}, in history it is {stored}"
            for event in said["events"]:
                recorded = (int(event["position"]), event["chainhash"], str(command_id))
                if events.get((organization_id, int(event["sequence"]))) != recorded:
                    yield f"{answer.call.kind} {command_id} told an event #{event['sequence']} that is not in history"
        yield from (
            f"command {command_id} is in history, and nobody was told so"
            for command_id, (organization_id, *_) in receipts.items()
            if command_id not in expected and organization_id != CATALOG
        )

    def repeats(self) -> Asked:
        return len(self.done), self._repeats()

    def _repeats(self) -> Iterator[str]:
        before = self._last_position()
        for first in self.done:
            again = first.call.send(self.http)
            now = (again.status_code, again.content, again.headers.get("Location"))
            if now != (first.status, first.content, first.location):
                yield f"{first.call.kind} with key {first.call.key} was answered {first.content!r}, and now {now}"
            if again.headers.get("Idempotency-Replayed") != "true":
                yield f"{first.call.kind} with key {first.call.key} was carried out again"
        if (after := self._last_position()) != before:
            yield f"repeats moved history from position {before} to {after}"

    def _last_position(self) -> int:
        with psycopg.connect(self.url) as connection:
            row = connection.execute("SELECT coalesce(max(position), 0) FROM ledger.events").fetchone()
        return int(cast("tuple[int]", row)[0])

    def money(self) -> Asked:
        with till_of(self.folder) as till, ledger_of(self.url) as ledger:
            sandbox = cast("Sandbox", till.gateway)
            return len(sandbox.payments()), iter(list(differences_of_money(sandbox, ledger, self.url)))

    def history(self) -> Asked:
        with HistoryReads(self.url) as reads:
            found = [f"{one.check} {one.key}: {one.what}" for one in verify_history(reads)]
            return reads.size().events, iter(found)

    def read_tables(self) -> Asked:
        return self._last_position(), (f"{found.key}: {found.what}" for found in verify_read_models(self.url))
