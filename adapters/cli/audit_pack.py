"""audit export, audit verify-pack, audit verifier."""

from __future__ import annotations

import importlib.metadata
import sys
from collections.abc import Callable
from contextlib import ExitStack
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any

import typer

from adapters.cli.answer import Answer, plural
from adapters.cli.call import OPERATOR, Call
from adapters.cli.failure import BadInput, Halted
from adapters.cli.groups import audit
from adapters.cli.growing_file import growing_file
from adapters.cli.progress import told_progress
from adapters.cli.verb import verb
from adapters.postgres.pack_reads import PackReads
from adapters.proof.checkpoints import Checkpoint
from adapters.proof.export_pack import LAST_POSITION, Asked, Exported, Maker, PackRefused, export_pack
from adapters.proof.notes import NoteInvalid, split
from domain.refusals import NotAllowed
from services.may import may
from services.read_history import ReadHistory, may_audit

PackArgument = Annotated[Path, typer.Argument(metavar="PACK", help="What `audit export` wrote.")]
KeysOption = Annotated[
    list[str] | None, typer.Option("--key", metavar="VKEY", help="A key of the ledger that you trust; may be repeated.")
]
WitnessesOption = Annotated[
    list[str] | None,
    typer.Option("--witness", metavar="VKEY", help="Of somebody who must have cosigned; may be repeated."),
]
KeptOption = Annotated[
    list[Path] | None,
    typer.Option("--checkpoint", metavar="FILE", help="A checkpoint that was kept from an earlier time; repeatable."),
]


@verb(audit, "export", role="auditor")
def export(
    call: Call,
    *,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Where to.")],
    first: Annotated[
        int | None, typer.Option("--from", metavar="POSITION", min=1, help="Only from this position on.")
    ] = None,
    last: Annotated[
        int | None, typer.Option("--to", metavar="POSITION", min=1, help="Only up to this position, which is included.")
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Of all organizations, also where SEATLEDGER_ORG names one.")
    ] = False,
    kept: KeptOption = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrites a file.")] = False,
) -> Answer:
    """Exports a pack that proves itself offline: sealed events, the tree around them, and signed checkpoints.

    With --org one organization's events, for its auditors too; without it everything, or a range of positions, for
    operators. --checkpoint has it made so that a checkpoint kept from before can be compared with a part as well.

    Examples: `seatledger audit export --out all.pack --as operator`,
    `seatledger audit export --org contoso --as cynthia@contoso.com --out contoso.pack --checkpoint last-year`
    """
    asked = asked_by(call, first, last, cuts=[size_of(path) for path in kept or ()], everything=everything)
    with ExitStack() as opened:
        file = opened.enter_context(growing_file(out, force=force))
        reads = opened.enter_context(PackReads(call.house.database_url))
        try:
            done = export_pack(
                reads,
                asked,
                file,
                maker_of(call, reads.tree.origin()),
                lambda events: opened.enter_context(told_progress("exported", "events", events)),
            )
        except PackRefused as refused:
            raise Halted(str(refused)) from None
    return Answer(exported_data(out, done), exported_text(out, done))


def asked_by(call: Call, first: int | None, last: int | None, *, cuts: list[int], everything: bool) -> Asked:
    """What the caller may have of what was typed."""
    if call.handle and not everything:
        if first is not None or last is not None:
            raise BadInput("a range goes over all organizations; leave --from and --to out, or say --all")
        may_audit(call.house.ledger, call.wish(ReadHistory, aggregate_id=call.organization_id))
        return Asked(organization_id=call.organization_id, cuts=cuts)
    may(call.actor, "audit")
    if call.actor.role != OPERATOR:
        raise NotAllowed(action="export all organizations", remedy="name yours with --org, or ask an operator")
    return Asked(first or 0, LAST_POSITION if last is None else last, cuts=cuts)


def size_of(path: Path) -> int:
    """The size of the tree that a kept checkpoint is of."""
    try:
        return Checkpoint.parse(split(path.read_text("utf-8"))[0]).size
    except (NoteInvalid, UnicodeDecodeError):
        raise BadInput(f"{path} is no checkpoint; name the file `checkpoint` of an earlier pack") from None


def maker_of(call: Call, origin: str) -> Maker:
    """The keys are those at hand; where the sealer's folder is elsewhere, the pack has none."""
    from adapters.proof.seal_folder import SealFolderUnfit

    try:
        keys = [str(key.verifying()) for key in call.house.seal_folder.keys(origin)]
    except (SealFolderUnfit, OSError):
        keys = []
    return Maker(f"seatledger {importlib.metadata.version('seatledger')}", keys, call.house.clock())


