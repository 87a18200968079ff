"""demo."""

from __future__ import annotations

import time

from adapters.cli.answer import Answer
from adapters.cli.call import Call
from adapters.cli.demo_report import Report
from adapters.cli.demo_stage import Stage
from adapters.cli.demo_story import Story
from adapters.cli.demo_telling import StoryEnded
from adapters.cli.groups import root
from adapters.cli.verb import verb

REPORT = "report.json"


@verb(root, "demo", org=False)
def demo(call: Call) -> Answer:
    """Tells the whole story once, on servers of its own, and ends with a verified audit.

    A purchase of 100 licenses, 105 of them later, assigned, taken back and cancelled; what admins, consumers and
    auditors see of it. Each run has an organization of its own under `.seatledger/demo`, where the report lies too.

    Example: `seatledger demo`
    """
    started = time.monotonic()
    home = call.house.settings.home / "demo"
    report = Report()
    stage = Stage(home)
    story = Story(stage, report, quiet=call.as_json)
    story.say("Starting PostgreSQL, a broker, the relay and the projector; the first time takes longest.")
    with stage.up():
        try:
            story.tell()
        except StoryEnded as ended:  # what differs is among the checks
            story.say(str(ended))
        finally:
            report.write(home / REPORT)
    differing = report.differing
    story.end(f"{home / REPORT}", seconds=time.monotonic() - started)
    return Answer({**report.data, "report": str(home / REPORT)}, [], exit_code=1 if differing else 0)
