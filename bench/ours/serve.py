"""The HTTP API as it is run: a process of its own, asked over the loopback by a client that costs little."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

from adapters.http.development_issuer import DevelopmentIssuer
from bench.drive import drive, scored
from bench.program import Job, Score, Settings, Work, serve
from bench.served import BUYER, Place, Places
from bench.workload import FINGERPRINT_KEY
from tools.soak.api_server import api_process

RATE = "100000000/minute"
HOURS = 24
PAGE = 50


class Calls:
    """Calls as bytes, each by the purchaser of the organization."""

    def __init__(self, settings: Settings) -> None:
        self._issuer = DevelopmentIssuer(Path(settings["home"]))
        self._tokens: dict[str, str] = {}
        self._places = Places(settings, share=0)
        self._kinds: dict[str, Callable[[Place], bytes]] = {
            "list": lambda place: self._call(place, "GET", f"/subscriptions?limit={PAGE}"),
            "one": lambda place: self._call(place, "GET", f"/subscriptions/{place.subscription_id}"),
            "assign": lambda place: self._call(
                place, "POST", f"/subscriptions/{place.subscription_id}/assignments", {"user_ids": [str(place.user_id)]}
            ),
            "resize": lambda place: self._call(
                place, "PUT", f"/subscriptions/{place.subscription_id}/licenses", {"total": place.total}
            ),
        }

    def of(self, what: str, seed: str) -> Iterator[bytes]:
        return map(self._kinds[what], self._places.of(what, seed))

    def _call(self, place: Place, method: str, path: str, body: Any = None) -> bytes:
        content = json.dumps(body).encode() if body is not None else b""
        lines = [
            f"{method} /v1/organizations/{place.handle}{path} HTTP/1.1",
            "Host: localhost",
            f"Authorization: Bearer {self._token(place.handle)}",
        ]
        if body is not None:
            lines += [f"Idempotency-Key: {uuid4()}", "Content-Type: application/json"]
            lines += [f"Content-Length: {len(content)}", *(["If-Match: *"] if method == "PUT" else [])]
        return "\r\n".join([*lines, "", ""]).encode() + content

    def _token(self, handle: str) -> str:
        if handle not in self._tokens:
            self._tokens[handle] = self._issuer.issue(handle, BUYER, None, HOURS)
        return self._tokens[handle]


@contextmanager
def prepare(settings: Settings) -> Iterator[Work]:
    told = {
        "database_url": settings["database"],
        "fingerprint_key": FINGERPRINT_KEY.hex(),
        "home": settings["home"],
        "development": True,
        "api_rate_per_key": RATE,
        "api_rate_per_organization": RATE,
    }
    calls = Calls(settings)
    with api_process(told, Path(settings["home"]) / "api.log") as api:

        def work(job: Job) -> Score:
            started = time.perf_counter()
            asked = calls.of(job["what"], job["seed"])
            took = drive(api.port, asked, connections=job["connections"], seconds=job["seconds"])
            return scored(took, time.perf_counter() - started, job)

        yield work


if __name__ == "__main__":
    serve(prepare)
