"""Clients that nobody here wrote, each reading a whole topic as it would by itself."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import aiokafka
import confluent_kafka
import pytest

ROOT = Path(__file__).parents[3]
NODE = ROOT / ".venv" / "node"
READ_TOPIC = ROOT / "tools" / "node" / "read_topic.mjs"
PATIENCE_S = 60


class Read(NamedTuple):
    """A message as a client gave it."""

    partition: int
    offset: int
    key: str
    headers: Mapping[str, str]
    value: bytes

    @classmethod
    def of(cls, partition: int, offset: int, key: bytes, headers: Iterable[tuple[str, bytes]], value: bytes) -> Read:
        told = list(headers)
        assert len(dict(told)) == len(told), "a header stands in a message once"
        return cls(partition, offset, key.decode(), {name: content.decode() for name, content in told}, value)

    @property
    def sha256(self) -> str:
        return sha256(self.value).hexdigest()


def read_with_kcat(bootstrap: str, topic: str) -> list[Read]:
    """The C client at the command line, which people look with."""
    if not shutil.which("kcat"):
        pytest.skip("kcat is not installed (Debian: kcat)")
    settings = ["-X", "isolation.level=read_committed", "-X", "check.crcs=true"]
    said = said_by("kcat", "-C", "-b", bootstrap, "-t", topic, "-o", "beginning", "-e", "-q", "-J", *settings)
    return [kcat_message(json.loads(line)) for line in said.splitlines()]


def kcat_message(told: dict[str, Any]) -> Read:
    names, values = told["headers"][::2], told["headers"][1::2]
    headers = [(name, value.encode()) for name, value in zip(names, values, strict=True)]
    return Read.of(told["partition"], told["offset"], told["key"].encode(), headers, told["payload"].encode())


def read_with_confluent_kafka(bootstrap: str, topic: str, isolation: str = "read_committed") -> list[Read]:
    """The reference client in C, from Python."""
    consumer = confluent_kafka.Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": f"reads {topic}",
            "isolation.level": isolation,
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "check.crcs": True,
        }
    )
    try:
        reading = set(consumer.list_topics(topic, timeout=PATIENCE_S).topics[topic].partitions)
        begin = confluent_kafka.OFFSET_BEGINNING
        consumer.assign([confluent_kafka.TopicPartition(topic, partition, begin) for partition in reading])
        found: list[Read] = []
        while reading:
            message: Any = consumer.poll(PATIENCE_S)
            assert message is not None, "the end did not come in time"
            if (error := message.error()) is None:
                place = message.partition(), message.offset()
                found.append(Read.of(*place, message.key(), message.headers(), message.value()))
            else:
                assert error.code() == confluent_kafka.KafkaError._PARTITION_EOF, error
                reading.remove(message.partition())
        return found
    finally:
        consumer.close()


def read_with_aiokafka(bootstrap: str, topic: str) -> list[Read]:
    """The protocol written down once more, in Python."""

    async def read() -> list[Read]:
        consumer = aiokafka.AIOKafkaConsumer(
            topic,
            bootstrap_servers=bootstrap,
            isolation_level="read_committed",
            auto_offset_reset="earliest",
            check_crcs=True,
            fetch_max_wait_ms=50,
        )
        await consumer.start()
        try:
            partitions = consumer.assignment()
            ends = await consumer.end_offsets(partitions)
            found: list[Read] = []
            async with asyncio.timeout(PATIENCE_S):
                while any([await consumer.position(one) < ends[one] for one in partitions]):
                    for messages in (await consumer.getmany(timeout_ms=100)).values():
                        found += [
                            Read.of(one.partition, one.offset, one.key, one.headers, one.value) for one in messages
                        ]
            return found
        finally:
            await consumer.stop()

    return asyncio.run(read())


def read_with_kafkajs(bootstrap: str, topic: str) -> list[Read]:
    """Another language's own."""
    if not (shutil.which("node") and (NODE / "node_modules" / "kafkajs").exists()):
        pytest.skip("kafkajs is not here: it needs Node with npm, and `make test` fetches it")
    said = said_by("node", str(READ_TOPIC), str(NODE), bootstrap, topic)
    return [Read(**{**told, "value": told["value"].encode()}) for told in map(json.loads, said.splitlines())]


def said_by(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE_S)
    assert done.returncode == 0, done.stderr
    return done.stdout
