"""seal, seal status, seal key, seal accept-fork, seal resume."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from adapters.cli.answer import Answer, moment, plural, table
from adapters.cli.call import OPERATOR, Call
from adapters.cli.failure import BadInput, Halted
from adapters.cli.groups import seals
from adapters.cli.verb import verb
from adapters.cli.working import ParentOption, end_with

if TYPE_CHECKING:
    from adapters.postgres.seal_session import SealSession
    from adapters.proof.sealed_anew import Left
    from adapters.proof.sealer import Sealer

WHAT = (
    "this goes on as {origin} from what is left of {before}: {left}; {lost}. Every auditor needs the new key, and"
    " whoever kept one of the lost checkpoints can show that events are missing. Say --yes if the restore was meant"
)


@verb(seals, "seal", org=False, worker=True, alone=True)
def seal(call: Call, parent: ParentOption = None) -> Answer:
    """Seals history: numbers settled events as leaves of a tree and signs its root, until SIGINT or SIGTERM.

    One seals, others stand by. It ends, and stays so, where anything is not as it was signed.

    Example: `SEATLEDGER_SEAL_FOLDER=/var/lib/seatledger-seal seatledger seal`
    """
    from adapters.proof.sealer import Pace
    from adapters.workers.sealer import SealerSettings, run_as_process
    from adapters.workers.tell_prometheus import telling

    end_with(parent)
    house, asked = call.house, call.house.settings
    settings = SealerSettings(
        house.seal_database_url,
        house.seal_folder,
        send=sender(call),
        every_s=asked.seal_every_s,
        pace=Pace(idle_s=asked.seal_idle_s, reread_s=asked.seal_reread_s),
        clock=house.clock,
    )
    with telling(settings.metrics.registry, asked.sealer_metrics_host, asked.sealer_metrics_port):
        ending = run_as_process(settings)
    return Answer({"ended": ending.name.lower()}, [], exit_code=int(ending))


def sender(call: Call) -> Any:
    """To the topic of checkpoints; None where no broker is set, nor runs."""
    broker = call.house.running_broker
    if broker is None:
        return None
    from adapters.kafka.checkpoint_topic import CheckpointTopic

    return CheckpointTopic(broker.bootstrap, call.house.topics()).send


@verb(seals, "status", org=False)
def status(call: Call) -> Answer:
    """Shows who seals, how much is sealed, when it was last signed, and what the topic does not have yet.

    Example: `seatledger seal status`
    """
    from adapters.postgres.seal_standing import seal_standing

    now = seal_standing(call.house.database_url)
    broker = call.house.running_broker
    data = {
        **now._asdict(),
        "sealer": now.sealer._asdict() if now.sealer else None,
        "last_error": now.last_error._asdict() if now.last_error else None,
        "checkpoint": {"size": now.checkpoint.size, "sealed_at": now.checkpoint.sealed_at} if now.checkpoint else None,
        "broker": broker._asdict() if broker else None,
    }
    who = now.sealer
    rows: list[tuple[object, ...]] = [
        ("who seals", f"process {who.process_id} on {who.host} since {moment(who.since)}" if who else "nobody"),
        ("origin", now.origin),
        ("leaves signed for", now.checkpoint.size if now.checkpoint else 0),
        ("last signed", moment(now.checkpoint.sealed_at) if now.checkpoint else "never"),
        ("not sealed yet", plural(now.unsealed, "event")),
        ("not in the topic", plural(now.unpublished, "checkpoint") + ("" if broker else "; no broker runs")),
    ]
    if now.last_error:
        rows.append(("last error", f"{moment(now.last_error.failed_at)}: {now.last_error.why}"))
    return Answer(data, table("Sealer", ("what", ""), rows))


@verb(seals, "key", role=OPERATOR, org=False)
def key(
    call: Call,
    *,
    new: Annotated[
        bool, typer.Option("--new", help="Makes a key, which signs from now on; older ones go on signing beside it.")
    ] = False,
) -> Answer:
    """Shows the sealer's public keys as auditors need them, the newest first.

    The first of a pair checks checkpoints; the second checks when they were signed. The private keys never show.

    Examples: `seatledger seal key`, `seatledger seal key --new`
    """
    from adapters.postgres.session import SEALER
    from adapters.postgres.tree import TreeReads
    from adapters.proof.notes import COSIGNATURE, ED25519

    call.refuse_members()
    house = call.house
    with refusals_are_told(), TreeReads(house.seal_database_url, role=SEALER) as tree:
        if new:
            house.seal_folder.make_key()
        keys = house.seal_folder.keys(tree.origin())
    shown = [{"log": str(one.verifying(ED25519)), "time": str(one.verifying(COSIGNATURE))} for one in keys]
    rows = [(what, text) for one in shown for what, text in one.items()]
    return Answer({"keys": shown}, "\n".join(f"{what:<5}{text}" for what, text in rows))


@verb(seals, "accept-fork", role=OPERATOR, org=False)
def accept_fork(
    call: Call,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="The restore was meant, and I know what this does.")] = False,
) -> Answer:
    """Goes on sealing under the ledger's new name, after `ledger fork`. Without --yes it says what it would accept.

    Only what a restore lost may be missing: where anything else was changed it refuses.

    Example: `seatledger seal accept-fork --yes`
    """
    from adapters.proof.sealed_anew import accept_fork as accept
    from adapters.proof.sealed_anew import what_is_left

    call.refuse_members()
    folder = call.house.seal_folder
    with refusals_are_told(), the_only_sealer(call) as (session, sealer):
        found = what_is_left(session, folder)
        if not yes:
            raise BadInput(WHAT.format(origin=found.origin, before=found.last.origin, **words_of(found)))
        _, step = accept(session, folder, sealer)
    data = {
        "origin": found.origin,
        "before": found.last.origin,
        "fork": {**found.fork._asdict(), "chain_hash": found.fork.chain_hash and found.fork.chain_hash.hex()},
        "left": found.left.size if found.left else 0,
        "signed_before": found.last.size,
        "lost_checkpoints": list(found.lost),
        "size": step.size,
    }
    words = words_of(found)
    said = f"sealed as {found.origin}: {words['left']}; {words['lost']}; now start the sealer again"
    return Answer(data, said)


def words_of(found: Left) -> dict[str, str]:
    """What is left and what is lost, for people."""
    left = f"a tree of {found.left.size} leaves, as it was signed" if found.left else "nothing that was signed"
    lost = f"{plural(len(found.lost), 'checkpoint')} of up to {found.last.size} leaves are lost"
    return {"left": left, "lost": lost if found.lost else "no checkpoint is lost"}


@verb(seals, "resume", role=OPERATOR, org=False)
def resume(
    call: Call,
    checkpoint: Annotated[
        Path, typer.Option("--checkpoint", metavar="FILE", exists=True, dir_okay=False, help="That somebody kept.")
    ],
    signed_by: Annotated[
        str | None, typer.Option("--signed-by", metavar="VKEY", help="Its public key, where the secret one was lost.")
    ] = None,
) -> Answer:
    """Goes on from a checkpoint that somebody kept, when the sealer's folder was lost, or its key.

    Take the newest that there is outside the database: from the topic, or from an auditor. A lost key's public half
    comes from somebody who kept it; the same tree is then signed with the new key, which must be there.

    Example: `seatledger seal resume --checkpoint newest.txt`
    """
    from adapters.proof.notes import NoteInvalid, VerifyingKey
    from adapters.proof.sealed_anew import resume as go_on

    call.refuse_members()
    try:
        lost_key = VerifyingKey.parse(signed_by) if signed_by is not None else None
    except NoteInvalid as wrong:
        raise BadInput(f"--signed-by: {wrong}") from None
    with refusals_are_told(), no_other_seals(call) as session:
        try:
            note = checkpoint.read_text("utf-8")
        except UnicodeDecodeError:
            raise BadInput(f"{checkpoint.name} is not text") from None
        kept = go_on(session, call.house.seal_folder, note, call.house.clock(), lost_key)
    data = {"origin": kept.checkpoint.origin, "size": kept.checkpoint.size}
    return Answer(data, f"the sealer goes on from {plural(kept.checkpoint.size, 'leaf', 'leaves')}; start it")


@contextmanager
def the_only_sealer(call: Call) -> Iterator[tuple[SealSession, Sealer]]:
    """A sealer of one's own, while no other runs."""
    from adapters.postgres.follower import Follower
    from adapters.postgres.session import SEALER
    from adapters.proof.sealer import Pace, begin

    house = call.house
    with no_other_seals(call) as session, Follower(house.seal_database_url, role=SEALER) as follower:
        yield session, begin(session, follower, house.seal_folder, clock=house.clock, pace=Pace())


@contextmanager
def no_other_seals(call: Call) -> Iterator[SealSession]:
    """A session with the database's lock of the sealer and the folder's."""
    from adapters.postgres.seal_session import SealSession

    house = call.house
    with ExitStack() as opened:
        session = opened.enter_context(SealSession(house.seal_database_url))
        if not session.elected() or not opened.enter_context(house.seal_folder.alone()):
            raise Halted("a sealer runs: stop it first")
        yield session


@contextmanager
def refusals_are_told() -> Iterator[None]:
    """What halts a sealer is no defect."""
    from adapters.proof.sealed_anew import NotAccepted
    from adapters.workers.sealer import HALTS

    try:
        yield
    except (*HALTS, NotAccepted) as refused:
        raise Halted(str(refused)) from None
