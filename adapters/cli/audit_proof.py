"""audit prove, audit check-proof, audit checkpoint, audit consistency."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from adapters.cli.answer import Answer, moment
from adapters.cli.call import Call
from adapters.cli.failure import BadInput
from adapters.cli.groups import audit
from adapters.cli.parse import uuid_from
from adapters.cli.proof_files import (
    ForceOption,
    KeysOption,
    OutOption,
    keys_of,
    text_in,
    trust_of,
    what_is_wrong_is_told,
)
from adapters.cli.verb import verb
from adapters.cli.write_file import write_file
from adapters.postgres.sealed_reads import SealedReads
from adapters.postgres.tree import TreeReads
from adapters.proof.check_proof import Grown, Proven, check_event, check_growth
from adapters.proof.checkpoints import Checkpoint
from adapters.proof.notes import split
from adapters.proof.proofs import OLD
from adapters.proof.prove import checkpoint_in, newest, of_size, prove_event, prove_growth
from adapters.proof.trust import Trust, Trusted
from domain.refusals import NotFound
from services.read_history import ReadHistory, may_audit

NUMBER = re.compile(r"[0-9]{1,18}")
RequireOption = Annotated[
    int, typer.Option("--require", min=0, metavar="N", help="So many witnesses must have cosigned.")
]


@verb(audit, "prove", role="auditor")
def prove(
    call: Call,
    event: Annotated[
        str, typer.Argument(metavar="EVENT|POSITION", help="An event's id, as the topic has it, or its position.")
    ],
    out: OutOption = None,
    force: ForceOption = False,
) -> Answer | None:
    """Proves that an event of the organization is in the signed tree, by a file that needs nothing else to be checked.

    The file holds the event in its exact bytes; who checks it needs the log's key alone.

    Example: `seatledger audit prove 591 --out 591.tlog-proof --org contoso --as cynthia@contoso.com`
    """
    may_audit(call.house.ledger, call.wish(ReadHistory, aggregate_id=call.organization_id))
    position = int(event) if NUMBER.fullmatch(event) else position_of(call, event)
    with TreeReads(call.house.database_url) as tree, what_is_wrong_is_told():
        proof = prove_event(tree, call.organization_id, position)
    data = {"position": position, "leaf_index": proof.leaf_index}
    return handed_out(
        call, proof.text(), out, data, f"proof of leaf {proof.leaf_index}, position {position}", force=force
    )


def position_of(call: Call, words: str) -> int:
    """Where the event with an id stands."""
    from adapters.kafka.cloud_event import event_id  # only here: the client takes longest to import

    asked = uuid_from(words)
    if asked is None:
        raise BadInput(f"{words!r} is neither the id of an event nor a position; write the whole id, or a number")
    organization_id = call.organization_id
    with SealedReads(call.house.database_url) as reads:
        for originator_id, version, position in reads.places(organization_id):
            if event_id(organization_id, f"event:{originator_id}:{version}".encode()) == str(asked).encode():
                return position
    raise NotFound(what="event", key=asked)


@verb(audit, "check-proof", org=False)
def check_proof(
    _: Call,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What `audit prove` or `audit consistency` wrote.")],
    keys: KeysOption = None,
    earlier: Annotated[
        Path | None, typer.Option("--earlier", metavar="FILE", help="The checkpoint from which a tree has grown.")
    ] = None,
    require: RequireOption = 0,
) -> Answer:
    """Checks a proof with nothing but keys of your own; it asks neither the database nor the network.

    Example: `seatledger audit check-proof 591.tlog-proof --key log.vkey`
    """
    trust, text = trust_of(keys, require), text_in(file)
    with what_is_wrong_is_told():
        if not text.startswith(OLD):
            return proven(check_event(text, trust))
        if earlier is None:
            raise BadInput(
                "the file proves how a tree has grown: name the checkpoint that you kept with --earlier FILE"
            )
        return grown(check_growth(text, text_in(earlier), trust))


def proven(found: Proven) -> Answer:
    event = found.event
    data = {
        "proved": "inclusion",
        "leaf_index": found.leaf_index,
        "position": event.position,
        "organization_id": event.organization_id,
        "organization_seq": event.organization_seq,
        "aggregate_id": event.originator_id,
        "version": event.originator_version,
        "event": event.topic.removeprefix("seatledger."),
        "recorded_at": event.recorded_time,
        "chain_hash": event.chain_hash.hex(),
        "stored": event.state.decode(errors="backslashreplace"),
        "envelope": event.metadata.decode(errors="backslashreplace"),
        "checkpoint": checkpoint_data(found.trusted),
    }
    said = (
        f"proved: leaf {found.leaf_index} is {data['event']} at position {event.position}, number"
        f" {event.organization_seq} of organization {event.organization_id}, recorded {moment(event.recorded_time)}"
    )
    return Answer(data, [said, signed_by(found.trusted)])


def grown(found: Grown) -> Answer:
    earlier, later = found.earlier.checkpoint, found.later.checkpoint
    data = {"proved": "consistency", "earlier": checkpoint_data(found.earlier), "later": checkpoint_data(found.later)}
    said = f"proved: the tree of {later.size} leaves begins with the one of {earlier.size}"
    return Answer(data, [said, signed_by(found.later)])


def checkpoint_data(trusted: Trusted) -> dict[str, Any]:
    return {
        "origin": trusted.checkpoint.origin,
        "size": trusted.checkpoint.size,
        "root": trusted.checkpoint.root.hex(),
        "signed_at": None if trusted.signed_at is None else datetime.fromtimestamp(trusted.signed_at, UTC),
        "witnesses": {name: datetime.fromtimestamp(at, UTC) for name, at in trusted.witnesses.items()},
    }


def signed_by(trusted: Trusted) -> str:
    """Who signed a checkpoint, and when, for people."""
    at = trusted.signed_at
    when = ", the log does not say when" if at is None else f" at {moment(datetime.fromtimestamp(at, UTC))}"
    witnesses = [f"{name} at {moment(datetime.fromtimestamp(at, UTC))}" for name, at in trusted.witnesses.items()]
    also = f"; cosigned by {', '.join(witnesses)}" if witnesses else ""
    return f"signed by {trusted.checkpoint.origin}{when}, {trusted.checkpoint.size} leaves{also}"


@verb(audit, "checkpoint", role="auditor")
def checkpoint(
    call: Call,
    size: Annotated[
        int | None, typer.Option("--size", min=1, metavar="LEAVES", help="Of so many leaves. Default: the newest.")
    ] = None,
    out: OutOption = None,
    force: ForceOption = False,
) -> Answer | None:
    """Gives a signed checkpoint of the ledger's tree: keep it elsewhere, for by it a later change shows.

    Example: `seatledger audit checkpoint --out contoso-2026.checkpoint --org contoso --as cynthia@contoso.com`
    """
    may_audit(call.house.ledger, call.wish(ReadHistory, aggregate_id=call.organization_id))
    with TreeReads(call.house.database_url) as tree, what_is_wrong_is_told():
        sealed = newest(tree) if size is None else of_size(tree, size)
        found = checkpoint_in(sealed)
    data = {"origin": found.origin, "size": found.size, "root": found.root.hex(), "sealed_at": sealed.sealed_at}
    return handed_out(call, sealed.note, out, data, f"checkpoint of {found.size} leaves", force=force)


@verb(audit, "consistency", role="auditor")
def consistency(
    call: Call,
    *,
    old: Annotated[str, typer.Argument(metavar="OLD", help="A kept checkpoint's file, or the size of one.")],
    new: Annotated[str | None, typer.Argument(metavar="NEW", help="A size. Default: the newest.")] = None,
    keys: KeysOption = None,
    out: OutOption = None,
    force: ForceOption = False,
) -> Answer | None:
    """Shows that the tree still begins with a checkpoint that was kept, by a file that can be checked anywhere.

    With --key the log's signature on the kept one is checked first. Witnesses of C2SP take such a file as it is.

    Example: `seatledger audit consistency contoso-2025.checkpoint --key log.vkey --out grown.proof --org contoso`
    """
    if new is not None and not NUMBER.fullmatch(new):
        raise BadInput(f"{new!r} is no size; write a number of leaves, or leave it out for the newest")
    may_audit(call.house.ledger, call.wish(ReadHistory, aggregate_id=call.organization_id))
    with TreeReads(call.house.database_url) as tree, what_is_wrong_is_told():
        earlier = checkpoint_in(of_size(tree, int(old))) if NUMBER.fullmatch(old) else kept_in(Path(old), keys)
        proof = prove_growth(tree, earlier, newest(tree) if new is None else of_size(tree, int(new)))
        later = Checkpoint.parse(split(proof.note)[0])
    data = {"origin": later.origin, "earlier": earlier.size, "size": later.size}
    said = f"consistent: the tree of {later.size} leaves begins with the one of {earlier.size}"
    return handed_out(call, proof.text(), out, data, said, force=force)


def kept_in(path: Path, words: list[str] | None) -> Checkpoint:
    """A checkpoint that was kept; by keys of one's own if there are any."""
    note, keys = text_in(path), keys_of(words)
    return Trust.of(keys).opened(note).checkpoint if keys else Checkpoint.parse(split(note)[0])


def handed_out(
    call: Call, text: str, out: Path | None, data: dict[str, Any], said: str, *, force: bool
) -> Answer | None:
    """In a file of its own, or on the screen byte by byte: a line that is broken proves nothing."""
    if out is None:
        if call.as_json:
            return Answer({**data, "text": text}, "")
        typer.echo(text, nl=False)
        return None
    write_file(out, text.encode(), force=force)
    return Answer({**data, "file": str(out)}, f"{said}: {out}")
