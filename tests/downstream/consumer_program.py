"""Consumers as processes, to be killed: URL BOOTSTRAP TOPIC. A line of input begins one, and its id is answered.

It forks, so that a consumer begins at once and is not importing for most of its life.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time

from adapters.kit import Connection, Consumer, Event, KafkaSource
from examples.monthly_recurring_revenue.books import CONSUMER, handle

url, bootstrap, topic = sys.argv[1:]


def slowly(event: Event, connection: Connection) -> None:
    """So that it dies in the middle of something."""
    handle(event, connection)
    time.sleep(0.002)


def consume() -> None:
    # A group of each one's own: the one before may not be known to be dead yet, and both have all partitions.
    source = KafkaSource(bootstrap, topic, group=f"{CONSUMER}-{os.getpid()}")
    Consumer(CONSUMER, slowly, database_url=url, source=source, batch=5).run(threading.Event())


signal.signal(signal.SIGCHLD, signal.SIG_IGN)
for _ in sys.stdin:
    if not (child := os.fork()):
        consume()
        os._exit(0)
    sys.stdout.write(f"{child}\n")
    sys.stdout.flush()
