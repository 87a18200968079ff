"""`python -m examples.monthly_recurring_revenue`: run, report, replay."""

from __future__ import annotations

import json
import os
import signal
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import psycopg
import typer

from adapters.kit import Consumer, HttpFeed, KafkaSource, Stopped, install
from adapters.kit.source import Source
from adapters.workers.tell_prometheus import telling
from examples.monthly_recurring_revenue.books import CONSUMER, handle, install_tables, truncate_tables
from examples.monthly_recurring_revenue.metrics import registry_of
from examples.monthly_recurring_revenue.report import report as report_of
from examples.monthly_recurring_revenue.report import text

app = typer.Typer(no_args_is_help=True, help="Monthly recurring revenue, counted from the events of a ledger.")

Database = Annotated[str, typer.Option(envvar="MRR_DATABASE_URL", help="A PostgreSQL database of this service.")]
Bootstrap = Annotated[str | None, typer.Option(envvar="MRR_KAFKA_BOOTSTRAP", help="Kafka, by host and port.")]
Topic = Annotated[str, typer.Option(envvar="MRR_KAFKA_TOPIC")]
Feed = Annotated[str | None, typer.Option(envvar="MRR_FEED_URL", help="The API, whose feed is read first, or alone.")]
Token = Annotated[
    str, typer.Option(envvar="MRR_FEED_TOKEN", help="A token or API key of a service; better by variable.")
]
MetricsHost = Annotated[str, typer.Option(envvar="MRR_METRICS_HOST")]
MetricsPort = Annotated[
    int | None, typer.Option(envvar="MRR_METRICS_PORT", help="Where it tells Prometheus how it is, at /metrics.")
]

EVENTS = KafkaSource("").topic


@app.command()
def run(
    database: Database,
    *,
    kafka: Bootstrap = None,
    topic: Topic = EVENTS,
    feed: Feed = None,
    token: Token = "",
    metrics_host: MetricsHost = "127.0.0.1",
    metrics_port: MetricsPort = None,
) -> None:
    """Counts what was told and what is told, until Ctrl-C: by the feed as far as it goes, then from Kafka."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with psycopg.connect(database) as connection:
        install(connection)
        install_tables(connection)
    begins = HttpFeed(feed, lambda: token) if feed else None
    goes_on: Source | None = KafkaSource(kafka, topic) if kafka else begins
    if goes_on is None:
        raise typer.BadParameter("say where events come from: --kafka, --feed, or both")
    consumer = Consumer(CONSUMER, handle, database_url=database, source=goes_on)
    try:
        with telling(registry_of(consumer), metrics_host, metrics_port):
            if begins and kafka:
                consumer.catch_up(stop, begins)
            consumer.run(stop)
    except Stopped as stopped:
        typer.echo(str(stopped), err=True)
        raise typer.Exit(65) from None


@app.command()
def report(
    database: Database,
    month: Annotated[datetime, typer.Option(formats=["%Y-%m"], help="Such as 2026-11.")],
    as_json: Annotated[bool, typer.Option("--json")] = False,  # noqa: FBT002 - typer's flags are booleans
) -> None:
    """Says what recurred in a month, and how it moved."""
    first = month.replace(tzinfo=UTC).date()
    with psycopg.connect(database) as connection:
        lines = report_of(connection, first)
    if as_json:
        typer.echo(json.dumps({"month": f"{first:%Y-%m}", "lines": [line.as_data() for line in lines]}))
    else:
        typer.echo("\n".join(text(lines, first)))


@app.command()
def replay(database: Database) -> None:
    """Empties the tables, so that all is counted again from zero; what runs meanwhile begins anew by itself."""
    # From zero no source is asked where something stands.
    Consumer(CONSUMER, handle, database_url=database, source=KafkaSource("")).replay(truncate=truncate_tables)


def read_secret() -> None:
    """The database's URL has a password in it: it may also come from the file that MRR_DATABASE_URL_FILE names."""
    if path := os.environ.get("MRR_DATABASE_URL_FILE"):
        os.environ.setdefault("MRR_DATABASE_URL", Path(path).read_text(encoding="utf-8").strip())


if __name__ == "__main__":
    read_secret()
    app(prog_name="python -m examples.monthly_recurring_revenue")
