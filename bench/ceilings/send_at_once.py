"""From the commit to a consumer where the writer tells a bare transactional producer, which sends what it has at once.

Nobody could do so in earnest: what is committed is lost to the topic when the writer dies before it tells.
"""

from __future__ import annotations

import multiprocessing
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from uuid import UUID

from adapters.kafka.cloud_event import Message, key_of, message_of, partition_of
from adapters.kafka.relay import FLUSH_TIMEOUT_S, open_producer
from adapters.kafka.topic_settings import Topics, ensure_topics
from adapters.postgres.relay_session import RelaySession
from bench.crew import READY
from bench.delivery import COMMAND, SAVED, THREADS, Committed, Delivered, deliver, played
from bench.program import Job, Settings, Work, serve
from bench.workload import organization
from bench.writing import save, writing

TOPICS = Topics("bench.at-once.events", "bench.at-once.position")


def sender(bootstrap: str, finished: list[Message], told: Connection) -> None:
    """A process that sends the messages of each save of which it is told: all that wait, in one transaction."""
    producer = open_producer(bootstrap, TOPICS)
    producer.init_transactions()
    told.send(READY)
    while (save_told := told.recv()) is not None:
        saves = [save_told]
        while told.poll() and saves[-1] is not None:
            saves.append(told.recv())
        producer.begin_transaction()
        for organization_id, command_id in filter(None, saves):
            key = key_of(organization_id)
            for message in finished:
                producer.send(
                    TOPICS.events,
                    key=key,
                    value=message.value,
                    headers=[*message.headers, (COMMAND, str(command_id).encode())],
                    partition=partition_of(key),
                    timestamp_ms=message.timestamp_ms,
                )
        producer.flush(timeout=FLUSH_TIMEOUT_S)
        producer.commit_transaction()
        if saves[-1] is None:
            break
    producer.close(timeout=5)


@contextmanager
def sending(bootstrap: str, finished: list[Message]) -> Iterator[Committed]:
    """Tells a sender of each save, until the end of the `with`."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=sender, args=(bootstrap, finished, theirs), daemon=True)
    process.start()
    theirs.close()  # so that the end of the process is heard
    if ours.recv() != READY:
        raise ValueError("the sender is not ready")
    one_at_a_time = threading.Lock()

    def tell(organization_id: UUID, command_id: UUID) -> None:
        with one_at_a_time:
            ours.send((organization_id, command_id))

    yield tell
    ours.send(None)
    process.join()


@contextmanager
def prepare(settings: Settings) -> Iterator[Work]:
    ensure_topics(settings["bootstrap"], TOPICS)
    with writing(settings["database"], THREADS) as ledger:
        save(ledger, organization(0), SAVED)
        with RelaySession(settings["database"], TOPICS.events) as session:
            source, head = session.look()
            messages = [message_of(event, source) for event in session.events_until(head)][:SAVED]
        finished = [
            message._replace(headers=[(name, value) for name, value in message.headers if name != COMMAND])
            for message in messages
        ]

        def play(job: Job) -> Delivered:
            with sending(settings["bootstrap"], finished) as tell:
                return deliver(ledger, settings, job, TOPICS.events, then=tell)

        yield played(play)


if __name__ == "__main__":
    serve(prepare)
