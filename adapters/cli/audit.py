"""audit history, audit show, audit verify."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer

from adapters.cli.answer import Answer, as_text, moment, plural, table
from adapters.cli.call import OPERATOR, Call
from adapters.cli.failure import BadInput
from adapters.cli.groups import audit
from adapters.cli.moments import AtOption, EffectiveOption, as_of_from
from adapters.cli.parse import uuid_from
from adapters.cli.proof_files import KeysOption, keys_of, text_in, what_is_wrong_is_told
from adapters.cli.verb import verb
from adapters.composition import Verified
from adapters.erased_facts import history_marked, state_marked
from adapters.proof.notes import NoteInvalid
from adapters.proof.verify_tree import TreeVerified, Trusted, brought
from adapters.replay import state_as_of
from projections.audit.replay import history as told_history
from services.may import may
from services.read_as_of import ReadAsOf
from services.read_history import ReadHistory, read_history

IdArgument = Annotated[
    str, typer.Argument(metavar="ID", help="Of a subscription, pool, member, offer or the organization.")
]
SHOWN_FACTS = 120  # characters of an event's facts in a table


def aggregate_id_from(words: str) -> UUID:
    if (found := uuid_from(words)) is None:
        raise BadInput(f"{words!r} is no id; write the whole UUID, as `purchases list` shows it")
    return found


@verb(audit, "history", role="auditor")
def history(call: Call, aggregate: IdArgument) -> Answer:
    """Reads everything that happened to a thing: what, by whom, because of which command, and when.

    A subscription's history includes its licenses. Names do not show: history knows people by ids, and what was erased
    of them is marked.

    Example: `seatledger audit history SUBSCRIPTION --org contoso --as operator`
    """
    query = call.wish(ReadHistory, aggregate_id=aggregate_id_from(aggregate))
    told = list(told_history(read_history(call.house.ledger, query), call.house.mapper))
    entries = history_marked(call.house.directory, query.organization_id, told)
    rows = [
        (one.organization_seq, moment(one.recorded_at), one.event, one.actor_role, one.command, brief(one.facts))
        for one in entries
    ]
    columns = ("#", "recorded", "event", "by", "command", "facts")
    return Answer({"history": [one.model_dump() for one in entries]}, table("History", columns, rows, numbers=("#",)))


def brief(facts: dict[str, Any]) -> str:
    """The plain facts of an event in a line; nested ones stand in the JSON."""
    plain = {name: value for name, value in facts.items() if isinstance(value, str | int) and not name.endswith("_id")}
    text = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in plain.items())
    return text if len(text) <= SHOWN_FACTS else f"{text[: SHOWN_FACTS - 1]}…"


@verb(audit, "show", role="auditor")
def show(
    call: Call,
    aggregate: IdArgument,
    at: AtOption = None,
    effective: EffectiveOption = None,
) -> Answer:
    """Shows a thing as we knew it at a moment (--at), as it was at a moment (--effective), or both.

    A renewal that a late run recorded shows by --effective from the day on which it was due, and by --at from when it
    was recorded.

    Examples: `seatledger audit show SUBSCRIPTION --at 2025-08-01T14:30:00Z`, `seatledger audit show POOL --at 591`,
    `seatledger audit show SUBSCRIPTION --effective 2025-08-01`
    """
    as_of = as_of_from(at, effective)
    query = call.wish(ReadAsOf, aggregate_id=aggregate_id_from(aggregate), as_of=as_of)
    state = state_as_of(call.house.ledger, query, call.house.mapper)
    found = state_marked(call.house.directory, query.organization_id, state)
    rows = [(name.replace("_", " "), as_text(value)) for name, value in found.state.items()]
    title = f"{found.aggregate} {found.aggregate_id}, version {found.version}, position {found.position}"
    return Answer(found.model_dump(), table(title, ("what", "as it was"), rows))


@verb(audit, "verify", role=OPERATOR, org=False)
def verify(
    call: Call,
    topic: Annotated[
        bool | None, typer.Option("--topic/--no-topic", help="Compares Kafka's topic. Default: where a broker runs.")
    ] = None,
    keys: KeysOption = None,
    kept: Annotated[
        list[Path] | None,
        typer.Option("--checkpoint", metavar="FILE", help="A checkpoint that was kept elsewhere; needs --key."),
    ] = None,
) -> Answer:
    """Proves history: chains from the stored bytes, receipts, facts, amounts, snapshots, read tables and the topic.

    And that it is as it was signed: each event is a leaf of the tree, and the tree has the root of each checkpoint. By
    a checkpoint that was kept elsewhere shows what a whole database no longer knows: that its end is missing, or that
    it was written anew. Without --key the sealer's folder on this machine says what was signed.

    Everything that is derived is derived again and compared; each difference is named by its key, and the exit code
    is then 1.

    Examples: `seatledger audit verify`, `seatledger audit verify --checkpoint 2025.checkpoint --key log.vkey`
    """
    may(call.actor, "audit")
    trusted = brought_by(keys, kept or [])
    with what_is_wrong_is_told():
        done = call.house.verify(topic=topic, told=lambda line: typer.echo(line, err=True), trusted=trusted)
    data = {
        "verified": done.verified,
        "checks": done.checks,
        "organizations": done.organizations,
        "events": done.events,
        "topic": done.topic,
        "tree": done.tree._asdict(),
        "differences": [one.model_dump() for one in done.differences],
        "skipped": [{"edition": one.edition, "position": one.position, "why": one.why} for one in done.skips],
        "forks": [{"from_epoch": one.from_epoch, "to_epoch": one.to_epoch, "why": one.why} for one in done.forks],
    }
    return Answer(data, list(shown(done)), exit_code=0 if done.verified else 1)


def brought_by(words: list[str] | None, files: list[Path]) -> Trusted | None:
    """The keys and checkpoints that somebody brings; None: neither."""
    if not words and not files:
        return None
    try:
        return brought(keys_of(words), [(f"the checkpoint in {path}", text_in(path)) for path in files])
    except NoteInvalid as error:
        raise BadInput(f"--checkpoint: {error}; name the key by which it was signed with --key") from None


def shown(done: Verified) -> Iterator[Any]:
    rows = [(name, plural(count, "difference") if count else "as it should be") for name, count in done.checks.items()]
    yield table("Audit", ("check", "result"), rows)
    if done.differences:
        found = [(one.check, one.key, one.what) for one in done.differences]
        yield table("Differences", ("check", "key", "what"), found)
    for fork in done.forks:
        yield f"forked {moment(fork.forked_at)} at position {fork.last_position}, epoch {fork.to_epoch}: {fork.why}"
    for skip in done.skips:
        yield f"skipped {moment(skip.skipped_at)}: position {skip.position} of edition {skip.edition}: {skip.why}"
    yield sealed(done.tree)
    about = f"{plural(done.events, 'event')} of {plural(done.organizations, 'organization')}"
    yield (
        f"verified: {about}"
        if done.verified
        else f"NOT verified: {plural(len(done.differences), 'difference')} in {about}"
    )


def sealed(tree: TreeVerified) -> str:
    """How much of history is under a signature."""
    unchecked = f", of which {tree.unchecked:,} were not checked by a key (--key)" if tree.unchecked else ""
    signed = f"{plural(tree.sealed, 'event')} sealed, by {plural(tree.checkpoints, 'checkpoint')}{unchecked}"
    return f"{signed}; not sealed yet: {plural(tree.unsealed, 'event')}"
