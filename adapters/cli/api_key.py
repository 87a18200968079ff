"""api-key: create, list, revoke."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Annotated, Any

import typer

from adapters.cli.answer import Answer, moment, table
from adapters.cli.call import OPERATOR, Call
from adapters.cli.failure import BadInput
from adapters.cli.groups import api_keys
from adapters.cli.verb import verb
from adapters.http.principal import HouseRole
from adapters.postgres.api_keys import ApiKey, ApiKeys
from services.command import storable

LONGEST_LABEL = 100


@verb(api_keys, "create", role=OPERATOR, org=False)
def create(
    call: Call,
    *,
    label: Annotated[str, typer.Option(help="What it is for, such as `nightly import`.")],
    role: Annotated[HouseRole, typer.Option(help="In which role its holder acts.")],
    days: Annotated[int | None, typer.Option(min=1, max=3650, help="How long it is good; else until revoked.")] = None,
) -> Answer:
    """Makes an API key and shows it, this once: only its hash is kept.

    Example: `seatledger api-key create --label "nightly import" --role service --days 90`
    """
    with keys_of(call) as keys:
        label = label_from(label)
        ends = call.house.clock() + timedelta(days=days) if days else None
        key, secret = keys.create(role, label, ends)
    text = key.text(secret)
    if not call.as_json:
        typer.echo(text)  # whole, and alone on stdout: a table's line would break
        until = f"until {moment(ends)}" if ends else "until it is revoked"
        typer.echo(f"key {key.key_id} for {role}s, good {until}; keep it now, it is not shown again", err=True)
    return Answer({**data_of(key), "key": text}, [])


@verb(api_keys, "list", role=OPERATOR, org=False)
def show(call: Call) -> Answer:
    """Lists API keys, those too that are no longer accepted.

    Example: `seatledger api-key list`
    """
    with keys_of(call) as keys:
        found = keys.list()
    now = call.house.clock()

    def state(key: ApiKey) -> str:
        if key.revoked_at is not None:
            return f"revoked {moment(key.revoked_at)}"
        if key.expires_at is None:
            return "good"
        return f"{'good until' if now < key.expires_at else 'expired'} {moment(key.expires_at)}"

    rows = [(key.key_id, key.role, key.label, moment(key.created_at), state(key)) for key in found]
    return Answer(
        {"api_keys": [data_of(key) for key in found]},
        table("API keys", ("key", "role", "label", "made", "state"), rows),
    )


@verb(api_keys, "revoke", role=OPERATOR, org=False)
def revoke(
    call: Call,
    key_id: Annotated[str, typer.Argument(metavar="KEY_ID", help="As `api-key list` shows it.")],
) -> Answer:
    """Revokes an API key, for ever; it is refused everywhere after five seconds at the latest.

    Example: `seatledger api-key revoke 0123456789ab`
    """
    if key_id.startswith("sl_"):
        raise BadInput("that is the key itself; write its id only, the part between the underscores")
    with keys_of(call) as keys:
        key = keys.revoke(key_id)
    return Answer(data_of(key), f"key {key.key_id} is revoked")


@contextmanager
def keys_of(call: Call) -> Iterator[ApiKeys]:
    """The table of keys, for operators only."""
    _ = call.actor
    call.refuse_members()
    with ApiKeys(call.house.database_url) as keys:
        yield keys


def label_from(words: str) -> str:
    """A label that can be stored and read."""
    try:
        label = storable(words).strip()
    except ValueError as error:
        raise BadInput(f"--label: {error}") from None
    if not 0 < len(label) <= LONGEST_LABEL:
        raise BadInput(f"--label must have 1 to {LONGEST_LABEL} characters")
    return label


def data_of(key: ApiKey) -> dict[str, Any]:
    """A key as JSON has it: without its secret, and without the hash."""
    return {
        "key_id": key.key_id,
        "role": key.role,
        "label": key.label,
        "actor_id": key.actor_id,
        "created_at": key.created_at,
        "expires_at": key.expires_at,
        "revoked_at": key.revoked_at,
    }
