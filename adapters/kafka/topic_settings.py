"""The two topics of the relay: how they are called, how they must be set, and that they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType
from kafka.errors import TopicAlreadyExistsError, for_code

REQUEST_TIMEOUT_MS = 15_000


class TopicMisconfigured(Exception):
    """Says how a topic is set otherwise than the contract promises, and what to do."""


@dataclass(frozen=True)
class Topics:
    """The names of the two topics, and the edition of the events in them: what each event is called."""

    events: str = "seatledger.events.v1"
    position: str = "seatledger.relay.position"
    edition: int = 1

    @classmethod
    def of(cls, edition: int) -> Topics:
        """Those of an edition: every edition has topics, a position and a relay of its own."""
        if edition == 1:
            return cls()
        return cls(f"seatledger.events.v{edition}", f"seatledger.relay.position.v{edition}", edition)


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


def ensure_topics(bootstrap: str, topics: Topics) -> None:
    """Creates what is absent and checks what is there; raises TopicMisconfigured.

    Replication is the broker's default. A broker that does not tell a setting is believed.
    """
    wanted = {topics.events: EVENTS, topics.position: POSITION}
    admin = KafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=REQUEST_TIMEOUT_MS)
    try:
        _create_absent(admin, wanted)
        for name, settings in wanted.items():
            _refuse_other_settings(name, settings, *_found(admin, name))
    finally:
        admin.close()


def _create_absent(admin: KafkaAdminClient, wanted: Mapping[str, TopicSettings]) -> None:
    there = set(admin.list_topics())
    absent = {
        name: {
            "num_partitions": settings.partitions,
            "replication_factor": -1,
            "configs": {**settings.promised, **settings.initial},
        }
        for name, settings in wanted.items()
        if name not in there
    }
    if not absent:
        return
    for answer in admin.create_topics(absent, raise_errors=False, wait_for_metadata=True)["topics"]:
        error = for_code(answer["error_code"])
        if answer["error_code"] and error is not TopicAlreadyExistsError:  # another relay may have been faster
            raise error(f"the topic {answer['name']} could not be created: {answer['error_message']}")


def _found(admin: KafkaAdminClient, name: str) -> tuple[int, dict[str, Any]]:
    (described,) = admin.describe_topics([name])
    resource = ConfigResource(ConfigResourceType.TOPIC, name)
    configs = admin.describe_configs([resource], config_filter="all").get("topic", {}).get(name, {})
    return len(described["partitions"]), {key: found["value"] for key, found in configs.items()}


def _refuse_other_settings(name: str, settings: TopicSettings, partitions: int, configs: Mapping[str, str]) -> None:
    if partitions != settings.partitions:
        raise TopicMisconfigured(
            f"the topic {name} has {partitions} partitions, not {settings.partitions}: the order of events within an"
            " organization is lost; publish to a new topic"
        )
    for key, value in settings.promised.items():
        if configs.get(key, value) != value:
            raise TopicMisconfigured(f"the topic {name} has {key}={configs[key]}, not {value}; set it back")
