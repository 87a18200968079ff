"""api."""

from __future__ import annotations

from typing import Annotated

import typer

from adapters.cli.answer import Answer
from adapters.cli.call import Call
from adapters.cli.groups import root
from adapters.cli.verb import verb
from adapters.cli.working import ParentOption, end_with


@verb(root, "api", org=False, worker=True)
def api(
    call: Call,
    host: Annotated[str | None, typer.Option(help="The address to listen on. Default: SEATLEDGER_API_HOST.")] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="0: any that is free. Default: SEATLEDGER_API_PORT.")
    ] = None,
    parent: ParentOption = None,
) -> Answer:
    """Serves the HTTP API, until SIGINT or SIGTERM; requests that are being answered are answered first.

    Example: `seatledger api --port 8080`
    """
    from adapters.http.serve import serve

    end_with(parent)
    settings = call.house.settings
    serve(call.house.settings, host=host or settings.api_host, port=settings.api_port if port is None else port)
    return Answer({"ended": "stopped"}, [])
