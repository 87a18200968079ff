"""quote --cases: a file of published proration cases, answered offline; one bad case refuses the whole file."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from adapters.catalog.currency import exponent_of
from adapters.cli.answer import Answer, plural, table
from adapters.csv_table import FileRefused
from domain.refusals import UnknownCurrency
from services.quote_cases import CaseAnswer, ProrationCase, decimals_of, quote_cases

MAX_BYTES = 4 * 1024 * 1024  # thousands of cases
MAX_COMPLAINTS = 20  # that one line still tells


def quoted_cases(path: Path) -> Answer:
    """The answers to all cases of a file."""
    cases = cases_from(path)
    answers = quote_cases(cases, exponent_of)
    rows = [
        (answer.id, case.vendor, case.category, answer.rule or "", answer.ours or "", answer.theirs or "", note(answer))
        for case, answer in zip(cases, answers, strict=True)
    ]
    columns = ("case", "vendor", "category", "rule", "ours", "theirs", "equal")
    computed = [answer for answer in answers if answer.ours is not None]
    total = (
        f"{plural(len(answers), 'case')}: {len(computed)} computed, {sum(answer.equal for answer in computed)} of them"
        " equal to what was published"
    )
    return Answer(
        [answer.model_dump() for answer in answers], [table("", columns, rows, numbers=("ours", "theirs")), total]
    )


def note(answer: CaseAnswer) -> str:
    return "yes" if answer.equal else str(answer.reason)


def cases_from(path: Path) -> list[ProrationCase]:
    """Reads them all, or refuses the file with every case and field that is wrong."""
    documents = documents_from(path)
    cases, complaints = [], []
    seen: set[str] = set()
    for number, document in enumerate(documents, start=1):
        name = name_of(document, number)
        try:
            case = ProrationCase.model_validate(document)
            decimals_of(case, exponent_of)
        except ValidationError as error:
            complaints += [f"{name}: {complaint}" for complaint in complaints_of(error)]
        except UnknownCurrency as error:
            complaints.append(f"{name}: currency: {error}")
        else:
            if case.id in seen:
                complaints.append(f"{name}: id: is there twice; give each case its own")
            seen.add(case.id)
            cases.append(case)
    if complaints:
        more = len(complaints) - MAX_COMPLAINTS
        told = complaints[:MAX_COMPLAINTS] + ([f"and {more} more"] if more > 0 else [])
        raise FileRefused(f"{path}: {'; '.join(told)}; no case was quoted")
    return cases


def name_of(document: Any, number: int) -> str:
    """How a complaint calls a case: by its id, or by its place where it has none."""
    found = document.get("id") if isinstance(document, dict) else None
    return f"case {found[:100]}" if isinstance(found, str) and found else f"case number {number}"


def complaints_of(error: ValidationError) -> list[str]:
    """Each field that is wrong, and why; the value is not repeated."""
    found = []
    for detail in error.errors(include_url=False, include_context=False, include_input=False):
        said = detail["msg"].removeprefix("Value error, ").removeprefix("Input ")
        said = "is missing; give it, or null where it was not published" if detail["type"] == "missing" else said
        field = ".".join(str(part) for part in detail["loc"])
        found.append(f"{field}: {said[:1].lower()}{said[1:]}" if field else said)
    return found


def documents_from(path: Path) -> list[Any]:
    """The list of cases: the file's own, or under `cases`."""
    if not path.is_file():
        raise FileRefused(f"{path}: there is no such file; give a JSON file of cases")
    if path.stat().st_size > MAX_BYTES:
        raise FileRefused(f"{path}: is larger than {MAX_BYTES // 1024 // 1024} MB; split it")
    try:
        document = json.loads(path.read_bytes().decode("utf-8-sig"), parse_float=Decimal, parse_constant=no_number)
    except UnicodeDecodeError:
        raise FileRefused(f"{path}: is no UTF-8 text; save it as UTF-8") from None
    except (ValueError, RecursionError) as error:
        where = f" (line {error.lineno})" if isinstance(error, json.JSONDecodeError) else ""
        raise FileRefused(f"{path}: is no JSON{where}; give a JSON file of cases") from None
    cases = document.get("cases") if isinstance(document, dict) else document
    if not isinstance(cases, list):
        raise FileRefused(f"{path}: holds no cases; give a list, or an object with a list under `cases`")
    return cases


def no_number(text: str) -> Any:
    raise ValueError(f"{text} is no number in JSON")
