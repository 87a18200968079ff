"""Three brokers, each killed in turn while something is committed; tells how much of it is there in the end."""

from __future__ import annotations

import time
from typing import Any

from kafka import KafkaAdminClient
from kafka.admin import NewTopic
from kafka.errors import KafkaError

from adapters.embedded.throw_away import throw_away_kafka_cluster
from tests.adapters.embedded.test_kafka import consume, produce


def missed(client: Any, number: int) -> bool:
    """Whether the others know that a broker is gone."""
    try:
        brokers = client.describe_cluster()["brokers"]
    except KafkaError:  # it asked the one that is gone
        return False
    return all(broker["is_fenced"] for broker in brokers if broker["broker_id"] == number)


with throw_away_kafka_cluster() as cluster:
    client = KafkaAdminClient(bootstrap_servers=cluster.bootstrap)
    client.create_topics([NewTopic("kept", num_partitions=1, replication_factor=3)])
    client.close()
    for number, node in enumerate(cluster.nodes):
        node.kill9()
        left = ",".join(one.bootstrap for one in cluster.nodes if one is not node)
        client = KafkaAdminClient(bootstrap_servers=left)
        while not missed(client, node.number):
            time.sleep(0.2)
        client.close()
        produce(left, "kept", range(100 * number, 100 * number + 100), transactional_id="writer")
        node.start()
    kept = consume(cluster.bootstrap, "kept")
print("kept", len(kept) if kept == list(range(300)) else kept)  # noqa: T201
