"""What an operator may set of the relay and the projector."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import BaseSettings


class WorkerSettings(BaseSettings):
    """The part of the settings that the workers read."""

    kafka_replication: int | None = Field(default=None, ge=1, le=15)
    """On how many brokers each message is; unset: 3 on brokers of your own, 1 on the embedded one."""
    relay_metrics_port: int | None = Field(default=None, ge=0, le=65535)
    """Where the relay tells Prometheus what it counts, at `/metrics`; unset: nowhere."""
    relay_metrics_host: str = Field(default="127.0.0.1", pattern=r"^[^\s/]+$")
    """The address that it listens on for that."""
    projector_metrics_port: int | None = Field(default=None, ge=0, le=65535)
    """The same of the projector."""
    projector_metrics_host: str = Field(default="127.0.0.1", pattern=r"^[^\s/]+$")
    seal_every_s: float = Field(default=10, gt=0, le=3600)
    """How long the sealer waits between two looks for new events."""
    seal_idle_s: float = Field(default=3600, gt=0, le=86_400)
    """When nothing is new, so often it says so in a fresh checkpoint."""
    seal_reread_s: float = Field(default=86_400, gt=0)
    """In which time it reads all of sealed history again."""
    sealer_metrics_port: int | None = Field(default=None, ge=0, le=65535)
    sealer_metrics_host: str = Field(default="127.0.0.1", pattern=r"^[^\s/]+$")
