"""The options that say as of when: as we knew it, and as it was."""

from __future__ import annotations

from typing import Annotated

import typer

from adapters.cli.failure import BadInput
from adapters.cli.parse import moment_from, position_or_moment_from
from domain.as_of import AsOf

AtOption = Annotated[
    str | None,
    typer.Option(
        "--at", metavar="TIME|POSITION", help="As we knew it: by a UTC time of recording, or a position of history."
    ),
]
EffectiveOption = Annotated[
    str | None,
    typer.Option(
        "--effective", metavar="TIME", help="As it was: what had taken effect by this UTC time, whenever recorded."
    ),
]


def as_of_from(at: str | None, effective: str | None, *, options: tuple[str, str] = ("--at", "--effective")) -> AsOf:
    """The moment that the options say; refuses where they say none."""
    if at is None and effective is None:
        raise BadInput(f"say as of when: {options[0]} for how we knew it then, {options[1]} for how it was then")
    return moment_of(at, effective, options=options)


def moment_of(at: str | None, effective: str | None, *, options: tuple[str, str] = ("--at", "--effective")) -> AsOf:
    """The moment that the options say: now, where they say none."""
    return AsOf(
        known=None if at is None else position_or_moment_from(at, options[0]),
        effective_at=None if effective is None else moment_from(effective, options[1]),
    )