def exported_data(out: Path, done: Exported) -> dict[str, Any]:
    manifest = done.manifest
    return {
        "file": str(out),
        "bytes": out.stat().st_size,
        "what": manifest.what,
        "organization_id": manifest.organization_id,
        "origin": manifest.origin,
        "size": manifest.size,
        "start": manifest.start,
        "end": manifest.end,
        "events": done.events,
        "checkpoints": done.checkpoints,
        "not_sealed": done.not_sealed,
    }


def exported_text(out: Path, done: Exported) -> list[str]:
    told = [f"{plural(done.events, 'event')} in {out}, of the tree of {plural(done.manifest.size, 'leaf', 'leaves')}"]
    if done.not_sealed:
        told.append(f"{plural(done.not_sealed, 'later event is', 'later events are')} not sealed yet, and not in it")
    return told


@verb(audit, "verify-pack", org=False)
def verify_pack(
    _call: Call,
    pack: PackArgument,
    *,
    keys: KeysOption = None,
    witnesses: WitnessesOption = None,
    require: Annotated[
        int | None, typer.Option("--require", metavar="N", min=0, help="How many witnesses must have. Default: all.")
    ] = None,
    kept: KeptOption = None,
) -> Answer:
    """Verifies a pack without the ledger: the same check as that of `verify_pack.py`, which needs no seatledger.

    Exit code 0: verified; 1: not verified; 2: bad arguments; 3: a file cannot be read; 4: no --key was given, and
    only the keys in the pack itself fit it, which proves nothing against whoever made it.

    Example: `seatledger audit verify-pack contoso.pack --key "$VKEY" --checkpoint last-year`
    """
    from adapters.proof import verify_pack as verifier

    try:
        logs = [verifier.key_of(key) for key in keys or ()]
        cosigners = [verifier.key_of(key, verifier.WITNESS) for key in witnesses or ()]
    except verifier.NotVerified as unfit:
        raise BadInput(str(unfit)) from None
    try:
        notes = [(str(path), path.read_bytes()) for path in kept or ()]
        with pack.open("rb") as file, ExitStack() as opened:
            done = verifier.verify(
                file, keys=logs, witnesses=cosigners, require=require, kept=notes, progress=Leaves(opened).told
            )
    except OSError as error:
        why = f"{error.filename or pack} cannot be read: {error.strerror}"
        return Answer({"verified": False, "why": why}, why, exit_code=verifier.UNREADABLE)
    except verifier.NotVerified as found:
        return Answer({"verified": False, "why": str(found)}, f"NOT VERIFIED: {found}", verifier.NOT_VERIFIED)
    data = {
        "verified": not done.by_own_keys,
        "by_own_keys": done.by_own_keys,
        "origin": done.checkpoint.origin,
        "size": done.checkpoint.size,
        "root": done.checkpoint.root.hex(),
        "what": done.ledger.what,
        "events": done.ledger.events,
        "organizations": len(done.ledger.chains),
        "first_position": done.ledger.first,
        "last_position": done.ledger.position,
        "earlier_checkpoints": done.earlier,
        "kept_checkpoints": done.kept,
        "cosigned": {key.name: at for key, at in done.checkpoint.signed.items() if key.kind == verifier.WITNESS},
    }
    code = verifier.BY_ITS_OWN_KEYS if done.by_own_keys else verifier.VERIFIED
    return Answer(data, list(done.lines()), exit_code=code)


class Leaves:
    """Tells how many leaves are checked, from the first time that it hears of them."""

    def __init__(self, opened: ExitStack) -> None:
        self._opened, self._before = opened, 0
        self._more: Callable[[int], None] | None = None

    def told(self, done: int, size: int) -> None:
        if self._more is None:
            self._more = self._opened.enter_context(told_progress("checked", "leaves", size))
        self._more(done - self._before)
        self._before = done


@verb(audit, "verifier", org=False)
def verifier(call: Call) -> Answer | None:
    """Prints the verifier of packs, a Python file that needs the package `cryptography` and nothing of seatledger.

    Its sha256 stands in the notes of each release; with --json it comes beside the source.

    Example: `seatledger audit verifier > verify_pack.py`
    """
    from adapters.proof import verify_pack as program

    source = Path(str(program.__file__)).read_bytes()
    if call.as_json:
        return Answer({"sha256": sha256(source).hexdigest(), "source": source.decode()}, "")
    sys.stdout.write(source.decode())
    return None
