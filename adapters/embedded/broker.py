"""What both embedded brokers have in common: loopback ports that stay the same, and readiness in Kafka's protocol."""

from __future__ import annotations

import json
import secrets
import socket
from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar

from kafka import KafkaAdminClient
from kafka.errors import KafkaError

from adapters.embedded.server import EmbeddedServer, EmbeddedServerFailed

if TYPE_CHECKING:
    from pathlib import Path

HOST = "127.0.0.1"
# Below the ports that systems give to outgoing connections: a client that tries to reach a broker which is down must
# not get the broker's own port as its end of the connection, or the broker cannot come back to it.
_FIRST_PORT, _LAST_PORT = 20_000, 29_999
_PORT_ATTEMPTS = 5
_ASK_TIMEOUT_MS = 5_000
_TAKEN = ("Address already in use", "AddrInUse", "BindException")


class EmbeddedBroker(EmbeddedServer):
    """A broker on loopback with its files in a folder of its own; restarted it keeps its address."""

    ports_needed: ClassVar[int]

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._ports_file = self.folder / "ports.json"

    @property
    @abstractmethod
    def kind(self) -> str:
        """The product's name and version, for people."""

    @abstractmethod
    def _cluster_id(self) -> str:
        """Gives the name by which our broker is told from one that has its port."""

    @property
    def bootstrap(self) -> str:
        """The address clients connect to."""
        return f"{HOST}:{self._ports()[0]}"

    def start(self) -> None:
        """Starts the broker; takes other ports when somebody else was faster to have them."""
        for attempt in range(_PORT_ATTEMPTS):
            try:
                return super().start()
            except EmbeddedServerFailed:
                if attempt == _PORT_ATTEMPTS - 1 or not any(words in self._program.said() for words in _TAKEN):
                    raise
                self._ports_file.unlink()
        return None

    def _ports(self) -> list[int]:
        ports: list[int] = json.loads(self._ports_file.read_text(encoding="utf-8"))
        return ports

    def _prepare(self) -> None:
        if not self._ports_file.exists() or not all(_is_free(port) for port in self._ports()):
            self._ports_file.write_text(json.dumps(free_ports(self.ports_needed)), encoding="utf-8")

    def _answers(self) -> bool:
        if _is_free(self._ports()[0]):  # asking earlier would only make the client complain
            return False
        try:
            client = KafkaAdminClient(
                bootstrap_servers=self.bootstrap,
                bootstrap_timeout_ms=_ASK_TIMEOUT_MS,
                request_timeout_ms=_ASK_TIMEOUT_MS,
            )
        except KafkaError:
            return False
        try:
            return bool(client.describe_cluster()["cluster_id"] == self._cluster_id())
        except KafkaError:
            return False
        finally:
            client.close()


def free_ports(count: int) -> list[int]:
    ports: list[int] = []
    while len(ports) < count:
        port = _FIRST_PORT + secrets.randbelow(_LAST_PORT - _FIRST_PORT)
        if port not in ports and _is_free(port):
            ports.append(port)
    return ports


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as brokers do: ended connections do not count
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True
