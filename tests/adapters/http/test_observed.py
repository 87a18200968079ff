"""A call that the server cannot wait for any longer is answered too."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from typing import Any

from starlette.types import Message, Receive, Scope, Send

from adapters.http.observed import Gauges, Observed


def test_a_call_that_is_cut_off_is_told_to_come_again() -> None:
    sent: list[Message] = []

    async def takes_for_ever(_scope: Scope, _receive: Receive, _send: Send) -> None:
        await asyncio.sleep(60)

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def cut_off() -> None:
        scope: dict[str, Any] = {"type": "http", "method": "POST", "path": "/v1/x", "headers": [], "state": {}}
        task = asyncio.ensure_future(Observed(takes_for_ever, Gauges())(scope, receive, send))
        await asyncio.sleep(0.01)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    asyncio.run(cut_off())
    start, body = sent
    assert start["status"] == 503
    assert (b"retry-after", b"1") in start["headers"]
    assert json.loads(body["body"])["code"] == "unavailable"
