"""Three brokers of Apache Kafka that are also the three controllers, on loopback: for tests of what losing one does."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, ClassVar, Self

from adapters.embedded.broker import HOST, free_ports
from adapters.embedded.kafka import EmbeddedKafka, new_cluster_id

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

NODES = 3
IN_SYNC = NODES - 1


class KafkaNode(EmbeddedKafka):
    """One of them; its ports are fixed, for the others know them."""

    called: ClassVar[str] = "a node of the embedded Apache Kafka"

    def __init__(self, home: Path, number: int, ports: Sequence[Sequence[int]], cluster_id: str) -> None:
        super().__init__(home / f"node-{number}")
        self.number = number
        self._all_ports, self._cluster = ports, cluster_id

    def _ports(self) -> list[int]:
        return list(self._all_ports[self.number - 1])

    def _prepare(self) -> None:
        self._ports_file.write_text(json.dumps(self._ports()), encoding="utf-8")
        super()._prepare()

    def _place(self) -> dict[str, object]:
        voters = ",".join(f"{n}@{HOST}:{ports[1]}" for n, ports in enumerate(self._all_ports, start=1))
        return {
            "NODE": self.number,
            "VOTERS": voters,
            "REPLICATION": NODES,
            "IN_SYNC": IN_SYNC,
            "SESSION_MS": 6000,  # they share few processors, and each killed one is to be missed
        }

    def _new_cluster_id(self) -> str:
        return self._cluster


class EmbeddedKafkaCluster:
    """The three; as a context manager it starts them together, for one alone has no quorum, and kills them at the end.

    Not shared: it lives in a home that is thrown away.
    """

    def __init__(self, home: Path) -> None:
        ports = free_ports(2 * NODES)
        pairs = [ports[2 * n : 2 * n + 2] for n in range(NODES)]
        cluster_id = new_cluster_id()
        self.nodes = [KafkaNode(home, number, pairs, cluster_id) for number in range(1, NODES + 1)]

    @property
    def bootstrap(self) -> str:
        return ",".join(node.bootstrap for node in self.nodes)

    def __enter__(self) -> Self:
        for node in self.nodes:
            node.folder.mkdir(mode=0o711, parents=True)
        try:
            with ThreadPoolExecutor(NODES) as threads:
                list(threads.map(KafkaNode.start, self.nodes))
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for node in self.nodes:
            node.kill9()
