"""compose.yaml and the Dockerfile: valid, closed to the outside, and made of what is there."""

import re
from collections import Counter
from typing import Any

import pytest
import yaml
from compose_spec import PyCompose

from tests.tidy.source import PACKAGES, ROOT

TEXT = (ROOT / "compose.yaml").read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
SERVERS = {"postgres", "kafka", "prometheus"}  # of others
OURS = sorted(SERVICES.keys() - SERVERS)
LASTING = sorted(name for name, service in SERVICES.items() if service.get("restart") == "unless-stopped")
SCRAPED: dict[str, Any] = yaml.safe_load((ROOT / "tools" / "compose" / "prometheus.yml").read_text(encoding="utf-8"))
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")


def test_it_follows_the_compose_specification() -> None:
    plain = yaml.safe_dump(COMPOSE)  # merge keys are YAML's, not the specification's
    assert set(PyCompose.from_yaml(plain).service_names()) == SERVERS | {
        "migrate",
        "relay",
        "projector",
        "sealer",
        "api",
        "advance",
        "monthly-recurring-revenue",
        "seatledger",
    }


def test_no_key_stands_twice() -> None:
    def keys(node: yaml.Node) -> None:
        if isinstance(node, yaml.MappingNode):
            twice = [key for key, times in Counter(key.value for key, _ in node.value).items() if times > 1]
            assert not twice, f"{twice} stand twice in line {node.start_mark.line + 1}; compose refuses that"
        for part in node.value if isinstance(node, yaml.CollectionNode) else ():
            for one in part if isinstance(part, tuple) else (part,):
                keys(one)

    for text in (TEXT, (ROOT / "tools" / "compose" / "prometheus.yml").read_text(encoding="utf-8")):
        node = yaml.compose(text)
        assert node
        keys(node)


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_a_service_names_only_what_is_declared(name: str) -> None:
    service = SERVICES[name]
    assert set(service.get("secrets", [])) <= COMPOSE["secrets"].keys()
    for volume in service.get("volumes", []):
        source = volume.split(":")[0]
        assert source in COMPOSE["volumes"] or (ROOT / source).exists(), f"{source} is neither a volume nor a file"
    for other, how in service.get("depends_on", {}).items():
        if how["condition"] == "service_healthy":
            assert "healthcheck" in SERVICES[other], f"{name} waits for the health of {other}, which tells none"


def test_what_goes_on_is_watched_started_again_and_given_time_to_end() -> None:
    assert set(LASTING) == SERVICES.keys() - {"migrate", "seatledger"}
    for name in LASTING:
        service = SERVICES[name]
        assert {"test", "interval", "timeout", "retries"} <= service["healthcheck"].keys(), name
        assert re.fullmatch(r"[36]0s", service["stop_grace_period"]), name
    assert SERVICES["migrate"]["restart"] == "on-failure"


@pytest.mark.parametrize("name", sorted(SERVICES.keys() - {"postgres", "kafka", "migrate", "prometheus"}))
def test_nobody_of_ours_begins_before_the_tables_are_there(name: str) -> None:
    def waits_for(other: str) -> set[str]:
        direct = set(SERVICES[other].get("depends_on", {}))
        return direct | {further for one in direct for further in waits_for(one)}

    assert "migrate" in waits_for(name)


@pytest.mark.parametrize("name", [name for name in OURS if "healthcheck" in SERVICES[name]])
def test_a_health_check_asks_where_its_service_listens(name: str) -> None:
    ports = {str(value) for key, value in SERVICES[name]["environment"].items() if key.endswith("_PORT")}
    asked = set(re.findall(r"\b\d{4,5}\b", " ".join(SERVICES[name]["healthcheck"]["test"])))
    assert asked == ports


def test_a_module_that_is_run_is_there() -> None:
    run = {
        words[words.index("-m") + 1]
        for service in SERVICES.values()
        for words in (service.get("entrypoint", []), service.get("healthcheck", {}).get("test", []))
        if "-m" in words
    }
    assert run == {"adapters.workers.healthy", "examples.monthly_recurring_revenue"}
    for module in run:
        path = ROOT / module.replace(".", "/")
        assert path.with_suffix(".py").is_file() or (path / "__main__.py").is_file()
    assert "./examples:/opt/examples/examples:ro" in SERVICES["monthly-recurring-revenue"]["volumes"]
    assert SERVICES["monthly-recurring-revenue"]["environment"]["PYTHONPATH"] == "/opt/examples"


def test_prometheus_asks_whoever_tells() -> None:
    tells = {
        (name, str(value))
        for name in OURS
        for key, value in SERVICES[name]["environment"].items()
        if key.endswith(("_METRICS_PORT", "_API_PORT"))
    }
    several = {name for name in OURS if SERVICES[name].get("deploy", {}).get("replicas", 1) > 1}
    asked = set()
    for job in SCRAPED["scrape_configs"]:
        for one in job.get("static_configs", []):
            asked |= {tuple(target.split(":")) for target in one["targets"]}
        for one in job.get("dns_sd_configs", []):
            assert one["type"] == "A"
            asked |= {(name, str(one["port"])) for name in one["names"]}
            several -= set(one["names"])
    assert asked == tells
    assert not several, f"{several} are several behind one name: look them up (dns_sd_configs)"


def test_one_relay_stands_by() -> None:
    assert SERVICES["relay"]["deploy"]["replicas"] == 2
    assert "ports" not in SERVICES["relay"], "two cannot have the same port of the machine"


@pytest.mark.parametrize("name", sorted(SERVERS))
def test_a_server_of_others_is_of_one_version_and_gets_no_new_rights(name: str) -> None:
    assert re.fullmatch(r"[a-z/]+:v?\d+(\.\d+){0,2}", SERVICES[name]["image"])
    assert SERVICES[name]["security_opt"] == ["no-new-privileges:true"]


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


def test_every_secret_is_made_by_the_script_and_known_to_few() -> None:
    script = (ROOT / "tools" / "compose" / "secrets.sh").read_text(encoding="utf-8")
    assert set(re.findall(r"^keep ([a-z_]+) ", script, re.MULTILINE)) == COMPOSE["secrets"].keys()
    known_to = {
        secret: {name for name in SERVICES if secret in SERVICES[name].get("secrets", [])}
        for secret in COMPOSE["secrets"]
    }
    assert known_to["migration_database_url"] == {"migrate"}
    assert known_to["mrr_database_url"] == {"monthly-recurring-revenue"}
    assert known_to["seal_key"] == {"sealer"}
    assert known_to["seal_database_url"] == {"sealer", "migrate"}
    passwords = {"migration_password", "app_password", "seal_password", "mrr_password"}
    assert all(known_to[password] == {"postgres"} for password in passwords)


def test_no_password_stands_in_the_environment() -> None:
    for name, service in SERVICES.items():
        for variable, value in service.get("environment", {}).items():
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
