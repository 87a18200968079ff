"""audit csv."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Annotated, Any, TextIO

import typer

from adapters.cli.answer import Answer, plural, table
from adapters.cli.audit_pack import asked_by
from adapters.cli.call import Call
from adapters.cli.failure import BadInput, Halted
from adapters.cli.groups import audit
from adapters.cli.progress import told_progress
from adapters.cli.verb import verb
from adapters.documents.audit_csv import TABLES, OrganizationTables, header_of
from adapters.postgres.pack_reads import PackReads

TOLD = 1_000  # events


@verb(audit, "csv", role="auditor")
def as_csv(
    call: Call,
    *,
    out: Annotated[Path, typer.Option("--out", metavar="FOLDER", help="A new folder, one file for each table.")],
    everything: Annotated[
        bool, typer.Option("--all", help="Of all organizations, also where SEATLEDGER_ORG names one.")
    ] = False,
) -> Answer:
    """Writes history as CSV for one's own tools: events, invoices, credit notes, payments, movements, assignments.

    The tables are derived from the events anew, not taken from what the product shows. People are ids. Amounts are in
    the currency's smallest unit. With --org of one organization, for its auditors too; without it of all.

    Example: `seatledger audit csv --org contoso --as cynthia@contoso.com --out contoso-csv`
    """
    organization_id = asked_by(call, None, None, cuts=[], everything=everything).organization_id
    counts = dict.fromkeys(TABLES, 0)
    with ExitStack() as opened:
        folder = opened.enter_context(new_folder(out))
        reads = opened.enter_context(PackReads(call.house.database_url))
        files = {name: opened.enter_context(begun_file(folder / f"{name}.csv", name)) for name in TABLES}
        more = opened.enter_context(told_progress("written", "events", reads.recorded(organization_id)))
        for events in reads.histories(organization_id):
            tables = OrganizationTables(call.house.mapper)
            for event in events:
                try:
                    files["events"].write(tables.line(event))
                except (ValueError, LookupError, TypeError):  # what a damaged one raises
                    raise Halted(
                        f"the event at position {event.position} cannot be read: look with `seatledger audit verify`"
                    ) from None
                counts["events"] += 1
                if counts["events"] % TOLD == 0:
                    more(TOLD)
            for name, line in tables.lines():
                files[name].write(line)
                counts[name] += 1
    rows = [(f"{name}.csv", count) for name, count in counts.items()]
    shown: list[Any] = [
        table(f"In {out}", ("file", "lines"), rows, numbers=("lines",)),
        plural(counts["events"], "event"),
    ]
    return Answer({"folder": str(out), "lines": counts}, shown)


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """A folder that comes under its name when everything is in it; what a killed run left is taken away."""
    if path.exists():
        raise BadInput(f"{path} is there already; name another folder")
    partial = path.with_name(f"{path.name}.partial")
    if partial.exists():
        shutil.rmtree(partial)
    partial.mkdir()
    try:
        yield partial
        partial.rename(path)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise


@contextmanager
def begun_file(path: Path, name: str) -> Iterator[TextIO]:
    """A file with its header, on the disk when it is closed."""
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(header_of(name))
        yield file
        file.flush()
        os.fsync(file.fileno())
