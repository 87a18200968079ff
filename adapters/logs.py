"""Logs: structlog on stderr, as lines for people or JSON for machines; what a verb answers stays alone on stdout."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, Any

import structlog

if TYPE_CHECKING:
    from adapters.settings import Settings


def log_to_stderr(settings: Settings, *, quiet: bool = False) -> None:
    """Sets up the logs of this process; quiet: only what somebody should look at."""
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    if quiet:
        level = max(level, logging.WARNING)
    render: Any = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    if settings.log_json:
        render = structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            render,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(level=logging.ERROR, stream=sys.stderr, format="%(name)s: %(message)s", force=True)
    logging.getLogger("kafka").setLevel(logging.CRITICAL)  # what goes wrong there is told by our own words
