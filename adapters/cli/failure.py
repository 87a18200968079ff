"""Failures as people and scripts see them: one line that says what to do, and an exit code. Never a traceback."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from pydantic import ValidationError
from typer.exceptions import TyperException

from adapters.csv_table import FileRefused
from adapters.embedded.server import EmbeddedServerFailed
from adapters.postgres.errors import StartRefused
from adapters.postgres.projector_rebuild import CannotCompare
from adapters.settings import SettingsInvalid
from domain.refusals import Refusal
from services.ports import LedgerUnavailable
from services.ports_reads import NotYet

REFUSED, BAD_INPUT, INTERRUPTED = 1, 2, 130


class BadInput(Exception):
    """Says what is wrong with what was typed, and what to type instead."""


class Halted(Exception):
    """Says what of topic and ledger does not fit, or why an operator's decision is not taken."""


class Failure(NamedTuple):
    """How a verb failed: for the shell, for programs, and for people."""

    exit_code: int
    code: str
    message: str
    facts: Mapping[str, Any]

    @property
    def data(self) -> dict[str, Any]:
        return {"error": {"code": self.code, "message": self.message, "facts": dict(self.facts)}}


CODES: tuple[tuple[type[BaseException], int, str], ...] = (
    (BadInput, BAD_INPUT, "bad_input"),
    (FileRefused, BAD_INPUT, "bad_file"),
    (SettingsInvalid, BAD_INPUT, "bad_settings"),
    (Halted, REFUSED, "halted"),
    (LedgerUnavailable, REFUSED, "unavailable"),
    (NotYet, REFUSED, "not_yet"),
    (StartRefused, REFUSED, "start_refused"),
    (CannotCompare, REFUSED, "cannot_compare"),
    (EmbeddedServerFailed, REFUSED, "server_failed"),
)


def failure_of(error: BaseException) -> Failure:
    """What to tell of any error; what nobody foresaw is told as a defect, without what it may hold of names."""
    if isinstance(error, Refusal):
        return Failure(REFUSED, error.code, one_line(str(error)), error.facts)
    if isinstance(error, TyperException):
        said = one_line(error.format_message()).rstrip(".").replace("Value error, ", "")
        return Failure(BAD_INPUT, "bad_input", f"{said}; see --help", {})
    if isinstance(error, KeyboardInterrupt):
        return Failure(INTERRUPTED, "interrupted", "interrupted; what was recorded stays recorded", {})
    for kind, exit_code, code in CODES:
        if isinstance(error, kind):
            return Failure(exit_code, code, one_line(str(error)), {})
    return failure_of_the_machine(error)


def failure_of_the_machine(error: BaseException) -> Failure:
    """What came from a broker, the system, or a defect."""
    name = type(error).__name__
    if type(error).__module__.startswith("kafka."):  # not imported here: few verbs need a broker
        what = f"the broker does not answer ({name}); see that it runs, then try again"
        return Failure(REFUSED, "broker_unavailable", what, {})
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        return Failure(REFUSED, "system", one_line(f"{where}{error.strerror or error}; mend that and try again"), {})
    what = f"a defect of seatledger ({name}); run it again with --debug and report what it shows"
    return Failure(REFUSED, "defect", what, {})


def bad_input_of(error: ValidationError) -> BadInput:
    """What a command's own types refuse, by the name of the field; the value is not repeated."""
    complaints = []
    for detail in error.errors(include_url=False, include_context=False, include_input=False):
        field = ".".join(str(part) for part in detail["loc"]).replace("_", "-")
        said = detail["msg"].removeprefix("Value error, ").removeprefix("Input ")
        if said.startswith("Value should have"):  # of a text, which pydantic counts as items
            said = re.sub(r"^Value |(?<= )(?=items? after)| after validation", "", said).replace("item", "character")
        complaints.append(f"{field or 'the command'} {said[:1].lower()}{said[1:]}")
    return BadInput(f"{'; '.join(complaints)}; correct it and try again")


def one_line(text: str) -> str:
    """The text without line breaks and without what a terminal would obey."""
    return "".join(letter if letter.isprintable() else " " for letter in re.sub(r"\s+", " ", text)).strip()
