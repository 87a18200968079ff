"""The entry of the command line."""

from __future__ import annotations

import importlib.metadata
import os
import sys
from collections.abc import Sequence
from typing import Annotated

import typer
from typer.exceptions import TyperException
from typer.main import get_command

from adapters.cli import (  # noqa: F401 - imported for the verbs that they add
    access,
    advance,
    api,
    api_key,
    audit,
    audit_csv,
    audit_held,
    audit_moments,
    audit_pack,
    audit_proof,
    audit_rerate,
    audit_totals,
    audit_witness,
    billing_profile,
    buy,
    cancel,
    catalog,
    demo,
    dev_token,
    explain,
    invoice,
    ledger,
    licenses,
    member,
    organization,
    payment_method,
    policy,
    privacy,
    purchases,
    quote,
    reconcile,
    relay,
    role,
    sandbox,
    seal,
    servers,
    take_over,
    up,
)
from adapters.cli.answer import as_text
from adapters.cli.failure import REFUSED, failure_of
from adapters.cli.groups import root
from adapters.settings import Settings
from domain.refusals import CardDataNotAccepted
from services.card_guard import refuse_card_data_in_words


def show_version(asked: bool) -> None:
    if asked:
        typer.echo(f"seatledger {importlib.metadata.version('seatledger')}")
        raise typer.Exit


@root.callback()
def seatledger(
    *,
    _version: Annotated[
        bool, typer.Option("--version", callback=show_version, is_eager=True, help="Shows the version.")
    ] = False,
) -> None:
    """Licenses by self-service: buy, assign, cancel; with a history that can be audited.

    Without settings it runs on a PostgreSQL and a broker of its own, under `.seatledger/`.
    `seatledger demo` shows everything once.
    """


def run(arguments: Sequence[str], settings: Settings | None = None) -> int:
    """Runs one verb and gives its exit code; without settings it reads them from the environment."""
    try:
        refuse_card_data_in_words(arguments)  # before anything else sees them, and perhaps repeats one
        code = get_command(root).main(list(arguments), prog_name="seatledger", standalone_mode=False, obj=settings)
    except (TyperException, CardDataNotAccepted) as error:
        if isinstance(error, TyperException) and not error.format_message():
            return error.exit_code  # nothing was asked, and the help was shown
        failure = failure_of(error)
        if "--json" in arguments:
            typer.echo(as_text(failure.data, indent=2))
        typer.echo(f"seatledger: {failure.message}", err=True)
        return failure.exit_code
    return code if isinstance(code, int) else 0


def main() -> None:
    """The console script."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    try:
        code = run(sys.argv[1:])
        sys.stdout.flush()
    except BrokenPipeError:  # nobody reads any more
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or the interpreter complains at its end
        code = REFUSED
    sys.exit(code)


if __name__ == "__main__":
    main()
