"""The relay as a process of its own, for tests that kill and freeze it: URL BOOTSTRAP EVENTS-TOPIC POSITION-TOPIC."""

import sys

from adapters.kafka.topic_settings import Topics
from adapters.workers.relay import RelaySettings, run_as_process

url, bootstrap, events, position, *watchdog = sys.argv[1:]
sys.exit(
    run_as_process(
        RelaySettings(
            url,
            bootstrap,
            Topics(events, position),
            batch=50,
            standby_s=0.1,
            show_s=0,
            watchdog_s=float(watchdog[0]) if watchdog else 60,
        )
    )
)
