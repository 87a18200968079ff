"""What verbs about proofs share: files that somebody sent, keys of the caller's own, and how what is wrong is told."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from adapters.cli.failure import BadInput, Halted
from adapters.postgres.tree import NotSealed
from adapters.proof.notes import NoteInvalid, VerifyingKey
from adapters.proof.prove import NotAsSigned
from adapters.proof.seal_folder import SealFolderUnfit
from adapters.proof.trust import Trust, keys_from
from adapters.proof.witness import WitnessRefused
from projections.audit.merkle import ProofInvalid

LONGEST = 4_000_000  # bytes

KeysOption = Annotated[
    list[str] | None,
    typer.Option(
        "--key", metavar="VKEY|FILE", help="A key that you trust, of the log or a witness, or a file of keys."
    ),
]
OutOption = Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Where to; left out: to the screen.")]
ForceOption = Annotated[bool, typer.Option("--force", help="Overwrites a file.")]


def text_in(path: Path) -> str:
    """The text of a file that somebody sent."""
    if path.is_dir():
        raise BadInput(f"{path} is a folder; name a file in it")
    with path.open("rb") as file:
        content = file.read(LONGEST + 1)
    if len(content) > LONGEST:
        raise BadInput(f"{path} is too long to be a proof or a checkpoint")
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise BadInput(f"{path} is not text; name a proof or a checkpoint") from None


def keys_of(words: Sequence[str] | None) -> list[VerifyingKey]:
    """Keys as they were typed."""
    try:
        return keys_from(words or ())
    except NoteInvalid as error:
        raise BadInput(f"--key: {error}") from None


def trust_of(words: Sequence[str] | None, at_least: int = 0) -> Trust:
    """The keys of logs and witnesses that were typed, of which one is a log's."""
    try:
        return Trust.of(keys_of(words), at_least)
    except NoteInvalid as error:
        raise BadInput(f"--key: {error}") from None


@contextmanager
def what_is_wrong_is_told() -> Iterator[None]:
    """What does not prove what it should is an answer, and no defect."""
    try:
        yield
    except (NoteInvalid, ProofInvalid, NotSealed, NotAsSigned, SealFolderUnfit, WitnessRefused) as error:
        raise Halted(str(error)) from None
