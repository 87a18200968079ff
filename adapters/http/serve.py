"""The server of the API: one process, many threads; stopped in good order."""

from __future__ import annotations

import structlog
import uvicorn
from fastapi import FastAPI

from adapters.composition import House
from adapters.http.app import create_app
from adapters.http.bearers import bearers_of
from adapters.http.house import ApiHouse
from adapters.postgres.api_keys import ApiKeys
from adapters.settings import Settings

STOP_S = 20  # for requests that are being answered
IDLE_S = 15  # of a connection between two requests
BACKLOG = 512


def serve(settings: Settings, *, host: str, port: int) -> None:
    """Serves until SIGINT or SIGTERM; says on which address once it answers."""
    with House(settings, walled=True) as house:
        server_of(app_of(house), host=host, port=port).run()


def app_of(house: House) -> FastAPI:
    """The application on a walled house, which accepts the tokens that its settings name."""
    keys = ApiKeys(house.database_url)
    return create_app(ApiHouse(house), bearers_of(house.settings, keys.find))


def server_of(app: FastAPI, *, host: str, port: int) -> Server:
    """The server of an application; port 0 is any that is free."""
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        log_config=None,  # the application says what there is to say
        access_log=False,
        loop="uvloop",
        http="httptools",
        ws="none",
        backlog=BACKLOG,
        timeout_keep_alive=IDLE_S,
        timeout_graceful_shutdown=STOP_S,
        server_header=False,
    )
    return Server(config)


class Server(uvicorn.Server):
    """Says where it listens."""

    def _log_started_message(self, listeners: object) -> None:  # noqa: ARG002 - the library's own line needs them
        found = [socket.getsockname()[:2] for server in self.servers for socket in server.sockets]
        structlog.get_logger().info("listening", addresses=[f"http://{host}:{port}" for host, port in found])
