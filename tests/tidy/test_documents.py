"""Documents hold: every relative link resolves, and the commands of the README are there and are what CI runs."""

import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import yaml
from typer.core import TyperGroup
from typer.main import get_command

from tests.tidy.source import ROOT, committed_files, name_of

LINK = re.compile(r"!?\[[^\]]*\]\(\s*<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)")
ELSEWHERE = re.compile(r"^[a-z][a-z0-9+.\-]*:")
HEADING = re.compile(r"^#{1,6}\s+(.+?)\s*#*$", re.MULTILINE)
FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
VERB = re.compile(r"\bmake ([a-z][a-z\-]*)")
COMMAND = re.compile(r"\bseatledger((?: [a-z][a-z\-]*)+)")
README = ROOT / "README.md"


def documents() -> list[Path]:
    return [path for path in committed_files() if path.suffix == ".md"]


def anchors(path: Path) -> set[str]:
    """The anchors that a Markdown file's headings make."""
    headings = HEADING.findall(FENCE.sub("", path.read_text(encoding="utf-8")))
    plain = [re.sub(r"[`*]|\b_|_\b|\[([^\]]*)\]\([^)]*\)", r"\1", heading) for heading in headings]
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in plain}


def broken_links(path: Path) -> Iterator[str]:
    for target in LINK.findall(FENCE.sub("", path.read_text(encoding="utf-8"))):
        if ELSEWHERE.match(target):
            continue
        file_part, _, anchor = target.partition("#")
        file = (path.parent / file_part) if file_part else path
        if not file.exists():
            yield f"{name_of(path)} → {target}: no such file"
        elif anchor and file.suffix == ".md" and anchor not in anchors(file):
            yield f"{name_of(path)} → {target}: no such heading"


def verbs_of_make() -> set[str]:
    return set(re.findall(r"^([a-z][a-z\-]*):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))


def code_in(path: Path) -> str:
    """Everything of a Markdown file that stands as code."""
    text = path.read_text(encoding="utf-8")
    indented = re.findall(r"^ {4,}\S.*$", text, re.MULTILINE)
    fences = [match.group() for match in FENCE.finditer(text)]
    return "\n".join([*fences, *indented, *re.findall(r"`[^`\n]+`", FENCE.sub("", text))])


def test_every_relative_link_resolves() -> None:
    broken = [link for path in documents() for link in broken_links(path)]
    assert not broken, "mend or remove these links:\n" + "\n".join(broken)


def test_every_make_command_in_the_documents_exists() -> None:
    known = verbs_of_make()
    unknown = [
        f"{name_of(path)}: make {verb}"
        for path in documents()
        for verb in VERB.findall(code_in(path))
        if verb not in known
    ]
    assert not unknown, f"the Makefile has {sorted(known)}; correct these commands:\n" + "\n".join(unknown)


def console() -> object:
    """The console script, imported only here: a broken one fails its own tests, not those of the links."""
    return get_command(importlib.import_module("adapters.cli.app").root)


def unknown_verbs(text: str) -> Iterator[str]:
    """The commands of the console script in a text that the console script does not have."""
    for said in COMMAND.findall(text):
        command = console()
        for word in said.split():
            if not isinstance(command, TyperGroup):
                break
            if word not in command.commands:
                yield f"seatledger{said}"
                break
            command = command.commands[word]


def test_every_seatledger_command_in_the_documents_exists() -> None:
    unknown = [f"{name_of(path)}: {verb}" for path in documents() for verb in unknown_verbs(code_in(path))]
    assert not unknown, "`seatledger --help` tells the verbs; correct these commands:\n" + "\n".join(unknown)


def test_every_process_of_compose_exists() -> None:
    services = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))["services"]
    started = [
        " ".join([*service.get("entrypoint", ["seatledger"]), *service["command"]])
        for service in services.values()
        if "command" in service
    ]
    unknown = [verb for command in started for verb in unknown_verbs(command)]
    assert not unknown, f"`seatledger --help` tells the verbs; correct compose.yaml: {unknown}"


def test_ci_runs_what_the_readme_says() -> None:
    if not README.exists():
        return
    said = set(VERB.findall(code_in(README)))
    run = set(re.findall(r"^make ([a-z]+)$", (ROOT / ".ci" / "run").read_text(encoding="utf-8"), re.MULTILINE))
    assert {"demo", "test"} <= said, "README.md names the two commands, `make demo` and `make test`"
    assert {"demo", "test", "check"} <= run, ".ci/run runs `make check`, `make demo` and `make test`"


def test_ci_ends_with_the_tests() -> None:
    lines = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    assert lines[-1] == "make test", "the last line of .ci/run is `make test`, so that its output ends with the verdict"
