"""What a worker counts, told to Prometheus where an operator asks for it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, start_http_server


@contextmanager
def telling(registry: CollectorRegistry, host: str, port: int | None) -> Iterator[int | None]:
    """Answers at `/metrics` meanwhile, on the port that it gives; without a port nobody is told."""
    if port is None:
        yield None
        return
    server, thread = start_http_server(port, addr=host, registry=registry)
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
