"""Stripe's wire on this machine's loopback: forms in, JSON out, and no answer where one got lost."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from adapters.payments.keys import IdempotencyKeyReused
from services.ports_payments import GatewayUnavailable
from tests.adapters.payments.stripe_world import Json, StripeWorld, WireError


def unflattened(pairs: list[tuple[str, str]]) -> Json:
    """`card[exp_month]=1` as nested dictionaries."""
    tree: Json = {}
    for name, text in pairs:
        *parents, last = name.replace("]", "").split("[")
        branch = tree
        for parent in parents:
            branch = branch.setdefault(parent, {})
        branch[last] = text
    return tree


@contextmanager
def stripe_wire(world: StripeWorld) -> Iterator[str]:
    """Serves the world on this machine's loopback and gives the address."""

    class Wire(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.reply("GET", urlsplit(self.path).query)

        def do_POST(self) -> None:
            self.reply("POST", self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode())

        def reply(self, method: str, sent: str) -> None:
            path = [unquote(part) for part in urlsplit(self.path).path.split("/")[2:]]
            try:
                key = self.headers.get("Idempotency-Key", "")
                body: Mapping[str, Any] = world.answer(method, path, unflattened(parse_qsl(sent)), key)
                status = 200
            except WireError as why:
                status, body = why.status, why.body
            except IdempotencyKeyReused:
                status, body = 400, {"error": {"type": "idempotency_error", "message": "used before"}}
            except GatewayUnavailable:
                self.close_connection = True
                return  # no answer at all
            text = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Wire) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
