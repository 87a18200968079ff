"""The topics of the relay and the sealer: how they are called, how they must be set, and that they are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias

from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType
from kafka.errors import InvalidReplicationFactorError, TopicAlreadyExistsError, for_code

REQUEST_TIMEOUT_MS = 15_000


class TopicMisconfigured(Exception):
    """Says how a topic is set otherwise than the contract promises, and what to do."""


@dataclass(frozen=True)
class Topics:
    """The names of the topics, and the edition of the events in them: what each event is called.

    With `replication` each message is on so many brokers, and is not taken before all but one of them have it: then the
    loss of a broker loses nothing. None: as the broker makes topics, and nothing is promised.
    """

    events: str = "seatledger.events.v1"
    position: str = "seatledger.relay.position"
    edition: int = 1
    replication: int | None = None
    checkpoints: str = "seatledger.checkpoints.v1"

    @classmethod
    def of(cls, edition: int, replication: int | None = None) -> Topics:
        """Those of an edition: every edition has topics, a position and a relay of its own."""
        if edition == 1:
            return cls(replication=replication)
        return cls(f"seatledger.events.v{edition}", f"seatledger.relay.position.v{edition}", edition, replication)

    @property
    def in_sync(self) -> int | None:
        """How many brokers have a message before it is taken."""
        return max(1, self.replication - 1) if self.replication else None


@dataclass(frozen=True)
class TopicSettings:
    """How a topic is made; `promised` is what it must still be when it was made by others or changed later."""

    partitions: int
    promised: Mapping[str, str]
    initial: Mapping[str, str] = field(default_factory=dict)


# More partitions would move organizations to others and break their order: another number is another topic.
EVENTS = TopicSettings(
    partitions=12,
    promised={"cleanup.policy": "delete", "retention.ms": "-1", "retention.bytes": "-1"},
)
# It is read from its beginning at every start, and compaction leaves the newest segment as it is: small segments.
POSITION = TopicSettings(
    partitions=1,
    promised={"cleanup.policy": "compact"},
    initial={"segment.ms": "3600000", "segment.bytes": "16777216", "min.cleanable.dirty.ratio": "0.1"},
)


# Every checkpoint stays, in the order in which they were signed.
CHECKPOINTS = TopicSettings(
    partitions=1,
    promised={"cleanup.policy": "delete", "retention.ms": "-1", "retention.bytes": "-1"},
)


class Setting(NamedTuple):
    """A setting of a topic as it is and as it must be."""

    topic: str
    name: str
    found: str
    promised: str
    holds: bool
    remedy: str = "set it back"


def relayed(topics: Topics) -> Mapping[str, TopicSettings]:
    """What a relay writes to."""
    return {topics.events: EVENTS, topics.position: POSITION}


def sealed(topics: Topics) -> Mapping[str, TopicSettings]:
    """What a sealer writes to."""
    return {topics.checkpoints: CHECKPOINTS}


Wanted: TypeAlias = Callable[[Topics], Mapping[str, TopicSettings]]


def ensure_topics(bootstrap: str, topics: Topics, wanted: Wanted = relayed) -> None:
    """Creates what is absent and checks what is there; raises TopicMisconfigured.

    A broker that does not tell a setting is believed.
    """
    admin = KafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=REQUEST_TIMEOUT_MS)
    try:
        _create_absent(admin, topics, wanted)
        for setting in _settings(admin, topics, wanted):
            if not setting.holds:
                raise TopicMisconfigured(
                    f"the topic {setting.topic} has {setting.name}={setting.found}, not {setting.promised};"
                    f" {setting.remedy}"
                )
    finally:
        admin.close()


def settings_of(bootstrap: str, topics: Topics, wanted: Wanted = relayed) -> list[Setting]:
    """Every promised setting of the topics that are there."""
    admin = KafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=REQUEST_TIMEOUT_MS)
    try:
        return list(_settings(admin, topics, wanted))
    finally:
        admin.close()


def _create_absent(admin: KafkaAdminClient, topics: Topics, wanted: Wanted) -> None:
    there = set(admin.list_topics())
    copies = {"min.insync.replicas": str(topics.in_sync)} if topics.in_sync else {}
    absent = {
        name: {
            "num_partitions": settings.partitions,
            "replication_factor": topics.replication or -1,
            "configs": {**settings.promised, **settings.initial, **copies},
        }
        for name, settings in wanted(topics).items()
        if name not in there
    }
    if not absent:
        return
    # Not with `wait_for_metadata`: it waits also for what was refused, and then tells that it waited.
    for answer in admin.create_topics(absent, raise_errors=False, wait_for_metadata=False)["topics"]:
        error = for_code(answer["error_code"])
        if error is InvalidReplicationFactorError:
            raise TopicMisconfigured(
                f"the topic {answer['name']} cannot be on {topics.replication} brokers: there are fewer; start them, or"
                " set SEATLEDGER_KAFKA_REPLICATION to what this cluster has"
            )
        if answer["error_code"] and error is not TopicAlreadyExistsError:  # another relay may have been faster
            raise error(f"the topic {answer['name']} could not be created: {answer['error_message']}")
    admin.wait_for_topics(list(absent))


def _settings(admin: KafkaAdminClient, topics: Topics, wanted: Wanted) -> Iterator[Setting]:
    there = set(admin.list_topics())
    for name, settings in wanted(topics).items():
        if name not in there:
            continue
        partitions, replicas, configs = _found(admin, name)
        yield Setting(
            *(name, "partitions", str(partitions), str(settings.partitions), partitions == settings.partitions),
            "the order of events within an organization is lost; publish to a new topic",
        )
        for key, value in settings.promised.items():
            found = configs.get(key, value)
            yield Setting(name, key, found, value, found == value)
        if topics.replication and topics.in_sync:
            copies, in_sync = topics.replication, topics.in_sync
            yield Setting(
                *(name, "replicas", str(replicas), str(copies), replicas >= copies),
                "give it more replicas, or set SEATLEDGER_KAFKA_REPLICATION to what it has",
            )
            found = configs.get("min.insync.replicas", str(in_sync))
            yield Setting(
                *(name, "min.insync.replicas", found, str(in_sync), int(found) >= in_sync),
                "set it, or SEATLEDGER_KAFKA_REPLICATION to what this cluster has",
            )


def _found(admin: KafkaAdminClient, name: str) -> tuple[int, int, dict[str, Any]]:
    """How many partitions a topic has, how many replicas the one with the fewest, and what it is set to."""
    (described,) = admin.describe_topics([name])
    replicas = min(len(one["replica_nodes"]) for one in described["partitions"])
    resource = ConfigResource(ConfigResourceType.TOPIC, name)
    configs = admin.describe_configs([resource], config_filter="all").get("topic", {}).get(name, {})
    return len(described["partitions"]), replicas, {key: found["value"] for key, found in configs.items()}
