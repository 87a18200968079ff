"""audit states, audit read-model, audit diff, audit timeline."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Annotated, Any

import typer
from rich.console import RenderableType

from adapters.cli.answer import Answer, as_text, moment, plural, table
from adapters.cli.audit import aggregate_id_from
from adapters.cli.call import Call
from adapters.cli.failure import BadInput
from adapters.cli.groups import audit
from adapters.cli.moments import AtOption, EffectiveOption, as_of_from, moment_of
from adapters.cli.verb import verb
from adapters.replay import differing, states
from domain.as_of import AsOf
from domain.kernel import Value
from projections.audit.between import Between, between
from projections.audit.read_model_at import read_model_at
from projections.audit.replay import HistoryEntry
from projections.audit.replay import history as told_history
from projections.projection import Table
from projections.read_models import READ_MODELS
from services.ports_reads import PAGE
from services.read_aggregates import read_all_aggregates
from services.read_history import ReadHistory, read_history, read_stream
from services.read_organization import ReadOrganization, ReadTimeline, read_organization, read_timeline

LinesOption = Annotated[
    bool, typer.Option("--lines", help="Writes one JSON document a line, as it finds them: for very many.")
]
SHOWN_VALUE = 60  # characters of a value in a table
WIDEST = 8  # columns that stand beside one another
FROM, TO = ("--from", "--effective-from"), ("--to", "--effective-to")


@verb(audit, "states", role="auditor")
def show_states(
    call: Call, at: AtOption = None, effective: EffectiveOption = None, lines: LinesOption = False
) -> Answer | None:
    """Shows a whole organization as of a moment: the state of everything in it.

    Examples: `seatledger audit states --at 2025-08-01T14:30:00Z --org contoso --as operator`,
    `seatledger audit states --effective 2025-08-01 --lines > states.jsonl`
    """
    as_of = as_of_from(at, effective)
    found = states(read_all_aggregates(call.house.ledger, call.wish(ReadOrganization)), call.house.mapper, as_of)
    if lines:
        write(call, found)
        return None
    every = list(found)
    kinds = Counter(one.aggregate for one in every)
    rows = [(one.aggregate, one.aggregate_id, one.version, moment(one.recorded_at)) for one in every]
    shown: list[RenderableType] = [
        table("States", ("what", "id", "version", "last recorded"), rows, numbers=("version",)),
        ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items())),
    ]
    return Answer({"states": [one.model_dump() for one in every]}, shown)


@verb(audit, "read-model", role="auditor")
def show_read_model(
    call: Call,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Such as purchases or assignments.")],
    at: AtOption = None,
    effective: EffectiveOption = None,
    only: Annotated[str | None, typer.Option("--table", help="Only this table of it.")] = None,
) -> Answer:
    """Shows a read model as of a moment, folded from the organization's history in memory: no read table is touched.

    Examples: `seatledger audit read-model purchases --at 2025-08-01T14:30:00Z --org contoso --as operator`,
    `seatledger audit read-model assignments --effective 2025-08-01 --json`
    """
    projection = next((one for one in READ_MODELS if one.name == name), None)
    if projection is None:
        raise BadInput(f"{name!r} is no read model; there are {', '.join(one.name for one in READ_MODELS)}")
    known = [one.name for one in projection.tables]
    if only not in {None, *known}:
        raise BadInput(f"--table {only!r} is no table of {name}; it has {', '.join(known)}")
    events = read_organization(call.house.ledger, call.wish(ReadOrganization))
    found = read_model_at(projection, events, call.house.mapper, as_of_from(at, effective))
    tables = {one: rows for one, rows in found.items() if only in {None, one}}
    shown = [part for one in projection.tables if one.name in tables for part in shown_rows(one, tables[one.name])]
    return Answer({one: [row._asdict() for row in rows] for one, rows in tables.items()}, shown)


def shown_rows(of: Table[Any], rows: Sequence[Any]) -> Iterable[RenderableType]:
    """A line for each row; where there are many columns a table for each."""
    columns = [name for name in of.columns if name != "organization_id"]
    cells = [[brief(getattr(row, column)) for column in columns] for row in rows]
    if len(columns) <= WIDEST:
        yield table(of.name, columns, cells)
        return
    yield f"{of.name}: {plural(len(rows), 'row')}"
    for row in cells:
        yield table("", ("column", "value"), list(zip(columns, row, strict=True)))


@verb(audit, "diff", role="auditor")
def diff(
    call: Call,
    aggregate: Annotated[str | None, typer.Argument(metavar="[ID]", help="Of one thing. Default: of all.")] = None,
    *,
    known_before: Annotated[
        str | None, typer.Option("--from", metavar="TIME|POSITION", help="The first moment, as we knew it.")
    ] = None,
    effective_before: Annotated[
        str | None, typer.Option("--effective-from", metavar="TIME", help="The first moment, as it was.")
    ] = None,
    known_after: Annotated[
        str | None, typer.Option("--to", metavar="TIME|POSITION", help="The second moment, as we knew it.")
    ] = None,
    effective_after: Annotated[
        str | None, typer.Option("--effective-to", metavar="TIME", help="The second moment, as it was.")
    ] = None,
    lines: LinesOption = False,
) -> Answer | None:
    """Shows what differs between two moments, field by field, with the events that made it. The second may be now.

    Examples: `seatledger audit diff POOL --from 591 --to 640 --org contoso --as operator`,
    `seatledger audit diff --from 2025-08-01 --to 2025-09-01`,
    `seatledger audit diff SUBSCRIPTION --effective-from 2025-08-01 --effective-to 2025-09-01`
    """
    before = as_of_from(known_before, effective_before, options=FROM)
    after = moment_of(known_after, effective_after, options=TO)
    found = differences(call, aggregate, before, after)
    if lines:
        write(call, found)
        return None
    every = list(found)
    shown = [part for one in every for part in shown_difference(one)] or ["nothing differs"]
    return Answer({"differences": [one.model_dump() for one in every]}, shown)


def differences(call: Call, aggregate: str | None, before: AsOf, after: AsOf) -> Iterable[Between]:
    if aggregate is None:
        streams = read_all_aggregates(call.house.ledger, call.wish(ReadOrganization))
        return differing(streams, call.house.mapper, before, after)
    query = call.wish(ReadHistory, aggregate_id=aggregate_id_from(aggregate))
    found = between(read_stream(call.house.ledger, query), call.house.mapper, before, after)
    return [found] if found else []


def shown_difference(one: Between) -> Iterable[RenderableType]:
    versions = f"version {one.version_before or 'none'} to {one.version_after or 'none'}"
    numbers = {event.position: event.organization_seq for event in one.events}
    rows = [
        (field.field, brief(field.before), brief(field.after), ", ".join(f"#{numbers[at]}" for at in field.made_by))
        for field in one.fields
    ]
    yield table(f"{one.aggregate} {one.aggregate_id}, {versions}", ("field", "before", "after", "made by"), rows)
    events = [
        (event.organization_seq, event.position, event.event, event.actor_role, event.actor_id, event.command)
        for event in one.events
    ]
    yield table("", ("#", "position", "event", "role", "actor", "command"), events, numbers=("#", "position"))


@verb(audit, "timeline", role="auditor")
def timeline(
    call: Call,
    aggregate: Annotated[str | None, typer.Argument(metavar="[ID]", help="Of one thing. Default: of all.")] = None,
    after: Annotated[int, typer.Option(min=0, metavar="#", help="Only what came after this number.")] = 0,
    limit: Annotated[int, typer.Option(min=1, max=PAGE, help="How many.")] = 50,
) -> Answer:
    """Shows what happened, oldest first: who did it in which role, by which command, why, and what caused it.

    Examples: `seatledger audit timeline --org contoso --as operator`, `seatledger audit timeline --after 50`,
    `seatledger audit timeline SUBSCRIPTION`
    """
    if aggregate is None:
        events, following = read_timeline(call.house.ledger, call.wish(ReadTimeline, after=after, limit=limit))
    else:
        query = call.wish(ReadHistory, aggregate_id=aggregate_id_from(aggregate))
        found = [one for one in read_history(call.house.ledger, query) if one.organization_seq > after]
        events = found[:limit]
        following = (events[-1].organization_seq,) if len(found) > limit else None
    entries = list(told_history(events, call.house.mapper))
    data = {"timeline": [one.model_dump() for one in entries], "next": following[0] if following else None}
    shown: list[RenderableType] = [timeline_table(entries)]
    if following:
        shown.append(f"there is more: --after {following[0]}")
    return Answer(data, shown)


def timeline_table(entries: Sequence[HistoryEntry]) -> RenderableType:
    columns = ("#", "effective", "recorded", "event", "role", "actor", "command", "reason", "because of")
    rows = [
        (
            one.organization_seq,
            moment(one.effective_at),
            moment(one.recorded_at),
            one.event,
            one.actor_role,
            one.actor_id,
            one.command,
            one.reason or "",
            one.causation_id or "",
        )
        for one in entries
    ]
    return table("Timeline", columns, rows, numbers=("#",))


def write(call: Call, found: Iterable[Value]) -> None:
    """Each on a line of its own, as soon as it is found."""
    if call.as_json:
        raise BadInput("--lines or --json, not both")
    for one in found:
        typer.echo(one.model_dump_json())


def brief(value: Any) -> str:
    """A value in a cell; in full it stands in the JSON."""
    text = "" if value is None else value if isinstance(value, str) else as_text(value)
    return text if len(text) <= SHOWN_VALUE else f"{text[: SHOWN_VALUE - 1]}…"
