"""The server of the API: one process, many threads; stopped in good order."""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import structlog
import uvicorn
from fastapi import FastAPI

from adapters.composition import House
from adapters.http.app import create_app
from adapters.http.bearers import bearers_of
from adapters.http.house import ApiHouse
from adapters.settings import Settings
from adapters.settings_http import address_of

STOP_S = 20  # for requests that are being answered
IDLE_S = 15  # of a connection between two requests
BACKLOG = 512


def serve(settings: Settings, *, host: str, port: int) -> None:
    """Serves until SIGINT or SIGTERM; says on which address once it answers. Raises OSError where it cannot listen."""
    with listening(host, port) as door, House(settings, walled=True) as house:
        server_of(app_of(house)).run(sockets=[door])


def listening(host: str, port: int) -> socket.socket:
    """The socket, before anything is opened that would have to be closed again; port 0 is any that is free."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        why = f"cannot listen on {host}:{port}: {error.strerror}; choose another with --port or SEATLEDGER_API_PORT"
        raise OSError(error.errno, why) from None


def app_of(house: House) -> FastAPI:
    """The application on a walled house, which accepts the tokens that its settings name."""
    parts = ApiHouse(house)
    return create_app(parts, bearers_of(house.settings, parts.api_keys.find))


def server_of(app: FastAPI) -> Server:
    """The server of an application, which runs on sockets that it is given."""
    config = uvicorn.Config(
        app,
        log_config=None,  # the application says what there is to say
        access_log=False,
        loop="uvloop",
        http="httptools",
        ws="none",
        timeout_keep_alive=IDLE_S,
        timeout_graceful_shutdown=STOP_S,
        server_header=False,
    )
    return Server(config)


class Server(uvicorn.Server):
    """Says where it listens; a signal ends it in good order, and with it whatever the process has opened."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        names = [one.getsockname()[:2] for one in sockets or ()]
        structlog.get_logger().info("listening", addresses=[address_of(*name) for name in names])

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        app: Any = self.config.app
        app.state.waiting.end()
        await super().shutdown(sockets)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """As the library does it, without sending the signal once more at the end."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
