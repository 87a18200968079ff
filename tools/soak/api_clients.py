"""Clients of the HTTP API that send a call with its key until it is answered, whatever happens to the server."""

from __future__ import annotations

import random
import threading
import time
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, NamedTuple
from uuid import UUID

import httpx

from adapters.directory.microsoft_365 import CONTOSO, read_members
from adapters.http.development_issuer import DevelopmentIssuer
from services.ledger import offer_id_of
from tools.soak.wishes import TERMS, an_id

AGAIN_S = 0.05
ANSWER_S = 30.0
PATIENCE_S = 120.0  # for one call, over all lives of the server
LICENSES = (15, 40)  # totals that are wished for; fewer than colleagues, so that some want one in vain
COLLEAGUES = 30
OFFER_ID = str(offer_id_of(TERMS))


class Call(NamedTuple):
    """One wish of a purchaser, as it is sent each time."""

    kind: str
    handle: str
    token: str
    method: str
    path: str
    body: Any
    key: str

    def send(self, http: httpx.Client) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.token}", "Idempotency-Key": self.key}
        if self.method == "PUT":
            headers["If-Match"] = "*"
        path = f"/v1/organizations/{self.handle}{self.path}"
        return http.request(self.method, path, json=self.body, headers=headers)


class Answer(NamedTuple):
    """What a call was answered in the end, and how often it was sent for that."""

    call: Call
    status: int
    content: bytes
    location: str | None
    replayed: bool
    sent: int

    @property
    def done(self) -> bool:
        return self.status in {HTTPStatus.OK, HTTPStatus.CREATED}


@dataclass(frozen=True)
class Buyer:
    """A purchaser of an organization, who has bought and has colleagues to give licenses to."""

    handle: str
    token: str
    subscription_id: str
    colleagues: list[str]

    def wishes(self, chance: random.Random) -> Call:
        """Something that changes licenses or buys new ones; some of it is refused."""
        users = chance.sample(self.colleagues, chance.randint(1, 3))
        here = f"/subscriptions/{self.subscription_id}"
        match chance.randrange(8):
            case 0 | 1 | 2:
                return self._call(chance, "assign", "POST", f"{here}/assignments", {"user_ids": users})
            case 3 | 4:
                whose = {"subscription_ids": [self.subscription_id], "user_ids": users}
                return self._call(chance, "unassign", "POST", "/unassignments", whose)
            case 5 | 6:
                return self._call(chance, "resize", "PUT", f"{here}/licenses", {"total": chance.randint(*LICENSES)})
            case _:
                order = {"offer_id": OFFER_ID, "licenses": chance.randint(1, 9)}
                return self._call(chance, "buy", "POST", "/subscriptions", order)

    def _call(self, chance: random.Random, kind: str, method: str, path: str, body: Any) -> Call:
        return Call(kind, self.handle, self.token, method, path, body, str(an_id(chance)))


@dataclass
class Client:
    """One after the other, until it is told to stop; the last call is answered too."""

    address: str
    buyers: list[Buyer]
    chance: random.Random
    stop: threading.Event
    answers: list[Answer] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)

    def run(self) -> None:
        with httpx.Client(base_url=self.address, timeout=ANSWER_S) as http:
            while not self.stop.is_set() and not self.findings:
                call = self.chance.choice(self.buyers).wishes(self.chance)
                try:
                    self.answers.append(until_answered(http, call))
                except Exception as error:  # noqa: BLE001 - whatever it is, it is found
                    self.findings.append(f"{call.kind} with key {call.key}: {type(error).__name__}: {error}")


def until_answered(http: httpx.Client, call: Call) -> Answer:
    """The same call with the same key, again and again. Raises TimeoutError where no answer is to be had."""
    deadline = time.monotonic() + PATIENCE_S
    sent = 0
    while time.monotonic() < deadline:
        sent += 1
        try:
            answer = call.send(http)
        except httpx.TransportError:  # nobody listens, or whoever did was killed before the end of the answer
            time.sleep(AGAIN_S)
            continue
        if "Retry-After" in answer.headers:
            time.sleep(AGAIN_S)
            continue
        replayed = answer.headers.get("Idempotency-Replayed") == "true"
        return Answer(call, answer.status_code, answer.content, answer.headers.get("Location"), replayed, sent)
    raise TimeoutError(f"no answer within {PATIENCE_S:g} s")


class Founder:
    """Founds organizations over HTTP, as an operator."""

    def __init__(self, http: httpx.Client, issuer: DevelopmentIssuer) -> None:
        self.http, self.issuer = http, issuer
        self.command_ids: set[UUID] = set()  # of what it did
        self.operator = issuer.issue(None, None, "operator", 24)

    def founds(self, handle: str, chance: random.Random) -> Buyer:
        """An organization with its admin, colleagues, and a purchaser who can pay and has bought."""
        rows = [row.model_dump(mode="json", exclude_defaults=True) for row in read_members(CONTOSO)]
        admin_row, buyer_row, *_ = rows
        admin = self.issuer.issue(handle, admin_row["user_name"], None, 24)
        buyer = self.issuer.issue(handle, buyer_row["user_name"], None, 24)
        here = f"/v1/organizations/{handle}"
        facts = {"country": "US", "currency": "USD", "first_admin": {"user_name": admin_row["user_name"]}}
        self._does(self.operator, here, facts, chance)
        generated = [{"user_name": f"generated.{number:03}@contoso.com"} for number in range(COLLEAGUES)]
        joined = self._does(admin, f"{here}/members", {"rows": [*rows, *generated]}, chance)
        card = self._does(buyer, f"{here}/payment-methods", {"token": "tok_visa"}, chance)["payment_method_id"]
        self._does(buyer, f"{here}/billing-profiles", {"payment_method_id": card, "country": "US"}, chance)
        order = {"offer_id": OFFER_ID, "licenses": LICENSES[0]}
        bought = self._does(buyer, f"{here}/subscriptions", order, chance)["subscription_id"]
        colleagues = [one["subject"] for one in joined["events"] if one["type"].endswith(".member_added.v1")]
        return Buyer(handle, buyer, bought, colleagues[-COLLEAGUES:])

    def _does(self, token: str, path: str, body: Any, chance: random.Random) -> Any:
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": str(an_id(chance))}
        answer = self.http.post(path, json=body, headers=headers).raise_for_status().json()
        self.command_ids.add(UUID(answer["command_id"]))
        return answer
