"""up."""

from __future__ import annotations

import signal
import threading
from typing import Any

import typer

from adapters.cli.answer import as_text
from adapters.cli.call import Call
from adapters.cli.groups import root
from adapters.cli.supervisor import supervise
from adapters.cli.verb import verb

WORKERS = ("projector", "api", "relay", "seal")


@verb(root, "up", org=False)
def up(call: Call) -> None:
    """Runs PostgreSQL, a broker, the relay, the projector, the sealer and the HTTP API, until Ctrl-C or SIGTERM.

    What is not set runs embedded under `.seatledger/`. A worker that ends is started again. With --json it tells what
    happens as one JSON document a line.

    Example: `seatledger up`
    """
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())

    def tell(event: str, **facts: Any) -> None:
        words = " ".join(f"{name.replace('_', ' ')} {value}" for name, value in facts.items())
        typer.echo(as_text({"event": event, **facts}) if call.as_json else f"{event.replace('_', ' ')}: {words}")

    house = call.house
    _ = house.database_url  # started and migrated before anybody asks for it
    embedded = house.settings.database_url is None
    tell("postgres", kind="embedded" if embedded else "external", home=str(house.settings.home))
    if not stop.is_set():
        broker = house.broker
        tell("broker", kind=broker.kind, bootstrap=broker.bootstrap)
        tell("api", address=house.settings.api_address)
        supervise(WORKERS, stop, tell)
    tell("stopped", home=str(house.settings.home))
