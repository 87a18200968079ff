"""What every command of the API keeps to, and what happens around it: the payer's bank, the calendar."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import uuid4

import httpx

from adapters.cli.app import run
from adapters.settings import Settings
from tests.adapters.http.conftest import Api, refused

REPLAYED = "Idempotency-Replayed"


def done_once(
    api: Api,
    method: str,
    path: str,
    body: Any = None,
    *,
    other: Any = None,
    other_path: str | None = None,
    tag: str | None = None,
    status: int = 200,
) -> httpx.Response:
    """The answer to a command that is carried out once: a repeat gets the same bytes, other content with its key none.

    The tag is stale at the repeat: what was done is answered whatever was seen.
    """
    key = str(uuid4())
    first, again = (asked(api, method, path, body, key=key, tag=tag) for _ in range(2))
    assert (first.status_code, first.headers.get(REPLAYED)) == (status, None), first.text
    assert (again.status_code, again.content, again.headers[REPLAYED]) == (status, first.content, "true")
    assert again.headers.get("Location") == first.headers.get("Location")
    assert first.headers["Seatledger-Position"] == str(first.json()["position"])
    refused(asked(api, method, other_path or path, other, key=key, tag=tag), 422, "command_id_reused")
    return first


def asked(api: Api, method: str, path: str, body: Any = None, **more: Any) -> httpx.Response:
    return api.ask(method, path, json=body, **more) if body is not None else api.ask(method, path, **more)


def told(document: Any) -> list[str]:
    """What its events are called, such as `subscription.subscription_purchased`; those without content are left out."""
    names = [event["type"].removeprefix("seatledger.").removesuffix(".v1") for event in document["events"]]
    return [name for name in names if name != "opaque"]


def told_of(document: Any, kind: str) -> Any:
    """The content of its only event of a kind."""
    [found] = [event["data"] for event in document["events"] if event["type"] == f"seatledger.{kind}.v1"]
    return found


def replaces_card(member: Api, card_of_the_sandbox: str) -> str:
    """The member's only profile charges another card from now on; the card's id."""
    card = member.post("/payment-methods", {"token": card_of_the_sandbox})["payment_method_id"]
    [profile] = member.get("/billing-profiles", mine=True)["items"]
    member.put(f"/billing-profiles/{profile['billing_profile_id']}/payment-method", {"payment_method_id": card})
    return str(card)


def member_id_of(admin: Api, user_name: str) -> str:
    [found] = [one for one in admin.in_role("admin").get("/members")["items"] if one["user_name"] == user_name]
    return str(found["member_id"])


def confirms(settings: Settings, payment_id: str, handle: str | None) -> None:
    """The payer agrees on their bank's page."""
    does(settings, "sandbox", "confirm", payment_id, "--org", str(handle), "--as", "operator")


def advances(settings: Settings, handle: str | None, to: date) -> None:
    """The calendar of a simulation goes on."""
    does(settings, "advance", "--as-of", to.isoformat(), "--org", str(handle), "--as", "operator")


def does(settings: Settings, *words: str) -> None:
    said: Sequence[str] = [*words, "--json"]
    assert run(said, settings) == 0, words
