"""`python -m adapters.kit`: what a consumer did not manage, and where it stands."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from adapters.kit.parked import NotParked, discard_parked, parked, retry_parked
from adapters.kit.step import Handle
from adapters.kit.tables import Tables, connect, install

app = typer.Typer(no_args_is_help=True, help="What consumers of events did not manage, and where they stand.")
waiting = typer.Typer(no_args_is_help=True, help="Events that could not be handled, and those that wait behind them.")
app.add_typer(waiting, name="parked")

Database = Annotated[str, typer.Option(envvar="KIT_DATABASE_URL", help="The consumer's PostgreSQL database.")]
Name = Annotated[str, typer.Option("--consumer", help="The consumer's name.")]
Organization = Annotated[UUID | None, typer.Option("--organization", help="Of this one alone.")]


@app.command("install")
def install_tables(database: Database) -> None:
    """Makes the kit's tables where they are absent."""
    with connect(database, "install") as connection:
        install(connection)


@app.command()
def places(database: Database, consumer: Name) -> None:
    """Shows how far each partition is carried out."""
    with connect(database, consumer) as connection:
        tables = Tables(connection, consumer)
        source = tables.source()
        for partition, place in tables.places().items() if source else ():
            typer.echo(f"{source} partition {partition}: position {place.position}")


@waiting.command("list")
def show(database: Database, consumer: Name, organization: Organization = None) -> None:
    """Shows what waits, by organization, in order."""
    with connect(database, consumer) as connection:
        for one in parked(connection, consumer, organization):
            why = f"{one.attempts} attempts, {one.error}" if one.error else "waits behind the one before"
            typer.echo(f"{one.position} {one.organization_id} {one.sequence} {one.type}: {why}")


@waiting.command()
def retry(
    database: Database,
    consumer: Name,
    handle: Annotated[str, typer.Option(help="The consumer's code, as `package.module:function`.")],
    organization: Organization = None,
) -> None:
    """Handles what waits, in order; of each organization up to its first failure. The consumer may run meanwhile."""
    with connect(database, consumer) as connection:
        done = retry_parked(connection, consumer, _code(handle), organization)
        left = len(parked(connection, consumer, organization))
    typer.echo(f"handled {done.handled}, still waiting {left}")
    for one in done.failed:
        typer.echo(f"{one.position} {one.organization_id}: {one.error}", err=True)
    if done.failed:
        raise typer.Exit(1)


@waiting.command()
def discard(
    database: Database,
    consumer: Name,
    position: Annotated[int, typer.Argument(help="As `parked list` shows it.")],
    because: Annotated[str, typer.Option(help="Why; it is kept with the event.")],
) -> None:
    """Gives an event up, for ever; what it was, who did it and why stays in `kit.discarded`."""
    with connect(database, consumer) as connection:
        try:
            discard_parked(connection, consumer, position, because=because)
        except NotParked as refused:
            typer.echo(str(refused), err=True)
            raise typer.Exit(1) from None


def _code(name: str) -> Handle:
    module, _, function = name.partition(":")
    sys.path.insert(0, str(Path.cwd()))
    try:
        found: Handle = getattr(importlib.import_module(module), function)
    except (ImportError, AttributeError, ValueError):
        raise typer.BadParameter(f"there is no {name}", param_hint="--handle") from None
    return found


if __name__ == "__main__":
    app(prog_name="python -m adapters.kit")
