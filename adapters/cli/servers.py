"""migrate, projector, status, due."""

from __future__ import annotations

import signal
import threading
from typing import Annotated

import typer

from adapters.cli.answer import Answer, plural, table
from adapters.cli.call import OPERATOR, Call
from adapters.cli.groups import root
from adapters.cli.parse import day_from
from adapters.cli.verb import verb
from adapters.cli.working import ParentOption, end_with
from domain.calendar import utc_date
from services.complete_due_work import CompleteDueWork, complete_due_work, due_items


@verb(root, "migrate", org=False)
def migrate(call: Call) -> Answer:
    """Brings the database to this version's tables; safe to run twice, and at the same time.

    Example: `SEATLEDGER_MIGRATION_DATABASE_URL=postgresql://owner@host/seatledger seatledger migrate`
    """
    applied = call.house.migrate()
    done = f"{plural(len(applied), 'migration')} applied: {', '.join(applied)}" if applied else "nothing to migrate"
    return Answer({"applied": applied}, done)


@verb(root, "projector", org=False, worker=True)
def projector(call: Call, parent: ParentOption = None) -> Answer:
    """Keeps the read tables up with history, until SIGINT or SIGTERM.

    Example: `seatledger projector`
    """
    from adapters.workers.projector import run
    from adapters.workers.projector_metrics import ProjectorMetrics
    from adapters.workers.tell_prometheus import telling

    end_with(parent)
    stop, metrics = threading.Event(), ProjectorMetrics()
    url, asked = call.house.database_url, call.house.settings
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with telling(metrics.registry, asked.projector_metrics_host, asked.projector_metrics_port):
        run(url, stop, metrics)
    return Answer({"ended": "stopped"}, [])


@verb(root, "status", org=False)
def status(call: Call) -> Answer:
    """Shows where history, read models and relay stand, and who holds followers up.

    Example: `seatledger status`
    """
    from adapters.postgres.standing import standing

    house = call.house
    now = standing(house.database_url)
    head, settled, age_s, writer, relayed = now.head, now.settled, now.settled_age_s, now.oldest_writer, now.relayed
    broker = house.running_broker
    data = {
        "postgres": "embedded" if house.settings.database_url is None else "external",
        "broker": broker._asdict() if broker else None,
        "ledger": {"last": head, "settled": settled, "settled_age_s": age_s},
        "oldest_writer": writer._asdict() if writer else None,
        "read_models": [{**build._asdict(), "lag": now.lag(build.position)} for build in now.builds],
        "relay": [{**shown._asdict(), "lag": now.lag(shown.position)} for shown in relayed],
    }
    rows: list[tuple[object, ...]] = [("ledger", "last event", head, "")]
    rows.append(("ledger", "settled", settled, f"waits {age_s} s" if age_s else ""))
    for build in now.builds:
        what = f"{build.projection} build {build.build} v{build.version} {build.state}"
        rows.append(("read model", what, build.position, behind(head, build.position)))
    rows += [("relay", shown.topic, shown.position, behind(head, shown.position)) for shown in relayed]
    said = [f"PostgreSQL: {data['postgres']}"]
    said.append(f"broker: {broker.kind} at {broker.bootstrap}" if broker else "broker: not running")
    if not relayed:
        said.append("the relay has not published yet")
    if writer:
        age = "" if writer.age_s is None else f" for {writer.age_s:.1f} s"
        said.append(f"oldest writer: process {writer.pid}{age}")
    return Answer(
        data, [table("Status", ("part", "what", "position", ""), rows, numbers=("position",)), "\n".join(said)]
    )


def behind(head: int, position: int) -> str:
    """How far something is behind history's last event."""
    return f"{plural(head - position, 'position')} behind" if position < head else "up to date"


@verb(root, "due", role=OPERATOR, org=False)
def due(
    call: Call,
    until: Annotated[
        str | None, typer.Option(metavar="DATE", help="Due on or before this day. Default: today.")
    ] = None,
    complete: Annotated[bool, typer.Option("--complete", help="Does what a crash left open.")] = False,
) -> Answer:
    """Shows what falls due; with --complete, frees the licenses of removed members that a crash left assigned.

    Examples: `seatledger due --until 2030-01-31`, `seatledger due --complete`
    """
    house = call.house
    day = day_from(until, "--until") if until else utc_date(house.clock())
    query = call.wish(CompleteDueWork, until=day, at_least=house.views.head(), organization_id=None)
    if complete:
        items = complete_due_work(house.ledger, house.due_work, house.holdings, query)
    else:
        items = list(due_items(house.due_work, query))
    rows = [(item.due_on, item.kind.replace("_", " "), item.organization_id, item.subject_id) for item in items]
    title = "Completed" if complete else f"Due until {day}"
    data = {"completed" if complete else "due": [item._asdict() for item in items]}
    return Answer(data, table(title, ("on", "what", "organization", "of"), rows))
