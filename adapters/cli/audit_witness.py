"""audit witness, audit witness-key."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from adapters.cli.answer import Answer
from adapters.cli.audit_proof import checkpoint_data, signed_by
from adapters.cli.call import Call
from adapters.cli.failure import BadInput
from adapters.cli.groups import audit
from adapters.cli.proof_files import ForceOption, text_in, trust_of, what_is_wrong_is_told
from adapters.cli.verb import verb
from adapters.cli.write_file import exists
from adapters.proof.notes import COSIGNATURE, NoteInvalid
from adapters.proof.shown_by_api import ShownByApi
from adapters.proof.shown_logs import ShownByFile, ShownByTree
from adapters.proof.whole_file import write_whole
from adapters.proof.witness import Cosigned, Shown, Witness
from adapters.proof.witness_key import key_in, made_key, read_key

SILENT_S = 2 * 3600  # a log signs at least hourly


@verb(audit, "witness-key", org=False)
def witness_key(
    _: Call,
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="Who cosigns, as an address without spaces: auditor.example/ana.")
    ],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Where the secret key goes.")],
) -> Answer:
    """Makes a key with which an auditor cosigns, and shows its public half, which others check cosignatures by.

    Example: `seatledger audit witness-key auditor.example/ana --out witness.key`
    """
    try:
        secret = made_key(name)
    except NoteInvalid as error:
        raise BadInput(f"{error}; write something like auditor.example/ana") from None
    try:
        with os.fdopen(os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
            file.write(secret)
    except FileExistsError:
        raise BadInput(f"{out} is there already; a key is never overwritten") from None
    public = str(key_in(secret).verifying(COSIGNATURE))
    return Answer({"file": str(out), "key": public}, public)


@verb(audit, "witness", org=True)
def witness(
    call: Call,
    *,
    key_file: Annotated[
        Path, typer.Option("--key-file", metavar="FILE", exists=True, dir_okay=False, help="Your secret key.")
    ],
    state: Annotated[
        Path, typer.Option("--state", metavar="FILE", help="Your record of what you cosigned last; lose it never.")
    ],
    log_key: Annotated[
        list[str], typer.Option("--log-key", metavar="VKEY|FILE", help="The log's key, which you were once given.")
    ],
    file: Annotated[
        Path | None,
        typer.Option("--from", metavar="FILE", help="A checkpoint, or what `audit consistency` wrote from your last."),
    ] = None,
    url: Annotated[
        str | None, typer.Option("--url", metavar="URL", help="The API, where --org is an organization of yours.")
    ] = None,
    token_file: Annotated[
        Path | None, typer.Option("--token-file", metavar="FILE", help="With the token, or key, that the API takes.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="The cosigned checkpoint. Default: to the screen.")
    ] = None,
    first: Annotated[bool, typer.Option("--first", help="Nothing of this log was ever cosigned.")] = False,
    force: ForceOption = False,
) -> Answer | None:
    """Cosigns the newest checkpoint with a key of your own, if the tree begins with the one that you cosigned last.

    From a file, from the API, or else from the database. Which log it is, by which key, and what you cosigned before
    come from your own files alone. It refuses a tree that is smaller or another one, and keeps both checkpoints.

    Example: `seatledger audit witness --key-file witness.key --state state --log-key log.vkey --url https://api.example`
    """
    if file is not None and url is not None:
        raise BadInput("take --from or --url, not both")
    if out is not None and out.exists() and not force:
        raise exists(out)
    log = trust_of(log_key)
    with what_is_wrong_is_told():
        shown = shown_by(call, file, url, token_file)
        done = Witness(read_key(key_file), log, state, call.house.clock).cosign(shown, first=first)
    if done.silent_s is None or done.silent_s > SILENT_S:
        typer.echo(f"WARNING: {silence(done.silent_s)}: ask whether newer ones are held back", err=True)
    if out is not None:
        write_whole(out, done.note, mode=0o644)
    elif not call.as_json:
        typer.echo(done.note, nl=False)
        return None
    return cosigned(done, out)


def silence(silent_s: int | None) -> str:
    """What may be wrong with the log's own time."""
    if silent_s is None:
        return "the log does not say when it signed this, and it always does"
    return f"the log has signed nothing for {silent_s / 3600:,.0f} hours"


def shown_by(call: Call, file: Path | None, url: str | None, token_file: Path | None) -> Shown:
    """Where the log is looked at."""
    if file is not None:
        return ShownByFile(text_in(file))
    if url is None:
        return ShownByTree(call.house.database_url)
    if not call.handle:
        raise BadInput("say for which organization you ask: --org HANDLE")
    return ShownByApi(url, call.handle, text_in(token_file).strip() if token_file else None)


def cosigned(done: Cosigned, out: Path | None) -> Answer:
    at = datetime.fromtimestamp(done.at, UTC)
    data = {
        "checkpoint": checkpoint_data(done.trusted),
        "before": checkpoint_data(done.before) if done.before else None,
        "cosigned_at": at,
        "silent_s": done.silent_s,
        **({"text": done.note} if out is None else {"file": str(out)}),
    }
    before = f", which begins with the one of {done.before.checkpoint.size} leaves" if done.before else ", the first"
    said = f"cosigned a tree of {done.trusted.checkpoint.size} leaves{before}: {out}"
    return Answer(data, [said, signed_by(done.trusted)])
