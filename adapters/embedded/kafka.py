"""Apache Kafka: one KRaft broker, run with Java from jars that Maven fetched."""

from __future__ import annotations

import base64
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar
from uuid import uuid4

from adapters.embedded.account import PLAIN_ENVIRONMENT
from adapters.embedded.broker import EmbeddedBroker
from adapters.embedded.program import telling_line
from adapters.embedded.server import EmbeddedServerFailed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

TOOLS = Path(__file__).resolve().parents[2] / "tools" / "kafka"
LIBS = TOOLS / "target" / "libs"
_JAVA_NEEDED = 17


class EmbeddedKafka(EmbeddedBroker):
    """Apache Kafka with its data in `home/kafka`; keeps everything over restarts and kills."""

    called: ClassVar[str] = "the embedded Apache Kafka"
    ports_needed: ClassVar[int] = 2  # broker and controller

    def __init__(self, home: Path) -> None:
        super().__init__(home / "kafka")

    @property
    def kind(self) -> str:
        """The product's name and version, for people."""
        return f"Apache Kafka {kafka_version()}"

    def _prepare(self) -> None:
        super()._prepare()
        missing = why_not_kafka()
        if missing is not None:
            raise EmbeddedServerFailed(f"{self.called} cannot start: {missing}")
        (self.folder / "tmp").mkdir(exist_ok=True)
        if not (self.folder / "data").exists():
            self._format()
        self._write_properties(data="data")

    def _format(self) -> None:
        """Makes the data folder under another name until it is complete, so that a crash leaves no half."""
        for left_over in self.folder.glob("initialising-*"):
            shutil.rmtree(left_over, ignore_errors=True)
        # A new name each time: the program of a killed starter may still be writing.
        unfinished = Path(tempfile.mkdtemp(dir=self.folder, prefix="initialising-"))
        self._write_properties(data=unfinished.name)
        done = subprocess.run(
            self._java(
                "kafka.tools.StorageTool", "format", "--cluster-id", self._new_cluster_id(), "--config", _PROPERTIES
            ),
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            cwd=self._working_folder(),
            env=dict(self._environment()),
        )
        if done.returncode != 0:
            raise EmbeddedServerFailed(f"{self.called} could not make its data folder: {telling_line(done.stdout)}")
        unfinished.rename(self.folder / "data")

    def _write_properties(self, data: str) -> None:
        broker, controller = self._ports()
        ports = {"BROKER_PORT": broker, "CONTROLLER_PORT": controller}
        properties = (TOOLS / "server.properties").read_text(encoding="utf-8")
        for name, value in {**ports, "DATA": data, **self._place()}.items():
            properties = properties.replace(f"@{name}@", str(value))
        (self.folder / _PROPERTIES).write_text(properties, encoding="utf-8")

    def _place(self) -> dict[str, object]:
        """Its place in the cluster: the only one, with nobody to replicate to."""
        voter = f"1@127.0.0.1:{self._ports()[1]}"
        return {"NODE": 1, "VOTERS": voter, "REPLICATION": 1, "IN_SYNC": 1, "SESSION_MS": 2000}

    def _new_cluster_id(self) -> str:
        return new_cluster_id()

    def _cluster_id(self) -> str:
        lines = (self.folder / "data" / "meta.properties").read_text(encoding="utf-8").splitlines()
        return dict(line.split("=", 1) for line in lines if "=" in line)["cluster.id"]

    def _command(self) -> Sequence[str]:
        return self._java("kafka.Kafka", _PROPERTIES)

    def _java(self, *program: str) -> list[str]:
        return [
            str(java()),
            *("-Xms128m", "-Xmx512m", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData", "-Djava.awt.headless=true"),
            f"-XX:ErrorFile={self.folder / 'java-crash.log'}",
            f"-Djava.io.tmpdir={self.folder / 'tmp'}",
            f"-Dlog4j2.configurationFile={(TOOLS / 'log4j2.xml').as_uri()}",
            *("-cp", f"{LIBS}/*"),
            *program,
        ]

    def _mark(self) -> str:
        return f"-Djava.io.tmpdir={self.folder / 'tmp'}"

    def _working_folder(self) -> Path:
        return self.folder

    def _environment(self) -> Mapping[str, str]:
        return {**PLAIN_ENVIRONMENT, "LC_ALL": "C.UTF-8"}  # in a plain C locale Java finds no file with an umlaut


_PROPERTIES = "server.properties"


def why_not_kafka() -> str | None:
    """Says what Apache Kafka lacks on this machine; None when it can be started."""
    if java() is None:
        return f"Java {_JAVA_NEEDED} or newer is not installed"
    if not jars_are_there():
        return "its jars are missing; fetch them with: make kafka"
    return None


def jars_are_there() -> bool:
    """Tells whether every jar has been fetched."""
    try:
        names = [line.split()[1] for line in (TOOLS / "jars.sha256").read_text(encoding="utf-8").splitlines()]
    except FileNotFoundError:  # installed without the project's folder
        return False
    return all((LIBS / name).is_file() for name in names)


def jars_can_be_fetched() -> bool:
    """Tells whether Maven and our list of jars are there."""
    return (TOOLS / "jars.sha256").exists() and shutil.which("mvn") is not None


def fetch_jars() -> None:
    """Fetches the jars with Maven; raises EmbeddedServerFailed with the reason when they cannot be had."""
    done = subprocess.run(
        [sys.executable, str(TOOLS / "fetch.py")], check=False, capture_output=True, text=True, errors="replace"
    )
    if done.returncode != 0:
        raise EmbeddedServerFailed(f"Apache Kafka cannot be fetched: {telling_line(done.stderr)}")


def java() -> Path | None:
    """Finds a Java that is new enough."""
    found = shutil.which("java")
    if found is None:
        return None
    said = subprocess.run([found, "-version"], check=False, capture_output=True, text=True).stderr
    version = re.search(r'version "(\d+)', said)
    return Path(found) if version and int(version[1]) >= _JAVA_NEEDED else None


def kafka_version() -> str:
    """Reads the version from the name of the broker's jar."""
    jar = next(LIBS.glob("kafka_*.jar"))
    return jar.stem.rsplit("-", 1)[1]


def new_cluster_id() -> str:
    """A name by which a cluster is told from others."""
    while (text := base64.urlsafe_b64encode(uuid4().bytes).decode().rstrip("=")).startswith("-"):
        pass  # the tool would take it for an option
    return text
