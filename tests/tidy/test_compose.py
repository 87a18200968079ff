"""compose.yaml and the Dockerfile: valid, closed to the outside, and made of what is there."""

import re
from typing import Any

import pytest
import yaml
from compose_spec import PyCompose

from tests.tidy.source import PACKAGES, ROOT

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
SERVERS = {"postgres", "kafka"}
OURS = sorted(SERVICES.keys() - SERVERS)
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")


def test_it_follows_the_compose_specification() -> None:
    plain = yaml.safe_dump(COMPOSE)  # merge keys are YAML's, not the specification's
    assert set(PyCompose.from_yaml(plain).service_names()) == SERVERS | {
        "migrate",
        "relay",
        "projector",
        "api",
        "advance",
        "seatledger",
    }


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_a_service_names_only_what_is_declared(name: str) -> None:
    service = SERVICES[name]
    assert set(service.get("secrets", [])) <= COMPOSE["secrets"].keys()
    for volume in service.get("volumes", []):
        source = volume.split(":")[0]
        assert source in COMPOSE["volumes"] or (ROOT / source).is_file(), f"{source} is neither a volume nor a file"
    for other, how in service.get("depends_on", {}).items():
        if how["condition"] == "service_healthy":
            assert "healthcheck" in SERVICES[other], f"{name} waits for the health of {other}, which tells none"


@pytest.mark.parametrize("name", OURS)
def test_our_processes_have_no_rights_that_they_do_not_need(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "user" not in service, "the image's own user is not root; do not override it here"


@pytest.mark.parametrize("name", OURS)
def test_a_secret_comes_from_its_file(name: str) -> None:
    service = SERVICES[name]
    files = {value for key, value in service["environment"].items() if key.endswith("_FILE")}
    assert files == {f"/run/secrets/{secret}" for secret in service["secrets"]}


def test_no_password_stands_in_the_environment() -> None:
    for name, service in SERVICES.items():
        for variable, value in service["environment"].items():
            assert not re.search(r"PASSWORD$|_URL$|_KEY$", variable), f"{name}: give {variable} by file"
            assert "@" not in str(value) or variable == "KAFKA_CONTROLLER_QUORUM_VOTERS"


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_ports_are_open_to_this_machine_only(name: str) -> None:
    ports = SERVICES[name].get("ports", [])
    assert all(port.startswith("127.0.0.1:") for port in ports), "publish ports on 127.0.0.1"


def test_the_image_is_not_run_as_root() -> None:
    users = re.findall(r"^USER (.+)$", DOCKERFILE, re.MULTILINE)
    assert users, "the Dockerfile sets a USER"
    assert not users[-1].startswith(("0", "root"))


def test_the_image_is_made_of_files_that_exist() -> None:
    copied = [
        source
        for line in re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, re.MULTILINE)
        for source in line.split()[:-1]
    ]
    assert set(PACKAGES) <= set(copied)
    allowed = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    for source in copied:
        assert (ROOT / source).exists(), f"the Dockerfile copies {source}, which is not there"
        assert f"!{source}" in allowed or "!requirements/*.txt" in allowed, f".dockerignore leaves out {source}"


def test_the_image_installs_by_hash_and_asks_no_index_for_the_product() -> None:
    installs = re.findall(r"pip (?:install|wheel) (.+)", DOCKERFILE)
    assert installs
    assert all("--require-hashes" in install or "--no-index" in install for install in installs)
