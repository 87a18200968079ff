"""The demo over HTTP: the same house, asked as programs ask it."""

from __future__ import annotations

import json
import time
from http.client import HTTPConnection, HTTPException
from typing import Any, Literal, NamedTuple
from urllib.parse import urlsplit
from uuid import uuid4

from adapters.cli.demo_telling import Telling

LISTENS_S = 30.0
FEED_PAGE = 1000


class Answered(NamedTuple):
    """What the API answered."""

    status: int
    headers: dict[str, str]
    data: Any


class OverHttp(Telling):
    """Calls the API with tokens of development."""

    def over_http(self) -> None:
        from adapters.http.development_issuer import DevelopmentIssuer

        self.chapter("The HTTP API: the same house for programs")
        self.wait_for_api()
        issuer, handle = DevelopmentIssuer(self.stage.home), self.report.organization

        def token(user_name: str | None, role: Literal["service"] | None = None) -> str:
            return issuer.issue(None if role else handle, user_name, role, 1)

        chris, path = token(self.by_admin[-1]), f"/v1/organizations/{handle}"
        listed = self.call("GET", f"{path}/subscriptions", chris, {"Seatledger-Role": "admin"})
        self.check("purchases that the admin sees", [200, 1], [listed.status, len(listed.data["items"])])
        body = {"rows": [{"user_name": "generated.9001@contoso.example", "display_name": "Generated Member 9001"}]}
        key = {"Idempotency-Key": str(uuid4())}
        first = self.call("POST", f"{path}/members", chris, key, body)
        again = self.call("POST", f"{path}/members", chris, key, body)
        self.check("a member is imported, and told", [200, 1], [first.status, len(first.data["events"])])
        replayed = again.headers.get("idempotency-replayed")
        self.check("the same call again gets the same answer", [True, "true"], [again.data == first.data, replayed])
        elsewhere = self.call("GET", "/v1/organizations/fabrikam/subscriptions", chris)
        self.check(
            "another organization does not exist", [404, "not_found"], [elsewhere.status, elsewhere.data["code"]]
        )
        unknown = self.call("GET", f"{path}/subscriptions", "")
        self.check("without a token", [401, "token_missing"], [unknown.status, unknown.data["code"]])
        member = first.data["events"][0]
        after = f"/v1/events?after={int(member['position']) - 1}&limit={FEED_PAGE}&wait_s=5"
        feed = self.call("GET", after, token(None, "service"))
        self.check(
            "the event feed goes on with the same event", [200, member], [feed.status, feed.data[0]], brief="same"
        )
        self.report.api = self.stage.api_address

    def call(
        self, method: str, path: str, token: str, headers: dict[str, str] | None = None, body: Any = None
    ) -> Answered:
        """One request, shown as it is made."""
        self.say(f"{method} {self.stage.api_address}{path}")
        sent = {"Content-Type": "application/json", **(headers or {})}
        if token:
            sent["Authorization"] = f"Bearer {token}"
        connection = HTTPConnection(urlsplit(self.stage.api_address).netloc, timeout=30)
        try:
            connection.request(method, path, json.dumps(body) if body is not None else None, sent)
            answer = connection.getresponse()
            found = {name.lower(): value for name, value in answer.getheaders()}
            return Answered(answer.status, found, json.loads(answer.read()))
        finally:
            connection.close()

    def wait_for_api(self) -> None:
        """Until it answers; that it does not shows in the first check."""
        deadline = time.monotonic() + LISTENS_S
        while time.monotonic() < deadline:
            connection = HTTPConnection(urlsplit(self.stage.api_address).netloc, timeout=5)
            try:
                connection.request("GET", "/healthz")
                connection.getresponse().read()
            except (OSError, HTTPException):
                time.sleep(0.1)
            else:
                return
            finally:
                connection.close()
