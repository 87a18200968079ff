"""compose.yaml on this machine: its very commands and environment, with what only containers have put in its place."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from adapters.embedded.broker import free_ports

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8").rpartition("\nFROM ")[2]
ENTRYPOINT: list[str] = json.loads(re.findall(r"^ENTRYPOINT (.+)$", DOCKERFILE, re.MULTILINE)[-1])
IMAGE = dict(one.split("=", 1) for one in re.findall(r"^ENV (.+)$", DOCKERFILE, re.MULTILINE)[-1].split())
PATH = f"{Path(sys.executable).parent}:/usr/bin:/bin"  # the image's begins with /venv/bin
VARIABLE = re.compile(r"\$(?:\$|\{(\w+):-([^}]*)\})")
PATIENCE_S = 60
LOOK_S = 0.3


def ports_of(service: Mapping[str, Any]) -> list[str]:
    """On which a process of the service listens within its container."""
    return [str(value) for name, value in service["environment"].items() if name.endswith("_PORT")]


@dataclass
class Replica:
    """One process of a service."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path
    places: Mapping[str, str]

    def port(self, within: int) -> int:
        """On this machine."""
        return int(self.places[str(within)])

    def ended(self, within_s: float) -> int:
        """Its exit code; -SIGKILL where it did not end in time."""
        try:
            return self.process.wait(within_s)
        except subprocess.TimeoutExpired:
            return -signal.SIGKILL

    def said(self) -> str:
        return f"{self.name} said: {self.log.read_text(encoding='utf-8', errors='replace')[-3000:]}"


@dataclass
class Composed:
    """The services of our image as processes; `places` are what stands for what only containers have."""

    folder: Path
    places: Mapping[str, str]
    variables: Mapping[str, str]  # of the shell that says `docker compose up`
    replicas: dict[str, list[Replica]] = field(default_factory=dict)

    # What a service is.

    def text(self, value: Any, places: Mapping[str, str]) -> str:
        """A value of compose.yaml: variables as compose puts them in, and then the places."""
        words = VARIABLE.sub(lambda found: self.variables.get(found[1], found[2]) if found[1] else "$", str(value))
        known = "|".join(re.escape(name) for name in sorted(places, key=len, reverse=True))
        return re.sub(rf"(?<!\d)(?:{known})(?!\d)", lambda found: places[found[0]], words)

    def environment(self, name: str, places: Mapping[str, str]) -> dict[str, str]:
        """The image's and the service's, and nothing of ours."""
        told = {**IMAGE, **SERVICES[name]["environment"]}
        return {**{key: self.text(value, places) for key, value in told.items()}, "PATH": PATH}

    def arguments(self, name: str, places: Mapping[str, str], command: list[str] | None = None) -> list[str]:
        service = SERVICES[name]
        whole = [*service.get("entrypoint", ENTRYPOINT), *(service["command"] if command is None else command)]
        return [self.text(part, places) for part in whole]

    # What is done with it.

    def up(self) -> None:
        """Each service as soon as what it depends on is as it must be; raises when one is not in time."""
        waiting = [name for name, one in SERVICES.items() if one.get("build") and "profiles" not in one]
        deadline = time.monotonic() + PATIENCE_S
        while waiting:
            ready = [name for name in waiting if self.may_start(name)]
            for name in ready:
                self.start(name)
                waiting.remove(name)
            self.assert_in_time(deadline, f"{waiting} wait for what they depend on")
            time.sleep(0 if ready else LOOK_S)
        while not all(self.is_healthy(name) for name in self.lasting()):
            self.assert_in_time(deadline, "not everything is healthy")
            time.sleep(LOOK_S)

    def may_start(self, name: str) -> bool:
        return all(self.holds(other, how["condition"]) for other, how in SERVICES[name].get("depends_on", {}).items())

    def holds(self, name: str, condition: str) -> bool:
        if not SERVICES[name].get("build"):
            return True  # a server that the test has started
        if condition == "service_healthy":
            return self.is_healthy(name)
        assert condition == "service_completed_successfully"
        return name in self.replicas and self.replicas[name][0].process.poll() == 0

    def start(self, name: str) -> None:
        service = SERVICES[name]
        count = service.get("deploy", {}).get("replicas", 1)
        self.replicas[name] = [self.begun(name, f"{name}-{number}") for number in range(1, count + 1)]

    def begun(self, name: str, called: str) -> Replica:
        ports = ports_of(SERVICES[name])
        places = {**self.places, **dict(zip(ports, map(str, free_ports(len(ports))), strict=True))}
        log = self.folder / f"{called}.log"
        with log.open("wb") as said:
            process = subprocess.Popen(
                self.arguments(name, places),
                env=self.environment(name, places),
                cwd=self.folder / "tmp",
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                start_new_session=True,
            )
        return Replica(called, process, log, places)

    def run(self, name: str, *command: str) -> str:
        """As `docker compose run --rm` does: what it says."""
        done = subprocess.run(
            self.arguments(name, self.places, list(command)),
            env=self.environment(name, self.places),
            cwd=self.folder / "tmp",
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE_S,
        )
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return done.stdout

    def is_healthy(self, name: str) -> bool:
        """By its own check, of each of its processes."""
        return name in self.replicas and all(self.probe(name, replica) == 0 for replica in self.replicas[name])

    def probe(self, name: str, replica: Replica) -> int:
        check = SERVICES[name]["healthcheck"]
        how, *words = check["test"]
        command = [self.text(word, replica.places) for word in words]
        done = subprocess.run(
            ["/bin/sh", "-c", *command] if how == "CMD-SHELL" else command,
            env=self.environment(name, replica.places),
            cwd=self.folder / "tmp",
            capture_output=True,
            check=False,
            timeout=seconds(check["timeout"]),
        )
        return done.returncode

    def stop(self) -> dict[str, int]:
        """As `docker compose stop` does: SIGTERM, then the grace period; the exit codes."""
        lasting = [(name, replica) for name in self.lasting() for replica in self.replicas[name]]
        for _, replica in lasting:
            replica.process.terminate()
        told_at = time.monotonic()
        return {
            replica.name: replica.ended(told_at + seconds(SERVICES[name]["stop_grace_period"]) - time.monotonic())
            for name, replica in lasting
        }

    def end(self) -> None:
        """Whatever was started is gone, with what it started."""
        for replica in self.every():
            with suppress(ProcessLookupError):
                os.killpg(replica.process.pid, signal.SIGKILL)
            replica.process.wait()

    # Words.

    def lasting(self) -> list[str]:
        """Services that go on until they are told to stop."""
        return [name for name in self.replicas if "healthcheck" in SERVICES[name]]

    def every(self) -> Iterator[Replica]:
        for replicas in self.replicas.values():
            yield from replicas

    def assert_in_time(self, deadline: float, what: str) -> None:
        for name in self.lasting():
            for replica in self.replicas[name]:
                assert replica.process.poll() is None, replica.said()
        said = "\n".join(replica.said() for replica in self.every())
        assert time.monotonic() < deadline, f"{what}\n{said}"


def seconds(text: str) -> float:
    """Of compose's durations, the kinds that stand in compose.yaml."""
    return float(text.removesuffix("s"))
